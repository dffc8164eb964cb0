import numpy as np
import pandas as pd
import pytest

from kitlib.errors import ClusterError
from kitlib.measure.selfhealing import detection, podlog, probes, removal, restarts
from kitlib.measure.selfhealing.probes import Case, Fault, Probe


@pytest.mark.parametrize(
    ("probe", "fault", "earliest", "mean"),
    [
        (Probe(30, 10, 5, 3), "error", 20, 25),
        (Probe(30, 10, 5, 3), "hang", 25, 30),
        (Probe(0, 2, 3, 3), "hang", 9, 10),  # each hanging probe holds up the next
        (Probe(0, 1, 1, 1), "error", 0, 0.5),
    ],
)
def test_detection_follows_the_formula(probe: Probe, fault: Fault, earliest: float, mean: float) -> None:
    """A fast failure takes (F-1) P and a hang (F-1) max(P, T) + T, after half a period on average."""
    assert (probe.earliest(fault), probe.mean(fault)) == (earliest, mean)
    assert probe.latest(fault) == earliest + probe.period


@pytest.mark.parametrize(
    ("probe", "failing"),
    [(Probe(period=1, timeout=1), 1), (Probe(period=1, timeout=2), 0), (Probe(period=10, timeout=1), 1)],
)
def test_a_pause_makes_so_many_probes_fail(probe: Probe, failing: int) -> None:
    """A probe fails when its timeout is over before the pause of two seconds is."""
    assert probe.failing(pause=2) == failing


def test_a_probe_survives_its_spec() -> None:
    """What goes into a manifest comes out of it; what is left out has Kubernetes' defaults."""
    guide = probes.GUIDE

    assert Probe.of(guide.spec()) == guide
    assert Probe.of({"httpGet": {"path": "/health"}}) == Probe()


def test_the_table_has_a_row_a_case() -> None:
    """Every case with its numbers and its three predictions, in order."""
    table = probes.table({"a": Case(Probe(period=2), "hang")})

    assert table.loc["a", ["period", "fault", "earliest", "mean", "latest"]].tolist() == [2, "hang", 5, 6, 7]


def test_phases_cover_the_period() -> None:
    """One moment in each n-th, in no order, the same for the same seed."""
    shares = probes.phases(8, seed=1)

    assert sorted(int(share * 8) for share in shares) == list(range(8))
    assert shares != sorted(shares)
    assert shares == probes.phases(8, seed=1)
    assert shares != probes.phases(8, seed=2)


def test_phases_are_uniform() -> None:
    """Over many seeds, the first of the moments is anywhere in the period."""
    first = [probes.phases(4, seed)[0] for seed in range(2000)]

    assert np.histogram(first, bins=10, range=(0, 1))[0].min() > 150


def test_every_trial_has_a_pod_of_its_own() -> None:
    """Trials of a level are numbered, whatever the order they come in, and get different moments."""
    levels = list(probes.CASES)
    plan = detection.plan([{"probe": level} for level in [levels[0], levels[1], levels[0]]])

    assert [trial.case for trial in plan] == [probes.CASES[levels[i]] for i in (0, 1, 0)]
    assert len({trial.name for trial in plan}) == 3
    assert plan[0].share != plan[2].share


FAULT = '{"time":"2026-01-01T00:00:01.5Z","msg":"fault injected"}\n'
END = '{"time":"2026-01-01T00:00:04.25Z","msg":"draining"}\n'


def test_times_are_read_from_the_log() -> None:
    """Detection is from the fault's line to the one of SIGTERM; lines that are not goapp's are left out."""
    log = podlog.entries(f"panic: no\n{FAULT}{END}")
    back = pd.Timestamp("2026-01-01T00:00:06.5Z").timestamp()
    found = podlog.values(log, Case(Probe(period=1)), back)

    assert found == {"detection_seconds": 2.75, "recovery_seconds": 5, "predicted_seconds": 2.5, "spoiled": 0}


@pytest.mark.parametrize("text", ["", FAULT, END])
def test_a_run_that_ended_otherwise_spoils_its_trial(text: str) -> None:
    """Without both lines there are no times, and the trial says so."""
    assert podlog.values(podlog.entries(text), Case(Probe()), back=0) == {"spoiled": 1}


def test_gaps_are_between_starts() -> None:
    """A diary of four starts has three gaps."""
    assert restarts.gaps("10.0\n11.5\n22\n42.25\n") == [1.5, 10.5, 20.25]


def test_a_diary_answers_for_each_restart() -> None:
    """The first restart waits for nothing, the second for ten seconds; one that is not in the diary has no value."""
    diary = [1.5, 12.5]

    assert restarts.delay("1st", diary) == {"at_once_seconds": 1.5}
    assert restarts.delay("2nd", diary) == {"delay_seconds": 12.5, "predicted_seconds": 10}
    assert restarts.delay("3rd", diary) == {}


def test_the_last_served_request_counts() -> None:
    """Only answers, only of this pod; late is what exceeds the longest detection."""
    fault = pd.Timestamp("2026-01-01T00:00:00Z")
    at = [fault + pd.Timedelta(seconds=s) for s in (-1, 2.0, 3.5, 4, 9)]
    results = pd.DataFrame({"time": at, "served_by": ["a", "a", "a", "b", "a"], "ok": [True, True, True, True, False]})
    found = removal.values(results, removal.Faulty("a", "1 s, 3 failures", fault))

    assert found == {"served_seconds": 3.5, "detection_seconds": 3, "late_seconds": 0.5}


def test_a_load_that_ends_too_soon_is_an_error() -> None:
    """Whether a pod would have gone on serving is not known when no request was sent to it."""
    fault = pd.Timestamp("2026-01-01T00:00:00Z")
    results = pd.DataFrame({"time": [fault + pd.Timedelta(seconds=2)], "served_by": ["a"], "ok": [True]})

    with pytest.raises(ClusterError, match="went on for 2"):
        removal.values(results, removal.Faulty("a", "1 s, 3 failures", fault))
