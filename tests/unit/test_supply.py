"""Where images come from: what KIT_SUPPLY may say, and what is chosen when it says nothing."""

from collections.abc import Iterator

import pytest

from kitlib.errors import SupplyError, UsageError
from kitlib.supply import choice as supply

pytestmark = pytest.mark.usefixtures("no_engine")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No choice from before, and no engine that answers."""
    monkeypatch.delenv("KIT_SUPPLY", raising=False)
    supply.choose.cache_clear()
    yield
    supply.choose.cache_clear()


@pytest.mark.parametrize("name", ["upstream", "packages"])
def test_supply_is_as_set(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A supply that is set is used, announced without advice, and stands in the stamp."""
    monkeypatch.setenv("KIT_SUPPLY", name)
    supply.announce()

    assert supply.choose() == name
    assert supply.describe() == {"supply": name}
    assert capsys.readouterr().err == f"supply: {name}\n"


@pytest.mark.parametrize("name", ["x", "Packages", "upstream "])
def test_unknown_supply(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other word is wrong usage, and the error names the right ones."""
    monkeypatch.setenv("KIT_SUPPLY", name)
    with pytest.raises(UsageError) as caught:
        supply.choose()

    assert str(caught.value) == f"KIT_SUPPLY={name} is not a supply\nnext: one of upstream, mirror, bundle, packages"


@pytest.mark.parametrize("name", ["mirror", "bundle"])
def test_supply_that_is_not_there_yet(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A supply that this version lacks is an error with the ones to use instead."""
    monkeypatch.setenv("KIT_SUPPLY", name)
    with pytest.raises(SupplyError) as caught:
        supply.choose()

    assert caught.value.hint == "KIT_SUPPLY=upstream or KIT_SUPPLY=packages"


@pytest.mark.parametrize("value", [None, ""])
def test_no_engine_means_packages(
    value: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no engine answers there is nothing to pull with: images come from packages; commands say so, notebooks stay silent."""
    if value is not None:
        monkeypatch.setenv("KIT_SUPPLY", value)
    chosen = supply.choose()
    silent = capsys.readouterr().err
    supply.announce()

    assert chosen == "packages"
    assert silent == ""
    assert capsys.readouterr().err == "supply: packages (KIT_SUPPLY chooses another)\n"
