"""Masking is counted on what others know of secrets, and on text that has none."""

import re
from collections.abc import Iterator

import nbformat
import pytest

from kitlib import paths
from kitlib.masking import redact
from kitlib.runner import notebook_page
from tests.corpus import count
from tests.corpus.__main__ import DOCUMENT, TABLE


@pytest.fixture(scope="module")
def forms() -> dict[str, tuple[int, int]]:
    """The counts of each kind."""
    return count.forms()


def test_a_secret_with_its_name_beside_it_is_masked(forms: dict[str, tuple[int, int]]) -> None:
    """In every notation, whatever the value looks like."""
    masked, made = forms["named"]

    assert masked == made > 2000


def test_a_secret_with_its_issuers_prefix_is_masked(forms: dict[str, tuple[int, int]]) -> None:
    """Without a name, in every notation; but for forms that text without a secret has too, 1 % at most."""
    masked, made = forms["prefix"]

    assert masked >= 0.99 * made > 2000


def test_the_document_has_the_counts_of_today() -> None:
    """docs/secrets.md says what is counted: `python -m tests.corpus` writes it."""
    found = TABLE.search(DOCUMENT.read_text())

    assert found
    assert found[0] == count.table()


def test_no_word_of_prose_is_masked() -> None:
    """README, documents, changelog and the notebooks' text come through as they are."""
    assert list(count.changed(prose=True)) == []
    assert count.words(prose=True) > 30_000


def test_of_source_code_only_values_under_a_secrets_name_are_masked() -> None:
    """Manifests, Go, Python and shell come through, but for what does look like a secret."""
    lines = list(count.changed(prose=False))

    assert [
        line
        for line in lines
        if not re.search(
            r"api-key: |SECRET = |://a:b@|= \"-----BEGIN|\"(token|password)\": |password=|-literal=motd=|API_KEY=", line
        )
    ] == []


@pytest.fixture
def ordinary_words() -> Iterator[None]:
    """A Secret of words that every page has."""
    for word in ("figure", "default", "running", "button", "section"):
        redact.register(word)
    yield
    redact.forget()


@pytest.mark.usefixtures("ordinary_words")
@pytest.mark.parametrize("notebook", ["0-start", "2.5-registry", "3.2-deployment"])
def test_a_page_of_a_report_stays_whole(notebook: str) -> None:
    """Masking a chapter's page changes none of its tags, also with a Secret of ordinary words learned."""
    page = notebook_page.page(nbformat.read(paths.ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4), notebook)  # type: ignore[no-untyped-call]

    masked = redact.mask(page, markup=True)

    assert re.findall(r"<[^<>]*>", masked) == re.findall(r"<[^<>]*>", page)
