"""Measurements are interleaved, stamped and never lost."""

from __future__ import annotations

import importlib
import json
import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kitlib.claims import progress
from kitlib.claims.experiments import experiment
from kitlib.claims.register import claim
from kitlib.claims.rows import environments, load, treatment_columns
from kitlib.errors import EngineError, InputError, KitError, UsageError

stamp = importlib.import_module("kitlib.claims.stamp")
IMAGES = ["a", "b", "c", "d", "e"]
START = claim("2.3-startup")


@pytest.fixture(autouse=True)
def _hermetic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results go to a folder of the test; engine, cluster and supply of this machine are not asked."""
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))
    monkeypatch.setenv("KIT_RUN", "run-1")
    monkeypatch.delenv("KIT_PROFILE", raising=False)
    monkeypatch.setattr(stamp, "_platform", lambda: {"engine": {"version": "29"}})


def one(**_: Any) -> float:
    """Measure nothing, quickly."""
    return 1.0


def test_the_frame_is_tidy() -> None:
    """One row per repeat and metric, with the columns in their order and their types."""
    runs = experiment(START, lambda image: len(image), over={"image": ["a", "bb"]}, repeats=2)

    assert list(runs.columns) == [
        *("claim", "metric", "image", "repeat", "value", "unit", "started_at", "profile", "run", "stamp")
    ]
    assert (runs["repeat"].dtype, runs["value"].dtype) == (int, float)
    assert set(runs["unit"]) == {"s"}
    assert {"run-1"} == set(runs["run"])
    assert sorted(zip(runs["image"], runs["repeat"], runs["value"], strict=True)) == [
        *(("a", 1, 1.0), ("a", 2, 1.0), ("bb", 1, 2.0), ("bb", 2, 2.0))
    ]


def test_rounds_are_complete_and_shuffled() -> None:
    """Each round runs every treatment once; the order differs between rounds and comes back with the seed."""
    calls: list[str] = []

    def measure(image: str) -> float:
        calls.append(image)
        return 1.0

    def order(seed: int) -> list[list[str]]:
        calls.clear()
        experiment(START, measure, over={"image": IMAGES}, repeats=3, seed=seed)
        return [calls[i : i + 5] for i in (0, 5, 10)]

    rounds = order(0)

    assert all(sorted(each) == IMAGES for each in rounds)
    assert all(one != other for one, other in pairwise(rounds))
    assert rounds == order(0)
    assert rounds != order(1)


def test_every_combination_is_measured() -> None:
    """Two treatments are crossed, and each has its column."""
    over: dict[str, Any] = {"image": ["a", "b"], "cores": [1, 2, 4]}
    runs = experiment(START, lambda cores, **_: cores, over=over, repeats=1)

    assert treatment_columns(runs) == ["image", "cores"]
    assert len(runs.groupby(["image", "cores"])) == 6


def test_a_mapping_gives_several_metrics_with_their_units() -> None:
    """The claim's own metric has the claim's unit; the others need theirs; one that is left out has no row."""
    runs = experiment(
        START,
        lambda image: {"ready_seconds": 1.5} | ({"compressed_mb": 4} if image == "a" else {}),
        over={"image": ["a", "b"]},
        repeats=1,
        units={"compressed_mb": "MB"},
    )

    assert sorted(zip(runs["metric"], runs["image"], runs["unit"], strict=True)) == [
        *(("compressed_mb", "a", "MB"), ("ready_seconds", "a", "s"), ("ready_seconds", "b", "s"))
    ]


def test_a_metric_without_unit_is_refused() -> None:
    """There is never a bare number."""
    with pytest.raises(UsageError, match="'wheels' has no unit"):
        experiment(START, lambda **_: {"wheels": 4}, over={"image": ["a"]}, repeats=1)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_refused(value: float) -> None:
    """What could not be measured is left out, not written as NaN."""
    with pytest.raises(UsageError, match="ready_seconds came out as"):
        experiment(START, lambda **_: value, over={"image": ["a"]}, repeats=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"over": {"value": ["a"]}}, "cannot be called 'value'"),
        ({"over": {"image": []}}, "'image' needs a sequence"),
        ({"over": {"image": "abc"}}, "'image' needs a sequence"),
        ({"repeats": 0}, "no repeats"),
        ({"repeats": {"full": 9}}, "no repeats for the profile 'quick'"),
        ({"profile": "slow"}, "'slow' is not a profile"),
    ],
)
def test_a_wrong_call_measures_nothing(arguments: dict[str, Any], message: str) -> None:
    """Wrong arguments are refused before the first measurement."""
    calls: list[Any] = []

    def measure(**treatment: Any) -> float:
        calls.append(treatment)
        return 1.0

    call: dict[str, Any] = {"over": {"image": ["a"]}, "repeats": 1, **arguments}

    with pytest.raises(UsageError, match=message):
        experiment(START, measure, **call)
    assert calls == []


def test_repeats_follow_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """KIT_PROFILE chooses, an argument overrides, quick is the default."""
    repeats = {"quick": 1, "full": 3}

    def count(**argument: str) -> tuple[int, str]:
        runs = experiment(START, one, over={}, repeats=repeats, **argument)  # type: ignore[arg-type]
        return len(runs), runs["profile"].iloc[0]

    assert count() == (1, "quick")
    monkeypatch.setenv("KIT_PROFILE", "full")
    assert count() == (3, "full")
    assert count(profile="quick") == (1, "quick")


def test_a_batch_measures_all_trials_side_by_side() -> None:
    """With batch=True one call gets every trial, and its values are kept in the order of the trials."""
    calls: list[list[dict[str, Any]]] = []

    def measure(trials: list[dict[str, Any]]) -> list[float]:
        calls.append(trials)
        return [float(len(trial["image"])) for trial in trials]

    runs = experiment(START, measure, over={"image": ["a", "bb"]}, repeats=3, batch=True)

    assert [len(trials) for trials in calls] == [6]
    assert sorted(zip(runs["image"], runs["repeat"], runs["value"], strict=True)) == [
        *(("a", 1, 1.0), ("a", 2, 1.0), ("a", 3, 1.0), ("bb", 1, 2.0), ("bb", 2, 2.0), ("bb", 3, 2.0))
    ]


def test_a_batch_that_loses_a_trial_is_refused() -> None:
    """Values that cannot be matched to their trials are no measurement."""
    with pytest.raises(UsageError, match="2 trials gave 1 values"):
        experiment(START, lambda _: [1.0], over={"image": ["a", "b"]}, repeats=1, batch=True)


def test_started_at_is_utc_with_milliseconds() -> None:
    """The time is that of the repeat, and says its zone."""
    runs = experiment(START, one, over={}, repeats=1)
    text = runs["started_at"].iloc[0]

    assert abs(datetime.now(UTC) - datetime.fromisoformat(text)) < timedelta(minutes=1)
    assert len(text) == len("2026-01-01T00:00:00.000+00:00")


def test_what_was_measured_is_read_back() -> None:
    """load gives the frame that experiment returned."""
    over: dict[str, Any] = {"image": IMAGES, "cores": np.array([1, 2])}
    runs = experiment(START, lambda cores, **_: cores / 3, over=over, repeats=2)

    pd.testing.assert_frame_equal(load("2.3-startup"), runs, check_dtype=False)


def test_without_results_the_frame_is_empty_with_its_columns() -> None:
    """A claim that was never measured has no rows, rather than an error."""
    runs = load("2.3-startup")

    assert runs.empty
    assert {"claim", "metric", "repeat", "value", "unit", "started_at", "profile", "run", "stamp"} == set(runs.columns)


def test_the_newest_run_is_loaded_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs do not mix."""
    experiment(START, one, over={}, repeats=1)
    monkeypatch.setenv("KIT_RUN", "run-2")
    experiment(START, lambda: 2.0, over={}, repeats=1)

    assert list(load("2.3-startup")["value"]) == [2.0]
    assert list(load("2.3-startup", run="run-1")["value"]) == [1.0]
    assert load("2.3-startup", run="run-3").empty


def test_a_cell_run_again_supersedes_its_rows() -> None:
    """Within a run the last value of each treatment and repeat counts; another treatment's rows stay."""
    experiment(START, one, over={"image": ["a"]}, repeats=2)
    experiment(START, lambda **_: 2.0, over={"image": ["b"]}, repeats=1)
    experiment(START, lambda **_: 3.0, over={"image": ["a"]}, repeats=2)
    runs = load("2.3-startup")

    assert sorted(zip(runs["image"], runs["value"], strict=True)) == [("a", 3.0), ("a", 3.0), ("b", 2.0)]


def test_results_are_only_ever_appended(tmp_path: Path) -> None:
    """A second experiment leaves every byte of the first; each brings its environment and its rows."""
    file = tmp_path / "2.3-startup.jsonl"
    experiment(START, one, over={}, repeats=2)
    first = file.read_bytes()
    experiment(START, one, over={}, repeats=2)
    kinds = [json.loads(line)["kind"] for line in file.read_text().splitlines()]

    assert file.read_bytes().startswith(first)
    assert kinds == ["environment", "row", "row"] * 2


@pytest.mark.parametrize("failure", [EngineError("the engine went away"), KeyboardInterrupt(), ZeroDivisionError()])
def test_a_failure_comes_through_and_loses_nothing(failure: BaseException) -> None:
    """What was measured before the failure is in the results; the failure is the caller's to see."""
    calls: list[str] = []

    def measure(image: str) -> float:
        calls.append(image)
        if len(calls) == 4:
            raise failure
        return 1.0

    with pytest.raises(type(failure)) as caught:
        experiment(START, measure, over={"image": IMAGES}, repeats=2)

    assert caught.value is failure
    assert list(load("2.3-startup")["image"]) == calls[:3]


def test_a_torn_line_is_left_out_with_a_note(tmp_path: Path) -> None:
    """A writer that was killed in mid-line costs that line and nothing else, also once others wrote after it."""
    file = tmp_path / "2.3-startup.jsonl"
    experiment(START, one, over={"image": ["a"]}, repeats=2)
    file.write_bytes(file.read_bytes()[:-30])

    with pytest.warns(UserWarning, match=r"2.3-startup.jsonl:3 was cut off"):
        assert len(load("2.3-startup")) == 1

    experiment(START, lambda **_: 2.0, over={"image": ["b"]}, repeats=1, extra={"disk": "new"})
    with pytest.warns(UserWarning, match=r":3 was cut off"):
        assert list(load("2.3-startup")["value"]) == [1.0, 2.0]
    with pytest.warns(UserWarning, match=r":3 was cut off"):
        assert len(environments("2.3-startup")) == 2


def test_a_character_torn_in_half_is_left_out_too(tmp_path: Path) -> None:
    """Bytes that are no text are a torn line, not an error."""
    (tmp_path / "2.3-startup.jsonl").write_bytes(b'{"kind": "row", "claim": "\xc3')

    with pytest.warns(UserWarning, match="was cut off"):
        assert load("2.3-startup").empty


@pytest.mark.parametrize(
    "garbage",
    [
        b"garbage",
        b"1",
        b"null",
        b'"row"',
        b"[]",
        b"{}",
        bytes(300),
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"kind": "row"}',
        b'{"kind": "environment", "stamp": "x"}',
        b'{"kind": "other"}',
        b'{"kind": ["row"]}',
        b"<<<<<<< HEAD",
    ],
    ids=lambda raw: str(raw[:20]),
)
def test_garbage_in_the_middle_costs_its_own_line_only(tmp_path: Path, garbage: bytes) -> None:
    """A line that the kit did not write is named by file and number, all others count, and the file stays as it is."""
    file = tmp_path / "2.3-startup.jsonl"
    experiment(START, one, over={"image": ["a"]}, repeats=2)
    first, *others = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([first, garbage, b"", *others]) + b"\n")
    before = file.read_bytes()

    with pytest.warns(UserWarning, match=r"^2\.3-startup\.jsonl:2 .* left out$"):
        assert len(load("2.3-startup")) == 2
    with pytest.warns(UserWarning, match=r"2\.3-startup\.jsonl:2 "):
        assert len(environments("2.3-startup")) == 1
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("key", "value"), [("value", "1"), ("value", None), ("run", 1), ("repeat", "1"), ("image", ["a"])]
)
def test_a_row_with_a_wrong_value_is_left_out(tmp_path: Path, key: str, value: object) -> None:
    """A row whose value, repeat, run or treatment is none is named and left out."""
    file = tmp_path / "2.3-startup.jsonl"
    experiment(START, one, over={"image": ["a"]}, repeats=2)
    *others, last = file.read_text().splitlines()
    file.write_text("\n".join([*others, json.dumps(json.loads(last) | {key: value})]) + "\n")

    with pytest.warns(UserWarning, match=rf":3 has no {key} that can be used, and is left out"):
        assert len(load("2.3-startup")) == 1


def test_a_file_that_takes_no_rows_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    """A folder in the place of the results is wrong input, and no measurement is made in vain."""
    (tmp_path / "2.3-startup.jsonl").mkdir()

    with pytest.raises(InputError, match="cannot be used: is a directory"):
        experiment(START, lambda: pytest.fail("measured"), over={}, repeats=1)
    with pytest.raises(InputError, match="cannot be used: is a directory"):
        load("2.3-startup")


def test_a_disk_that_gets_full_while_rows_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that takes a part of the block is given the rest; when it refuses that, the file is named."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, block: write(fd, block[:100]))
    experiment(START, one, over={"image": ["a"]}, repeats=2)
    written = len(load("2.3-startup"))

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(KitError, match=r"2\.3-startup\.jsonl cannot be used: no space left on device"):
        experiment(START, one, over={"image": ["b"]}, repeats=1)

    assert written == 2


def test_the_environment_is_kept_with_its_stamp() -> None:
    """The stamp of a row leads to the environment it was measured in, with what the caller added."""
    bases = {"alpine": {"reference": "kit.local/alpine", "stands_for": "alpine:3"}}
    runs = experiment(START, one, over={}, repeats=1, extra={"bases": bases})
    env = environments("2.3-startup")[runs["stamp"].iloc[0]]

    assert env["bases"] == bases
    assert env["engine"] == {"version": "29"}
    assert {"os", "kernel", "arch", "cores", "memory_gib", "python"} <= env.keys()


def test_the_stamp_is_of_the_environment() -> None:
    """The same environment has the same id in whatever order; another one has another."""
    one = stamp.stamp_id({"a": 1, "b": {"c": 2, "d": 3}})

    assert one == stamp.stamp_id({"b": {"d": 3, "c": 2}, "a": 1})
    assert one != stamp.stamp_id({"a": 1, "b": {"c": 2, "d": 4}})
    assert (len(one), int(one, 16) >= 0) == (12, True)


def test_two_environments_of_one_machine_are_equal() -> None:
    """Nothing in the environment changes by itself."""
    assert stamp.environment() == stamp.environment()


def test_a_part_that_fails_is_absent() -> None:
    """An engine that does not answer leaves no key, and no guess."""

    def fails() -> dict[str, Any]:
        raise KitError("no engine")

    assert stamp._said(fails) == {}
    assert stamp._said(lambda: {"version": "29"}) == {"version": "29"}


def test_the_run_id_is_one_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """KIT_RUN when set, else the same fresh id for the whole process."""
    assert stamp.run_id() == "run-1"
    monkeypatch.delenv("KIT_RUN")
    assert stamp.run_id() == stamp.run_id() != "run-1"


def test_outside_a_kernel_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A plain process measures in silence."""
    experiment(START, one, over={}, repeats=1)

    assert capsys.readouterr() == ("", "")


def test_in_a_kernel_one_line_tells_the_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is updated in place, says what is measured and how many of how many, and ends with what was measured."""
    said = shown(monkeypatch)
    experiment(START, one, over={"image": ["a", "b"]}, repeats=2, seed=1)

    assert said[0] == "measuring ..."
    assert re.match(r"2 of 4 done · round 2 of 2: image=[ab] · 0 s of about 0 s", said[5])
    assert said[-1].startswith("4 of 4 measurements, 4 values, in ")


def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As in a kernel: what the line of progress said, in order."""
    said: list[str] = []

    class Handle:
        @classmethod
        def make(cls, text: str) -> Handle:
            said.append(text)
            return cls()

        def update(self, bundle: dict[str, str], raw: bool) -> None:
            said.append(bundle["text/plain"])
            assert raw

    monkeypatch.setattr(progress, "display_handle", Handle.make)
    return said


def test_a_batch_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens now, which trials run, how many have ended; a stage whose end is known says so."""
    said = shown(monkeypatch)

    def measure(trials: list[dict[str, Any]]) -> list[float]:
        progress.stage("starting the pods", seconds=90)
        with progress.trial("a, first"), progress.trial("b, second"):
            pass
        progress.done()
        return [1.0] * len(trials)

    experiment(START, measure, over={"image": ["a", "b", "c"]}, repeats=1, batch=True)
    texts = [re.sub(r" of about .*", "", text) for text in said]

    assert texts[1] == "0 of 3 done · 3 trials together · 0 s"
    assert "0 of 3 done · starting the pods · 0 s of at most 90 s" in texts
    assert "0 of 3 done · now: a, first; b, second · 0 s" in texts
    assert "1 of 3 done · now: a, first · 0 s" in texts
    assert texts[-2].startswith("3 of 3 done") and texts[-1].startswith("3 of 3 measurements, 3 values")


def test_a_batch_of_which_a_trial_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial is not counted, the error passes, and the next experiment has a line of its own."""
    said = shown(monkeypatch)

    def measure(_: list[dict[str, Any]]) -> list[float]:
        with progress.trial("a"):
            raise EngineError("gone")

    with pytest.raises(EngineError):
        experiment(START, measure, over={"image": ["a", "b"]}, repeats=1, batch=True)
    progress.stage("of no experiment")

    assert said[-1].startswith("0 of 2 measurements, 0 values, in ")


def test_threads_of_a_batch_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that run in threads of their own are all counted, and of many that run at once three are named."""
    said = shown(monkeypatch)
    together = threading.Barrier(5)

    def one_of_five(image: str) -> float:
        with progress.trial(image):
            together.wait(10)
        return 1.0

    def measure(trials: list[dict[str, Any]]) -> list[float]:
        with ThreadPoolExecutor(5) as pool:
            return list(pool.map(one_of_five, [trial["image"] for trial in trials]))

    experiment(START, measure, over={"image": IMAGES}, repeats=1, batch=True)

    assert any(re.match(r"0 of 5 done · now: \w; \w; \w and 2 more · ", text) for text in said)
    assert said[-1].startswith("5 of 5 measurements")


def test_the_seconds_go_on_while_nothing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A measurement that says nothing still has a clock."""
    said = shown(monkeypatch)
    monkeypatch.setattr(progress, "PERIOD", 0.01)

    def measure(_: list[dict[str, Any]]) -> list[float]:
        before = len(said)
        deadline = time.monotonic() + 10
        while len(said) < before + 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        return [1.0]

    experiment(START, measure, over={"image": ["a"]}, repeats=1, batch=True)

    assert said.count("0 of 1 done · round 1 of 1: image=a · 0 s") >= 3
