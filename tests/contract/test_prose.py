"""The house style of prose: each rule of .vale/kit/ finds what it is for, and lets good sentences pass."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kitlib import paths
from kitlib.host import proc, tools

RULES = paths.ROOT / ".vale" / "kit"
SENTENCES: dict[str, dict[str, list[str]]] = tomllib.loads(Path(__file__).with_name("prose.toml").read_text())
CASES = [(rule, kind, text) for rule, kinds in SENTENCES.items() for kind, texts in kinds.items() for text in texts]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The names of the rules that Vale reports for each sentence, from one run over one file per sentence."""
    folder = tmp_path_factory.mktemp("prose")
    for number, (_, _, text) in enumerate(CASES):
        (folder / f"{number}.md").write_text(f"{text}\n")
    words: list[str | Path] = [
        "--no-global",
        "--no-exit",
        "--output=JSON",
        f"--config={paths.ROOT / '.vale.ini'}",
        folder,
    ]
    reported: dict[str, list[dict[str, Any]]] = json.loads(proc.run([tools.vale(), *words]))
    alerts = {Path(file).stem: {alert["Check"].removeprefix("kit.") for alert in a} for file, a in reported.items()}
    return {text: alerts.get(str(number), set()) for number, (_, _, text) in enumerate(CASES)}


@pytest.mark.parametrize(("rule", "kind", "text"), CASES)
def test_a_rule_finds_bad_sentences_only(rule: str, kind: str, text: str, found: dict[str, set[str]]) -> None:
    """The rule reports its bad sentence; no rule reports a good sentence."""
    if kind == "bad":
        assert rule in found[text]
    else:
        assert found[text] == set()


def test_every_rule_has_both_kinds_of_sentences() -> None:
    """No rule is without a sentence that it finds and one that it lets pass."""
    assert set(SENTENCES) == {file.stem for file in RULES.glob("*.yml")}
    assert all(set(kinds) == {"bad", "good"} and all(kinds.values()) for kinds in SENTENCES.values())


def test_rules_hold_for_pages_and_docstrings() -> None:
    """Each rule is an error in a page and in Python: the configuration weakens none."""
    settings = (paths.ROOT / ".vale.ini").read_text()

    assert re.findall(r"^\[(.+)\]$", settings, re.MULTILINE) == ["*.md", "*.py"]
    assert "kit." not in settings


@pytest.mark.parametrize("file", sorted(RULES.glob("*.yml")), ids=lambda file: file.stem)
def test_a_rule_says_what_to_write_instead(file: Path) -> None:
    """The message of a rule names the better way, and the rule fails the lint."""
    text = file.read_text()

    assert "level: error" in text
    assert any(word in text.partition("message:")[2].lower() for word in ("write ", "name ", "split "))
