"""The rows behind the published figures: which are kept, and that pages and pictures follow from them alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kitlib.dev import published
from kitlib.dev.reference import Reference
from kitlib.errors import InputError
from kitlib.gameday import faults
from tests.unit import frames

ENVIRONMENT = {"cpu": "a processor", "cores": 2, "memory_gib": 8, "os": "an OS", "kit_commit": "0123456789ab"}


def report(folder: Path, *runs: pd.DataFrame, profile: str = "full", commit: str = "0123456789ab") -> Path:
    """A report's rows and the times of its chapters, as `./kit run` writes them."""
    place = {"kind": "environment", "stamp": "0123456789ab", "environment": {**ENVIRONMENT, "kit_commit": commit}}
    (folder / "results").mkdir(parents=True, exist_ok=True)
    for frame in runs:
        lines = [place, *({"kind": "row", **row} for row in frame.assign(profile=profile).to_dict("records"))]
        _write(folder / "results" / f"{frame['claim'].iloc[0]}.jsonl", lines)
    cases = "".join(f'<testcase name="c" classname="n" time="{t}"/>' for t in (60.0, 30.0))
    suites = "".join(
        f'<testsuite name="{chapter}">{cases}</testsuite>' for chapter in ("2.1-docker-concepts", "2.3-multi-stage")
    )
    (folder / "junit.xml").write_text(f"<testsuites>{suites}</testsuites>")
    return folder


def _write(file: Path, lines: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reference:
    """An empty folder of kept rows."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path / "results"))
    return Reference(tmp_path / "rows")


def test_kept_rows_give_the_same_verdict(of: Reference, tmp_path: Path) -> None:
    """The verdict, its n and the minutes of its chapter come back from the compressed file; the learner's own rows do not count."""
    kept = of.keep(report(tmp_path / "run", frames.starts([0, 0, 0])))
    verdict = of.verdict("2.3-dynamic")

    assert kept == ["2.3-dynamic"]
    assert (verdict.verdict, verdict.n) == ("refuted", 3)
    assert verdict.environment["cpu"] == "a processor"
    assert of.minutes == {"2.3-multi-stage": 1.5}


def test_the_same_rows_give_the_same_bytes(of: Reference, tmp_path: Path) -> None:
    """Keeping a report twice changes no file, so that git shows a change only where rows changed."""
    of.keep(report(tmp_path / "run", frames.starts([0, 0, 0])))
    before = of.file("2.3-dynamic").read_bytes()
    of.keep(tmp_path / "run")

    assert of.file("2.3-dynamic").read_bytes() == before


def test_a_later_report_replaces_only_its_own_claims(of: Reference, tmp_path: Path) -> None:
    """Chapters can be measured in several runs."""
    of.keep(report(tmp_path / "one", frames.starts([0, 0, 0]), frames.sizes([800e6] * 3, [20e6] * 3)))
    of.keep(report(tmp_path / "two", frames.starts([1, 1, 1, 1])))

    assert of.verdict("2.3-dynamic").verdict == "holds"
    assert of.verdict("2.2-size").n == 3
    assert [claim.id for claim in of.claims] == ["2.2-size", "2.3-dynamic"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"profile": "quick"}, r"2\.3-dynamic was measured with the profile quick"),
        ({"commit": "0123456789ab+dirty"}, r"2\.3-dynamic was measured with changes that are not committed"),
    ],
)
def test_rows_that_nobody_could_repeat_are_refused(
    wrong: dict[str, str], told: str, of: Reference, tmp_path: Path
) -> None:
    """Such a report is refused as a whole, and nothing of it is kept."""
    with pytest.raises(InputError, match=told) as refused:
        of.keep(report(tmp_path / "run", frames.starts([0, 0, 0]), **wrong))

    assert "./kit run 2.3-multi-stage --profile full" in str(refused.value)
    assert of.claims == ()


def test_an_experiment_that_broke_off_is_refused(of: Reference, tmp_path: Path) -> None:
    """Its rows are not all that it would have measured."""
    folder = report(tmp_path / "run", frames.starts([0, 0, 0]))
    with (folder / "results" / "2.3-dynamic.jsonl").open("a") as f:
        f.write(json.dumps({"kind": "broken-off", "claim": "2.3-dynamic", "run": "r"}) + "\n")

    with pytest.raises(InputError, match="its experiment broke off"):
        of.keep(folder)


def test_a_chapter_that_stopped_is_left_out(of: Reference, tmp_path: Path) -> None:
    """Its minutes would be too few, and its cells after the failure did not measure."""
    folder = report(tmp_path / "run", frames.starts([0, 0, 0]), frames.rebuilds([0.3, 0.4, 0.3]))
    junit = folder / "junit.xml"
    begin = '<testsuite name="2.3-multi-stage">'
    junit.write_text(
        junit.read_text().replace(begin, f'{begin}<testcase name="c" classname="n"><failure message="m"/></testcase>')
    )

    assert of.keep(folder) == ["2.1-cache"]
    assert list(of.minutes) == ["2.1-docker-concepts"]


def test_a_folder_without_rows_is_refused(of: Reference, tmp_path: Path) -> None:
    """An empty folder is no report, and says which command writes one."""
    with pytest.raises(InputError, match="is no report") as refused:
        of.keep(tmp_path)

    assert "--profile full -o FOLDER" in str(refused.value)


def test_figures_of_claims_without_rows_are_refused(of: Reference) -> None:
    """A figure that was not measured is not shown."""
    with pytest.raises(InputError, match=r"no rows of 2\.3-startup are kept"):
        published.filled("x <!-- rows: startup -->2.5 s<!-- /rows --> y", of)


def test_a_page_is_filled_between_its_markers(of: Reference, tmp_path: Path) -> None:
    """The text around the markers stays; a table stands on lines of its own; a second time changes nothing."""
    of.keep(report(tmp_path / "run", frames.starts([0, 0, 0])))
    page = published.filled("before\n<!-- rows: verdicts -->old<!-- /rows -->\nafter\n", of)

    assert page.startswith("before\n<!-- rows: verdicts -->\n\n| claim | verdict |")
    assert page.endswith("\n\n<!-- /rows -->\nafter\n")
    assert "| 2.3-dynamic | **refuted** | 3 | – | – |" in page
    assert "old" not in page
    assert published.filled(page, of) == page


def test_an_unknown_part_is_told(of: Reference) -> None:
    """A misspelt marker is answered with the name that comes close."""
    with pytest.raises(InputError, match="no part is called 'verdict'") as told:
        published.filled("<!-- rows: verdict --><!-- /rows -->", of)

    assert "verdicts" in str(told.value)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ('<path id="m0123456789" d="M 1.0000021 2"/>', True),
        ('<path id="mabcdefabcd" d="M 1.0 2"/>', True),
        ('<path id="m0123456789" d="M 1.1 2"/>', False),
        ('<path id="m0123456789" d="M 1.0 2"/><g/>', False),
        ("<text>1.0 s</text>", False),
    ],
)
def test_pictures_are_compared_but_for_last_digits(other: str, same: bool) -> None:
    """Another processor's last digits and ids are no difference; another place or another word is one."""
    assert published.alike('<path id="m0123456789" d="M 1.0 2"/>', other) is same


def _detections() -> pd.DataFrame:
    found = {"detected": 10.0, "well": 2.0, "resolved": 30.0, "failed": 5.0, "delivered": 1.0}
    rows = [
        row
        for metric, value in found.items()
        for row in frames.rows("4.5-detect", "fault", metric, {f: [value, value + 4, value] for f in faults.NAMES}, "s")
    ]
    return pd.DataFrame(rows)


def test_the_game_day_is_a_table_and_a_picture(of: Reference, tmp_path: Path) -> None:
    """Medians over the rounds, the range of the detection, and one lane per fault."""
    folder = report(tmp_path / "run", _detections())
    (folder / "junit.xml").write_text(
        '<testsuites><testsuite name="4.5-one-request"><testcase name="c" classname="n" time="60"/></testsuite></testsuites>'
    )
    of.keep(folder)
    table = published.filled("<!-- rows: faults --><!-- /rows -->", of)
    picture = dict(published.PICTURES)["gameday.svg"](of)

    assert table.count("| 10.0 s (10.0 to 14.0) | 5 | 2 s | 30 s |") == len(faults.NAMES)
    assert published.filled("<!-- rows: unnoticed --><!-- /rows -->", of).count("0 of 8") == 1
    assert all(name in picture for name in faults.NAMES)
