"""The register says what is judged and how, and refuses what it does not understand."""

from __future__ import annotations

import copy
import json
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
import yaml

from kitlib.claims.register import OWN, REGISTER, Claim, _claim, claim, errata, register
from kitlib.claims.rules import RULES
from kitlib.errors import ClaimError, InputError, RegisterError
from tests.unit.frames import starts

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


def test_errata_say_what_proves_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An erratum names the claim that shows it, and whether that was measured; or says that no claim shows it yet."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))
    before = {e.id: e.status for e in errata()}
    (tmp_path / "2.3-dynamic.jsonl").write_text(
        "".join(json.dumps({"kind": "row", **row}) + "\n" for row in starts([0]).to_dict("records"))
    )

    assert before["cgo-on-alpine"] == "shown by 2.3-dynamic, which was not measured here"
    assert {e.id: e.status for e in errata()}["cgo-on-alpine"] == "shown by 2.3-dynamic"
    assert before["go-121"] == "not yet proved by a run"


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
        ({"predictions": ["it does"]}, "predictions is ['it does'], a list"),
        ({"predictions": {"it does": "often"}}, "'it does' has the answer 'often'"),
        ({"predictions": {"it does": {"at_least": "3"}}}, "'it does': at_least cannot be used"),
        ({"predictions": {"it does": {"met": "a"}}}, "'it does': met cannot be used"),
        ({"predictions": {"it does": {"above": 3}}}, "'it does': above cannot be used"),
        ({"rule": {**CLAIM["rule"], "names": {"a": 3}}}, "names: a is 3, a int"),
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
        ("- a\n- b", "is a sequence, where sections are needed"),
        ("", "is empty, where sections are needed"),
        ("claims:\n  - says: x", "line 2: an entry of claims is a mapping with an id"),
        ("claims:\n  - id: x\n    says: a\n    says: b", "line 4: the key 'says' is given twice"),
        ("claims:\n\t- id: x", "line 2 is not YAML: .*'\\\\t'"),
        ("claims: []\nclaims: []", "line 2: the key 'claims' is given twice"),
        ("claims:", "line 1: claims is not a list of entries"),
        ("claims: many", "line 1: claims is not a list of entries"),
        ("claims: {id: x}", "line 1: claims is not a list of entries"),
        ("claims:\n  - x", "line 2: an entry of claims is a mapping with an id"),
        ("claims:\n  - id: 2.3", "line 2: an entry of claims is a mapping with an id"),
        ("claims:\n  - id: x\n    ? [a]\n    : b", "line 3: a key is text"),
        ("claims:\n  - id: x\n    says: 2026-13-45", "line 3: '2026-13-45': month must be in 1..12"),
        ("claims:\n  - id: x\n    says: *nothing", "line 3 is not YAML: .*alias"),
        (
            "claims:\n  - id: x\n    says: !!python/name:os.system a",
            "line 3 is not YAML: could not determine a constructor",
        ),
        ("claims: []\n---\nclaims: []", "line 2 is not YAML"),
        ("claims: []\n# \x07", "line 2 is not YAML: the character '\\\\x07'"),
        ("[" * 5000, "is not YAML"),
        ("\0", "line 1 is not YAML"),
        (b"claims: []\n# caf\xe9", "line 2: byte 0xe9 is not UTF-8"),
        ("claims: []".encode("utf-16"), "line 1: byte 0xff is not UTF-8"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    """What is not a register is refused in one line with its place, and a next step; it counts as wrong input."""
    file = tmp_path / "claims.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(RegisterError, match=message) as caught:
        register(file)

    assert isinstance(caught.value, InputError)
    assert caught.value.message.startswith("claims.yaml") or str(file) in caught.value.message
    assert len(str(caught.value).splitlines()) == 2


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """A register that an editor of Windows has saved, with a byte order mark and CRLF, is read as it was meant."""
    file = tmp_path / "claims.yaml"
    text = yaml.safe_dump({"claims": [CLAIM]}).replace("\n", "\r\n")
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())

    assert [c.id for c in register(file)] == ["x-1"]


@pytest.mark.parametrize("kind", ["missing", "folder", "loop"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, kind: str) -> None:
    """No file, a folder in its place and a link to itself are errors of one line with the file's name."""
    file = tmp_path / "claims.yaml"
    if kind == "folder":
        file.mkdir()
    if kind == "loop":
        file.symlink_to(file)

    with pytest.raises(RegisterError, match=f"^{file} cannot be read: ") as caught:
        register(file)

    assert "Errno" not in str(caught.value)


def test_a_claim_of_no_chapter_is_refused(write: Any, tmp_path: Path) -> None:
    """In a folder with notebooks, a claim names one of them; the error names the one that comes closest."""
    (tmp_path / "1-y.ipynb").touch()
    (tmp_path / "9-verdicts.ipynb").touch()
    path = write([CLAIM])

    with pytest.raises(RegisterError, match=r"line 2 \(x-1\): no notebook is called 1-x\.ipynb") as caught:
        register(path)

    assert caught.value.hint == "did you mean 1-y?"


ONE_OF_EACH = {c.rule["kind"]: c for c in register()}
WRONG: list[Any] = [None, True, 7, 1.5, float("nan"), "", "word", [], [1], [None], {}, {"a": 1}, [{}], [["x"]]]


def _leaves(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each part of an entry, outer ones included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(leaf for key, item in inner for leaf in _leaves(item, (*way, key)))]


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_no_wrong_value_is_a_traceback(kind: str) -> None:
    """Whatever stands at any place of a claim, the register is read, or refused in one line with the place; nothing else is raised."""
    it = ONE_OF_EACH[kind]
    whole = {name: getattr(it, name) for name in CLAIM} | {"rule": dict(it.rule), "predictions": dict(it.answers)}
    refused: list[str] = []
    for way in _leaves(whole)[1:]:
        for wrong in WRONG:
            entry: Any = copy.deepcopy(whole)
            place = entry
            for key in way[:-1]:
                place = place[key]
            place[way[-1]] = wrong
            try:
                assert repr(_claim(entry, "the place", ()))
            except RegisterError as e:
                refused.append(e.message)

    assert [message for message in refused if not message.startswith("the place: ") or "\n" in message] == []
    assert len(refused) > 10 * len(whole)


def test_the_register_is_the_notebooks_own() -> None:
    """It lies beside the chapters."""
    assert REGISTER.parent.name == "notebooks"
