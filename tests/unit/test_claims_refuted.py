"""Every rule can say no: for each claim, rows that refute the very sentence that it says, and the word that they lead to.

`refuted`, or `depends` where all that decides is a threshold of the kit's own, which never refutes the guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kitlib.claims.register import Claim, claim, register
from kitlib.claims.rules.base import OWN_REASON
from kitlib.claims.verdict import Verdict

Group = tuple[Mapping[str, Any], Mapping[str, float | Sequence[float]]]  # treatment, metric -> one value or some


def each(column: str, levels: Sequence[Any], **metrics: float | Sequence[float]) -> list[Group]:
    """The same values at each level."""
    return [({column: level}, metrics) for level in levels]


def frame(claim_id: str, groups: Sequence[Group]) -> pd.DataFrame:
    same = {"unit": "u", "started_at": "", "profile": "full", "run": "r", "stamp": "s"}
    return pd.DataFrame(
        {"claim": claim_id, "metric": metric, **treatment, "repeat": repeat, "value": float(value), **same}
        for treatment, metrics in groups
        for metric, values in metrics.items()
        for repeat, value in enumerate([values] * 3 if isinstance(values, int | float) else values, 1)
    )


@pytest.fixture(autouse=True)
def _results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_RESULTS", str(tmp_path))


ON, OFF = [1.0, 1.01, 0.99], [20.0, 20.1, 19.9]
CRUD = ("RUN", "COPY", "ENV")
PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet")

REFUTED: Mapping[str, list[Group]] = {
    "1-defer": each("leave_by", ["return", "panic"], ran=0, leaked=3),
    "1-channel": [
        ({"way": way, "goroutines": 8, "work_us": 10}, {"rate": rate}) for way, rate in (("channel", 1), ("mutex", 10))
    ],
    "1-goroutine": [({"started": "1000 threads"}, {"memory": 30, "ns": 9}), ({"started": "10000 goroutines"}, {"memory": 30, "ns": 9})],
    "1-toolchain": each("tool", ["vet", "fmt"], shown=0),
    "2.1-start": [({"start": "container"}, {"seconds": OFF}), ({"start": "virtual machine"}, {"seconds": ON})],
    "2.1-layers": each("instruction", CRUD, layers=0, unmounted=2),
    "2.1-cache": [({"change": "nothing"}, {"seconds": 9}), ({"change": "cold"}, {"seconds": 10})],
    "2.2-size": [
        ({"dockerfile": "single-stage"}, {"size": 800, "compressed": 80}),
        ({"dockerfile": "guide-2.2"}, {"size": 300, "compressed": 70}),
    ],
    "2.2-static": each("cgo", ["off"], interpreter=1, libraries=3, scratch=0, alpine=0, distroless=0),
    "2.2-modcache": each("compiler", ["finds its cache", "starts anew"], share=99),
    # the other user is let in and runs, and can do all that root can
    "2.2-nonroot": [
        ({"user": "root"}, {"admitted": 1}),
        ({"user": "non-root"}, {"admitted": 1, "runs": 1, "writes": 1, "replaces": 1, "reads": 1}),
    ],
    "2.2-ignore": each("dockerignore", ["with"], image=1, cached=1, final=1),
    "2.2-tags": [({"named": "latest"}, {"versions": 1}), ({"named": "exact tag"}, {"versions": 2}), ({"named": "digest"}, {"versions": 1})],
    "2.3-numbers": [
        ({"image": image}, {"size": size}) for image, size in (("single-stage", 2e9), ("guide-2.3", 90e6), ("base", 70e6))
    ],
    "2.3-dynamic": each("dockerfile", ["guide-2.3"], starts=0),
    "2.3-surface": [
        ({"image": "small"}, {"size": 1, "executables": 9, "setuid": 9, "packages": 9, "shells": 9, "components": 9}),
        ({"image": "large"}, {"size": 2, "executables": 1, "setuid": 1, "packages": 1, "shells": 1, "components": 1}),
    ],
    "2.3-base": each("base", ["scratch"], found=0, runs=0, roots=0, zone=0, user=0, temp=0),
    "2.3-sbom": each("image", ["alpine", "scratch"], listed=0),
    "2.3-startup": [
        ({"image": "small"}, {"compressed_mb": 4, "ready_seconds": OFF}),
        ({"image": "large"}, {"compressed_mb": 300, "ready_seconds": ON}),
    ],
    "2.4-debug": each("image", ["guide"], works=0),
    "2.4-seccomp": [({"privilege": "least", "start": start}, {"works": 1}) for start in ("exec", "attach")],
    "2.4-cost": [({"program": "with a logpoint"}, {"latency": OFF}), ({"program": "optimised"}, {"latency": ON})],
    "2.5-push": [({"push": "first"}, {"sent": 100}), ({"push": "unchanged"}, {"sent": 100})],
    # the password that is kept is not used, and a reader of the file has it
    "2.5-login": [
        *each("login", ["config.json", "credential helper"], used=0, readable=1),
        *each("login", ["valid token"], used=0),
        *each("login", ["expired token", "wrong password", "untrusted TLS"], used=0),
    ],
    "2.5-pipeline": each("written_as", ["script", "Jenkinsfile"], works=0),
    "3.1-flow": each("manifest", ["Pod", "Deployment"], missing=2, unexplained=60, total=900),
    # what runs goes down with each part, and each decision is taken without the part that takes it
    "3.1-outage": [
        ({"without": "nothing"}, {"serve": 1}),
        *each("without", PARTS, serve=0, schedule=1, replace=1, write=1, read=1, start=1),
    ],
    # they come back every time, and in between there were two
    "3.2-replicas": each("event", ["delete a pod", "crash a container"], always=0, returned=1, below_seconds=[1.9, 2.0, 2.1]),
    "3.2-rolling": each("setting", ["drain, one more", "abrupt, one less"], failed=40),
    "3.2-env": each("way", ["environment", "volume"], injected=0, reloaded=0, arrival_seconds=1),
    "3.3-stable": each("connections", ["new", "kept"], address_changed=1, p_value=1e-9, busiest=100),
    "3.3-ingress": [
        *each("rule", ["Ingress", "HTTPRoute"], routed=0, unknown_host=200, stripped=0),
        *each("rule", ["guide", "groups", "HTTPRoute, prefix"], stripped=0),
    ],
    "4.1-pipeline": [
        ({"configuration": "filter alone"}, {"arrived": 0}),
        ({"configuration": "all three"}, {"arrived": 50, "lost": 500, "doubled": 9, "wrong": 9}),
    ],
    "4.1-panic": each("way", ["deadlock", "nil map"], records=12, whole=0),
    "4.1-millis": [
        ({"search": search, "lines": lines}, {"took": 900})
        for search in ("words in an hour", "one trace", "histogram by level")
        for lines in (10_000, 1_000_000)
    ],
    "4.1-fresh": each("setting", ["the kit's", "refresh 200 ms"], p95=60, age=50),
    # without an event nothing is lost, and with each something is
    "4.1-loss": [
        ({"event": "nothing"}, {"lost": 0, "doubled": 0}),
        *each("event", ["shipper killed", "disk full"], lost=100, doubled=7),
    ],
    "4.2-target": each("configuration", ["the section's"], up=0, answered=0),
    "4.2-pull": each("interval", ["1 s", "2 s"], seen=OFF, predicted=1),
    "4.2-rate": [
        ({"load": load, "window": window}, {"has_value": 0, "off": 40})
        for load in ("steady", "with a restart")
        for window in ("2 s", "30 s")
    ],
    "4.2-quantile": [({"quantile": q, "delay": delay}, {"off": 80}) for q in ("p50", "p99") for delay in ("12 ms", "80 ms")],
    "4.2-alert": each("stage", ["noticed", "held"], off=30, seconds=60),
    # OTLP arrives, and nothing of the guide's exporter does, which no longer compiles
    "4.3-exporter": [
        ({"way": "OTLP"}, {"builds": 1, "arrived": 100}),
        *each("way", ["the guide's exporter", "to an agent's port"], builds=0, arrived=0),
    ],
    "4.3-chain": [
        ({"hop": "no proxy"}, {"traces": 3, "services": 1, "logged": 0, "exemplar": 0}),
        ({"hop": "a proxy"}, {"traces": 2}),
    ],
    "4.3-sampling": each("sampler", ["0.01", "0.1"], inside=0, kept=50),
    "4.3-tail": each("decided", ["at the beginning", "at the end"], errors_kept=10),
    "4.4-readiness": each("probe", ["1 s, 3 failures", "2 s, 2 failures"], late_seconds=20),
    "4.4-harm": each("liveness", ["asks only itself", "asks the backend"], restarted=100),
    "4.4-liveness": each("probe", ["1 s", "5 s"], detection_seconds=OFF, predicted_seconds=5),
    # it restarts all the same
    "4.4-startup": [({"startup_probe": "with"}, {"restarts": 6, "ready": 0}), ({"startup_probe": "without"}, {"restarts": 6, "ready": 0})],
    "4.4-backoff": each("restart", ["2nd", "3rd"], delay_seconds=OFF, predicted_seconds=10),
    "4.5-detect": each("fault", ["errors", "leak"], delivered=0, detected=80),
    "4.5-trail": each("fault", ["errors", "leak"], found=0, lines=0),
}  # fmt: skip

# Nothing but a threshold that the kit chose stands against these.
MILDEST = {
    *("1-goroutine", "1-channel", "2.1-cache", "2.2-modcache", "2.3-sbom", "2.4-cost", "2.5-push"),
    *("4.1-millis", "4.1-fresh", "4.2-pull", "4.2-quantile", "4.2-alert", "4.3-tail"),
    *("4.4-readiness", "4.4-liveness", "4.4-backoff"),
}


def _judge(claim_id: str) -> Verdict:
    return claim(claim_id).verdict(frame(claim_id, REFUTED[claim_id]))


def test_each_claim_has_rows_that_refute_it() -> None:
    """A claim that is added brings its own."""
    assert REFUTED.keys() == {c.id for c in register()}


@pytest.mark.parametrize("claim_id", [c.id for c in register()])
def test_rows_against_the_sentence_lead_to_no(claim_id: str) -> None:
    """Refuted; or depends, with the reason that the threshold is the kit's own."""
    found = _judge(claim_id)

    assert found.verdict == ("depends" if claim_id in MILDEST else "refuted"), found.reading
    assert (found.reason == OWN_REASON) == (claim_id in MILDEST)


def _marks(it: Claim) -> list[bool]:
    """Of each threshold in a claim's rule, whether it is marked as the kit's own."""
    parts = [*it.rule.get("checks", ()), *it.rule.get("figures", ()), it.rule]
    return [bool(part.get("own")) for part in parts if not part.get("control")]


@pytest.mark.parametrize("claim_id", [c.id for c in register() if any(_marks(c))])
def test_a_threshold_of_the_kits_own_is_said_everywhere(claim_id: str) -> None:
    """In the rule's words before the measurement; in the details of card and report, and in results.json, after it."""
    found = _judge(claim_id)

    assert "the kit's own threshold" in claim(claim_id).rule_in_words
    assert any(remark.startswith("The kit's own threshold, which") for remark in found.remarks)
    assert found.as_dict()["own_thresholds"]


@pytest.mark.parametrize("claim_id", [c.id for c in register() if not any(_marks(c))])
def test_no_other_threshold_is_called_the_kits_own(claim_id: str) -> None:
    """What the guide says itself can be refuted, and the verdict does not excuse it."""
    assert not any("own threshold" in remark for remark in _judge(claim_id).remarks)
    assert "the kit's own" not in _judge(claim_id).reading
    assert claim_id not in MILDEST


@pytest.mark.parametrize(
    ("claim_id", "control", "metrics"),
    [
        ("2.2-nonroot", {"user": "non-root"}, {"runs": 0}),
        ("2.2-tags", {"named": "digest"}, {"versions": 2}),
        ("2.5-login", {"login": "wrong password"}, {"used": 1}),
        ("3.1-outage", {"without": "nothing"}, {"serve": 0}),
        ("4.1-loss", {"event": "nothing"}, {"lost": 9}),
        ("4.3-exporter", {"way": "OTLP"}, {"arrived": 0}),
        ("4.4-startup", {"startup_probe": "without"}, {"restarts": 0}),
    ],
)
def test_without_its_control_a_claim_is_neither_held_nor_refuted(
    claim_id: str, control: dict[str, str], metrics: dict[str, float]
) -> None:
    """The same rows refute the claim while the control is met, and decide nothing when it is not."""
    rows = frame(claim_id, REFUTED[claim_id])
    ((column, level),) = control.items()
    for metric, value in metrics.items():
        rows.loc[(rows[column] == level) & (rows["metric"] == metric), "value"] = value
    found = claim(claim_id).verdict(rows)

    assert found.verdict == "depends"
    assert found.reason.startswith("the control failed")


def test_three_that_return_are_not_three_at_all_times() -> None:
    """3.2-replicas: what comes back every time was not always there; what was always there is."""
    there = each("event", ["delete a pod", "crash a container"], always=1, returned=1, below_seconds=0)

    assert _judge("3.2-replicas").verdict == "refuted"
    assert claim("3.2-replicas").verdict(frame("3.2-replicas", there)).verdict == "holds"


@pytest.mark.parametrize(("new", "kept", "word"), [(0.5, 0.5, "holds"), (0.5, 1e-9, "depends"), (1e-9, 0.5, "depends")])
def test_balance_is_asked_of_both_kinds_of_connections(new: float, kept: float, word: str) -> None:
    """3.3-stable: kept connections that are balanced too are no reason against the claim."""
    rows = [
        ({"connections": kind}, {"address_changed": 0, "p_value": p, "busiest": 33})
        for kind, p in (("new", new), ("kept", kept))
    ]

    assert claim("3.3-stable").verdict(frame("3.3-stable", rows)).verdict == word


def test_what_was_run_in_place_is_said() -> None:
    """4.1-pipeline: the claim and the details of its verdict say that no configuration of Fluent Bit's was run."""
    said = "Filebeat for Fluent Bit"

    assert said in repr(claim("4.1-pipeline"))
    assert any(said in r and "that filter itself was not run" in r for r in _judge("4.1-pipeline").remarks)
