"""The register says what is judged and how, and refuses what it does not understand."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
import yaml

from kitlib.claims import OWN, REGISTER, Claim, claim, errata, register
from kitlib.errors import ClaimError
from kitlib.rules import RULES

CLAIM: dict[str, Any] = {
    "id": "x-1",
    "section": "1",
    "chapter": "1-x",
    "title": "A title",
    "says": "Something.",
    "metric": "starts",
    "unit": "0/1",
    "rule": {"kind": "equals", "metric": "starts", "where": {"image": "a"}, "value": 1},
    "expected": "holds",
    "deterministic": True,
}
ERRATUM = {"id": "e-1", "section": "1", "says": "Old.", "today": "New.", "proved_by": None}
FIGURES: dict[str, Any] = {"kind": "figures", "column": "image", "metric": "size", "headline": "a"}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write a register of these entries, and return its path."""

    def write(claims: list[dict[str, Any]], errata: list[dict[str, Any]] | None = None) -> Path:
        file = tmp_path / "claims.yaml"
        file.write_text(yaml.safe_dump({"claims": claims, "errata": errata or []}, sort_keys=False))
        return file

    return write


def test_the_register_has_the_chapter_s_claims() -> None:
    """Chapter 2.3-multi-stage judges seven claims."""
    found = [c.id for c in register() if c.chapter == "2.3-multi-stage"]

    assert found == ["2.2-size", *(f"2.3-{of}" for of in ("numbers", "dynamic", "surface", "base", "sbom", "startup"))]


def test_every_rule_kind_is_used() -> None:
    """No kind is there on speculation."""
    assert {c.rule["kind"] for c in register()} == set(RULES)


def test_a_claim_is_found_by_id() -> None:
    """claim() gives the entry of the register."""
    assert claim("2.3-startup").deterministic is False


def test_an_unknown_id_names_close_ones() -> None:
    """A slip of the finger is answered with what was probably meant."""
    with pytest.raises(ClaimError, match=r"2\.2-sice") as caught:
        claim("2.2-sice")

    assert "2.2-size" in caught.value.hint


def test_a_claim_is_frozen() -> None:
    """Neither a claim nor its rule can be changed by a notebook."""
    it: Any = claim("2.2-size")

    with pytest.raises(FrozenInstanceError):
        it.expected = "refuted"
    with pytest.raises(TypeError):
        it.rule["at_least"] = 0.1


@pytest.mark.parametrize("it", register(), ids=lambda c: c.id)
def test_a_claim_shows_what_it_says_where_and_how_it_is_judged(it: Claim) -> None:
    """Text and HTML carry the claim restated, its section, its chapter and its rule in words."""
    for shown in (repr(it), it._repr_html_().replace("&#x27;", "'")):
        assert it.says in shown
        assert ("Not in the guide" if it.section == OWN else f"Section {it.section}") in shown
        assert it.chapter in shown
        assert it.rule_in_words in shown


def test_the_rule_in_words_has_its_figures() -> None:
    """The words are made of the rule's data."""
    assert "90 %" in claim("2.2-size").rule_in_words
    assert "800 MB" in claim("2.3-numbers").rule_in_words


def test_html_is_escaped(write: Any) -> None:
    """What the register says cannot become markup."""
    it = claim("x-1", write([{**CLAIM, "says": "a <b> & c"}]))

    assert "a &lt;b&gt; &amp; c" in it._repr_html_()


def test_errata_say_what_proves_them() -> None:
    """An erratum names the claim that shows it, or says that none does yet."""
    status = {e.id: e.status for e in errata()}

    assert status["cgo-on-alpine"] == "shown by 2.3-dynamic"
    assert status["go-121"] == "not yet proved by a run"


def test_a_good_register_loads(write: Any) -> None:
    """The entries of these tests are valid as they stand."""
    path = write([CLAIM], [{**ERRATUM, "proved_by": "x-1"}])

    assert [c.id for c in register(path)] == ["x-1"]
    assert [e.proved_by for e in errata(path)] == ["x-1"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"section": 2.3}, "section is 2.3, a float"),
        ({"deterministic": "yes"}, "deterministic is 'yes'"),
        ({"expected": "maybe"}, "expected is 'maybe'"),
        ({"rule": {"kind": "guess"}}, "unknown kind 'guess'"),
        ({"rule": {**CLAIM["rule"], "at_least": 1}}, "rule: unknown key 'at_least'"),
        ({"rule": {**CLAIM["rule"], "value": True}}, "value is True, a bool"),
        ({"rule": {"kind": "equals", "metric": "starts", "value": 1}}, "rule: where is missing"),
        (
            {"rule": {**FIGURES, "figures": [{"of": "a", "about": 3}]}},
            "needs of, and either below, or about and within",
        ),
        ({"rule": {**FIGURES, "figures": [{"of": "a", "size": 3}]}}, "needs of, and either below, or about and within"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(write: Any, changes: dict[str, Any], message: str) -> None:
    """The error names file, line, entry and what is wrong with it."""
    path = write([CLAIM, {**CLAIM, "id": "x-2", **changes}])
    line = path.read_text().splitlines().index("- id: x-2") + 1

    with pytest.raises(ClaimError) as caught:
        register(path)

    assert caught.value.message.startswith(f"claims.yaml, line {line} (x-2)")
    assert message in caught.value.message


@pytest.mark.parametrize("key", [key for key in CLAIM if key != "id"])
def test_every_key_is_required(write: Any, key: str) -> None:
    """An entry without one of its keys is refused by that key's name."""
    path = write([{k: v for k, v in CLAIM.items() if k != key}])

    with pytest.raises(ClaimError, match=f"{key} is missing"):
        register(path)


def test_an_id_is_given_once(write: Any) -> None:
    """Two claims of one id are refused."""
    path = write([CLAIM, CLAIM])

    with pytest.raises(ClaimError, match="the id 'x-1' is taken"):
        register(path)


def test_an_erratum_cannot_be_proved_by_nothing(write: Any) -> None:
    """proved_by is the id of a claim."""
    path = write([CLAIM], [{**ERRATUM, "proved_by": "x-9"}])

    with pytest.raises(ClaimError, match="'x-9', which is not a claim"):
        errata(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("claims: [", "is not YAML"),
        ("claims: []\nverdicts: []", "has the sections claims, verdicts"),
        ("- a\n- b", "has the sections"),
        ("", "has the sections"),
        ("claims:\n  - says: x", "line 2: an entry of claims is a mapping with an id"),
        ("claims:\n  - id: x\n    says: a\n    says: b", "line 4: the key 'says' is given twice"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """What is not a register is refused in words."""
    file = tmp_path / "claims.yaml"
    file.write_text(text)

    with pytest.raises(ClaimError, match=message):
        register(file)


def test_the_register_is_the_notebooks_own() -> None:
    """It lies beside the chapters."""
    assert REGISTER.parent.name == "notebooks"
