"""What 2.2 reads without an engine."""

from pathlib import Path

import pytest

from kitlib.measure.images import lint, modcache

MOVING = "FROM alpine:latest\nRUN true\n"


def test_the_linter_finds_a_moving_tag_and_nothing_else() -> None:
    """The line and the rule; a missing USER is no finding, as the chapter says."""
    found = lint.lint(MOVING)

    assert found[["line", "code"]].to_numpy().tolist() == [[1, "DL3007"]]
    assert lint.lint("FROM alpine:3.22\nRUN true\n").empty


def test_the_linter_knows_nothing_of_the_users_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that is switched off in the user's own configuration is found all the same."""
    (tmp_path / "hadolint.yaml").write_text("ignored: [DL3007]\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert list(lint.lint(MOVING)["code"]) == ["DL3007"]


def test_the_orders_differ_in_nothing_but_their_order() -> None:
    """Both have the same instructions, but that go.mod first names these two files once more."""
    plain = {name: modcache.dockerfile(name).splitlines() for name in ("copy all", "go.mod first")}

    assert sorted([*plain["copy all"], "COPY go.mod go.sum ./"]) == sorted(plain["go.mod first"])
