"""A pod's life is put together from records of witnesses, and what they leave out shows."""

import base64
from typing import Any

import pandas as pd
import pytest

from kitlib.measure.cluster import abilities, chain, flow, outage, witnesses
from kitlib.measure.cluster.chain import CHAINS, Stamp, stamps
from kitlib.measure.cluster.flow import Life
from kitlib.measure.cluster.witnesses import Revision, Write

POD: dict[str, Any] = {
    "metadata": {"name": "web-5d-x7", "uid": "u1", "resourceVersion": "9"},
    "status": {"containerStatuses": [{"containerID": "containerd://c1"}]},
}
REVISIONS = [
    Revision("/registry/deployments/ns/web", 1, 1.001),
    Revision("/registry/replicasets/ns/web-5d", 2, 1.010),
    Revision("/registry/deployments/ns/web", 3, 1.012),
    Revision("/registry/pods/ns/web-5d-x7", 4, 1.020),
    Revision("/registry/pods/ns/web-5d-x7", 5, 1.030),
    Revision("/registry/pods/ns/web-5d-x7", 9, 2.500),
]
WRITES = [
    Write("patch", "deployments", "web", "admin", 1.000, 1.002),
    Write("create", "replicasets", "web-5d", "controller", 1.005, 1.011),
    Write("create", "pods", "", "controller", 1.015, 1.021),
    Write("create", "pods/binding", "web-5d-x7", "scheduler", 1.025, 1.028),
    Write("patch", "pods/status", "web-5d-x7", "node", 1.500, 1.510),
]
KUBELET = [(1.031, 'something podUID="u0"'), (1.040, 'Pod update podUID="u1"'), (1.050, 'again podUID="u1"')]
CONTAINERD = [
    (1.100, 'RunPodSandbox for uid:"u1"'),
    (1.600, 'RunPodSandbox for uid:"u1" returns sandbox id "s1"'),
    (1.700, 'StartContainer for "c1"'),
    (1.900, 'StartContainer for "c1" returns successfully'),
]


def _stamps(**changed: Any) -> list[Stamp]:
    records: dict[str, Any] = {
        "revisions": REVISIONS,
        "writes": WRITES,
        "kubelet": KUBELET,
        "containerd": CONTAINERD,
    } | changed
    return stamps(
        POD,
        "web",
        "Deployment",
        records["revisions"],
        records["writes"],
        kubelet=records["kubelet"],
        containerd=records["containerd"],
    )


def test_every_moment_is_found_in_the_order_of_the_chain() -> None:
    """Each moment comes from its witness: first values of an object from etcd, calls from containerd, the first line from the kubelet."""
    found = _stamps()

    assert [s.what for s in found] == list(CHAINS["Deployment"])
    assert [s.at for s in found] == [1.000, 1.001, 1.010, 1.020, 1.028, 1.040, 1.100, 1.600, 1.900, 2.500]


def test_a_slow_pipe_is_bounded_by_the_answer() -> None:
    """etcd cannot have stored something after the API server told the writer that it has."""
    late = [Revision(r.key, r.revision, r.at + 0.5) for r in REVISIONS]
    found = {s.what: s.at for s in _stamps(revisions=late)}

    assert (found["Deployment stored"], found["Pod stored"]) == (1.002, 1.021)


@pytest.mark.parametrize(
    ("silent", "missing"),
    [
        ({"kubelet": []}, "Pod seen"),
        ({"writes": WRITES[1:]}, "request received"),
        ({"containerd": CONTAINERD[:3]}, "container started"),
    ],
)
def test_what_nobody_saw_is_missing(silent: dict[str, Any], missing: str) -> None:
    """A witness that says nothing leaves a gap: it is counted, and not filled in."""
    found = _stamps(**silent)
    figures = Life("p", "Deployment", 1.5, tuple(found)).figures()

    assert missing not in [s.what for s in found]
    assert figures["missing"] == 1


def test_what_the_steps_do_not_add_up_to_is_unexplained() -> None:
    """The sender's stopwatch and the sum of the steps are compared, in per cent of the former."""
    figures = Life("p", "Deployment", 2.0, tuple(_stamps())).figures()

    assert figures["total"] == 2000
    assert sum(v for k, v in figures.items() if k in chain.WORKERS.values()) == pytest.approx(1500)
    assert figures["unexplained"] == pytest.approx(25)
    assert figures.keys() - {"total"} == flow.UNITS.keys()


def test_an_audit_line_becomes_a_write() -> None:
    """Resource with subresource, user, and both stamps to the microsecond."""
    event = {
        "verb": "create",
        "user": {"username": "system:kube-scheduler"},
        "objectRef": {"resource": "pods", "subresource": "binding", "name": "p"},
        "requestReceivedTimestamp": "2026-01-01T00:00:00.000001Z",
        "stageTimestamp": "2026-01-01T00:00:00.500000Z",
    }
    write = witnesses._write(event)

    assert (write.resource, write.name, write.user) == ("pods/binding", "p", "system:kube-scheduler")
    assert write.answered - write.received == pytest.approx(0.499999, abs=1e-6)


def test_a_prefix_ends_before_its_neighbour() -> None:
    """The watch of a namespace's pods does not see those of one whose name begins alike."""
    found = witnesses._range("/registry/pods/kit-a/")
    end = base64.b64decode(found["range_end"]).decode()

    assert "/registry/pods/kit-a/x" < end <= "/registry/pods/kit-ab/x"


def test_the_steps_shares_add_up() -> None:
    """The shares of a manifest's steps are of their sum; a step that it does not have stays empty."""
    rows = [("API server", "Pod", 10.0), ("scheduler", "Pod", 30.0), ("ReplicaSet controller", "Deployment", 5.0)]
    table = flow.shares(pd.DataFrame(rows, columns=["metric", "manifest", "value"]))

    assert table["Pod, %"].tolist() == [25.0, "–", 75.0]
    assert table["Deployment, ms"].tolist() == ["–", 5.0, "–"]


def test_a_mark_says_in_how_many_trials() -> None:
    """In every trial, in none, or in some: the last is neither."""
    rows = [(part, ability, 1.0) for part in outage.WITHOUT for ability in abilities.UNITS]
    rows += [("etcd", "read", 0.0), ("kubelet", "serve", 0.5)]
    marks = outage.table(pd.DataFrame(rows, columns=["without", "metric", "value"]))

    assert (marks.loc["nothing", "serve"], marks.loc["etcd", "read"], marks.loc["kubelet", "serve"]) == ("✓", "~", "~")


def test_all_of_etcds_watches_are_awaited_whatever_comes_between() -> None:
    """News of the first prefix come before the second is watched: nothing is missed, and what follows is left to be read."""
    created, news = {"created": True}, {"created": False}
    lines = iter([created, news, created, news])

    assert witnesses._watched(lines, 2)
    assert list(lines) == [news]
    assert not witnesses._watched(iter([created, news]), 2)
