"""Looking on while a namespace changes, on the real API server; nothing outlives the block."""

import os
import threading
from collections.abc import Iterator

import pandas as pd
import psutil
import pytest

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ApiError, ClusterError
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.views import live
from kitlib.workloads import app

AT_ONCE = {"CATALOG_DRAIN_DELAY": "0s"}  # pods end at once


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace for the tests of this file, which are about looking on, not about what is there."""
    made = cluster.namespace("test-live", fresh=True)
    yield made
    made.undo()


def sockets() -> set[tuple[int, int]]:
    """This process' connections: ports on both sides."""
    tcp = psutil.Process(os.getpid()).net_connections(kind="tcp")
    return {(c.laddr.port, c.raddr.port) for c in tcp if c.raddr and c.status == psutil.CONN_ESTABLISHED}


def first(rows: pd.DataFrame, event: str) -> float:
    """When it was first so, in seconds."""
    return float(rows[rows["event"] == event]["at"].min())


@pytest.mark.timeout(300)
def test_a_rollout_is_seen_in_pods_endpoints_and_replica_sets(
    namespace: Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """One change of a template, in three views that agree on which pod came and which one went."""
    image = namespace.cluster.image("goapp-distroless")
    namespace.apply(*app.manifests("web", image, env=AT_ONCE))
    app.roll_out(namespace, "web")
    with (
        live.pods(namespace) as pods,
        live.endpoints(namespace, "web") as endpoints,
        live.rollout(namespace, "web") as rollout,
    ):
        namespace.apply(*app.manifests("web", image, env=AT_ONCE | {"CATALOG_MOTD": "new"}))
        app.roll_out(namespace, "web")
        pods.mark("rolled out")
        (new,) = app.pods(namespace, "web")
        wait.until(namespace.cluster.kube, "Pod", _old(pods, new), namespace.name, done=wait.gone, what="gone")
    name = new["metadata"]["name"]
    mine, theirs = pods.frame().query("pod == @name"), pods.frame().query("pod != @name")
    counts = rollout.counts()

    assert first(mine, "pending") < first(mine, "scheduled") < first(mine, "ready")
    assert list(theirs["event"])[:2] == ["ready", "terminating"]
    assert {name, *theirs["pod"]} == set(endpoints.frame()["pod"])
    assert "ready" in set(endpoints.frame().query("pod == @name")["event"])
    assert counts[["old", "new"]].iloc[[0, -1]].to_numpy().tolist() == [[0, 1], [0, 1]]
    assert {1, 2} <= set(rollout.frame()["revision"])

    shown = capsys.readouterr().out
    assert str(pods) in shown
    assert "rolled out" in shown


def _old(seen: live.Seen, new: Object) -> str:
    """The pod that was there before this one."""
    (name,) = {state.lane for state in seen.now()} - {new["metadata"]["name"]}
    return name


@pytest.mark.timeout(45, func_only=True)  # the server would end the stream after a minute
def test_nothing_outlives_a_block_in_which_nothing_happens(namespace: Namespace) -> None:
    """The watch's read would block for a minute: its thread and its connection end with the block all the same."""
    threads, before = set(threading.enumerate()), sockets()
    with live.pods(namespace, labels="app=none") as seen:
        during = sockets()
    after = sockets()

    assert after < during
    assert after <= before
    assert set(threading.enumerate()) == threads
    assert seen.frame().empty


@pytest.mark.timeout(45, func_only=True)  # the server would end the stream after a minute
def test_an_error_in_the_block_comes_through(namespace: Namespace, capsys: pytest.CaptureFixture[str]) -> None:
    """What the block raises is raised, and what was seen until then is shown."""
    threads = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError):
        _fail(namespace)

    assert "before the error" in capsys.readouterr().out
    assert set(threading.enumerate()) == threads


def _fail(namespace: Namespace) -> None:
    with live.pods(namespace) as seen:
        seen.mark("before the error")
        raise ZeroDivisionError


@pytest.mark.timeout(180)
def test_only_what_the_selector_names_is_seen(namespace: Namespace) -> None:
    """Pods of other instances are left out."""
    lone, other = (
        app.pod(name, namespace.cluster.image("goapp-distroless"), env=AT_ONCE) for name in ("lone", "other")
    )
    with live.pods(namespace, labels="app.kubernetes.io/instance=lone") as one, live.pods(namespace) as every:
        namespace.apply(other, lone)
        wait.until(namespace.cluster.kube, "Pod", "lone", namespace.name, done=wait.condition("Ready"), what="ready")

    assert set(one.frame()["pod"]) == {"lone"}
    assert set(every.frame()["pod"]) >= {"lone", "other"}


def test_what_does_not_exist_is_refused_at_the_door(namespace: Namespace) -> None:
    """A block that could see nothing does not begin."""
    with pytest.raises(ClusterError, match="no Deployment nothing"), live.rollout(namespace, "nothing"):
        pass
    with pytest.raises(ApiError) as caught, live.pods(namespace, labels="not a selector"):
        pass

    assert caught.value.status == 400
