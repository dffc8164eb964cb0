"""The bench's driver and table: pure functions of trials, and a run with arms that only count."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kitlib.claims import stamp
from kitlib.dev import bench, benchtable
from kitlib.dev.bench import Group, Row, Values
from kitlib.errors import KitError, UsageError

ROW = Row("7", "listing", "the other", "seconds", "s", 0.5, peers=("fast", "slow"))


def trials(**sides: list[float]) -> dict[str, list[Values]]:
    return {name: [{"seconds": v} for v in values] for name, values in sides.items()}


def test_the_ratio_is_of_medians_against_the_better_peer() -> None:
    """Several peers: the one with the smaller median counts; an outlier on either side moves nothing."""
    found = bench.judge(ROW, trials(ours=[1, 1, 90], fast=[4, 4, 70], slow=[8, 8, 8]))

    assert found["peer"]["name"] == "fast"
    assert (found["ratio"], found["met"], found["n"]) == (0.25, True, 3)
    assert found["ours"]["values"] == [1, 1, 90]


@pytest.mark.parametrize(("ours", "met"), [(0.5, True), (0.51, False)])
def test_a_bar_is_met_up_to_its_value(ours: float, met: bool) -> None:
    """A ratio that equals the bar meets it, one above misses it."""
    assert bench.judge(ROW, trials(ours=[ours], fast=[1.0], slow=[2.0]))["met"] == met


def test_a_documented_figure_stands_for_a_peer() -> None:
    """Where nothing is measured on the other side, the figure itself is the peer."""
    row = Row("4-helm", "lag", "2 s", "seconds", "s", 0.1, documented=1.0)
    found = bench.judge(row, trials(ours=[0.05, 0.05]))

    assert found["peer"] == {"name": "documented", "median": 1.0, "iqr": 0.0, "values": [1.0]}
    assert found["ratio"] == 0.05


def test_the_interval_is_around_the_ratio_and_the_same_each_time() -> None:
    """The bootstrap has a fixed seed; of one trial there is no interval."""
    ours, peer = [1.0, 1.1, 1.2, 0.9, 1.0], [4.0, 4.4, 3.6, 4.1, 3.9]
    low, high = bench.interval(ours, peer) or (0, 0)

    assert 0.2 < low <= 0.25 <= high < 0.35
    assert bench.interval(ours, peer) == [low, high]
    assert bench.interval([1.0], peer) is None


def test_arms_take_turns() -> None:
    """Each round has every arm once and begins with another one."""
    seen: list[str] = []

    def arm(name: str) -> bench.Arm:
        def trial() -> Values:
            seen.append(name)
            return {"seconds": 1.0}

        return trial

    found = bench.interleave({"a": arm("a"), "b": arm("b")}, 3, on_trial=lambda _: None)

    assert seen == ["a", "b", "b", "a", "a", "b"]
    assert {name: len(of) for name, of in found.items()} == {"a": 3, "b": 3}


def test_an_unknown_row_is_told_with_those_that_exist() -> None:
    """A misspelt id names the ids; rows that are measured together come together."""
    with pytest.raises(UsageError, match="1c") as caught:
        bench.groups(["1a", "1c"])

    assert "4-helm" in caught.value.hint
    assert bench.groups(["1b", "2"]) == ["delivery", "release"]
    assert bench.groups([]) == list(bench.GROUPS)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Groups whose arms only count their trials; the one of row 6 fails."""
    calls = {"ours": 0, "typed": 0}

    def arm(name: str, value: float) -> bench.Arm:
        def trial() -> Values:
            calls[name] += 1
            return {"seconds": value}

        return trial

    @contextmanager
    def opened(name: str) -> Iterator[Group]:
        if name == "cells":
            raise KitError("no kernel")
        row = Row("7", "listing", "the other", "seconds", "s", 0.5, peers=("typed",))
        yield Group(
            {"ours": arm("ours", 1), "typed": arm("typed", 4)}, [row], notes=lambda t: f"{len(t['ours'])} trials"
        )

    monkeypatch.setattr(bench, "_open", opened)
    monkeypatch.setattr(stamp, "environment", lambda: {"cpu": "some", "cores": 2})
    return calls


def test_a_run_writes_each_row_and_goes_on_after_a_failure(counted: dict[str, int], tmp_path: Path) -> None:
    """A group that fails costs its own rows: the run returns 1, and the others are in the file with their environment."""
    out = tmp_path / "results.json"
    code = bench.run(["6", "7"], n=3, out=out)
    found = json.loads(out.read_text())

    assert code == 1
    assert list(found["rows"]) == ["7"]
    assert (found["rows"]["7"]["ratio"], found["rows"]["7"]["notes"]) == (0.25, "3 trials")
    assert found["environments"] == {found["rows"]["7"]["environment"]: {"cpu": "some", "cores": 2}}
    assert counted == {"ours": 4, "typed": 4}  # 3 trials and one to warm up


def test_a_second_run_keeps_the_other_rows(counted: dict[str, int], tmp_path: Path) -> None:
    """Rows that were measured before stay, with their environment; those measured again are replaced."""
    out = tmp_path / "results.json"
    old: dict[str, Any] = {"environment": "e0", "ratio": 1.0}
    out.write_text(
        json.dumps({"rows": {"9": old, "7": {**old, "environment": "e1"}}, "environments": {"e0": {}, "e1": {}}})
    )
    bench._measured("listing", 1, out, {"cpu": "some"})
    found = bench.load(out)

    assert (found["rows"]["9"], found["rows"]["7"]["ratio"]) == (old, 0.25)
    assert "e1" not in found["environments"]
    assert counted == {"ours": 2, "typed": 2}


def result(**changes: Any) -> dict[str, Any]:
    found = bench.judge(ROW, trials(ours=[1.0, 1.2], fast=[4.0, 4.2], slow=[9.0, 9.0]))
    return {**found, "notes": "", "environment": "e", **changes}


def table(**changes: Any) -> str:
    return benchtable.markdown({"rows": {"7": result(**changes)}, "environments": {"e": {"cpu": "X", "cores": 2}}})


def test_a_line_of_the_table_has_both_sides_the_ratio_and_the_bar() -> None:
    """Medians with their spread and unit, the ratio with its interval; nothing is marked when the bar is met."""
    assert "| 7 | listing | the other | 1.1 s ± 0.1 s | 4.1 s ± 0.1 s | 0.27 (0.24–0.30) | 0.5 | 2 |" in table()


def test_a_missed_bar_is_marked_and_a_note_is_shown() -> None:
    """The table itself names missed bars; notes stand below it."""
    text = table(met=False, notes="7: why")

    assert "**missed**" in text
    assert "- 7: why" in text


def test_the_table_goes_between_the_markers(tmp_path: Path) -> None:
    """Only what is between the markers changes, and a second time nothing does; a file without them is an error."""
    file = tmp_path / "README.md"
    file.write_text(f"before\n{benchtable.BEGIN}\nold\n{benchtable.END}\nafter\n")
    results = {"rows": {"7": result()}, "environments": {}}
    benchtable.into(file, results)
    once = file.read_text()
    benchtable.into(file, results)

    assert once.startswith(f"before\n{benchtable.BEGIN}\n\n| # |")
    assert once.endswith(f"{benchtable.END}\nafter\n")
    assert "old" not in once
    assert file.read_text() == once

    file.write_text("no markers")
    with pytest.raises(UsageError, match="no place"):
        benchtable.into(file, results)


def test_every_row_of_the_groups_is_explained() -> None:
    """The README says of each row what exactly is compared, and has a place for the table."""
    text = (bench.FOLDER / "README.md").read_text()

    assert [i for rows in bench.GROUPS.values() for i in rows if i.partition("-")[0] not in text] == []
    assert benchtable.BEGIN in text
    assert benchtable.END in text
