"""Lines that are written while something fails: how many are lost, how many come twice?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.kube import wait
from kitlib.measure.signals import lines, shipping
from kitlib.measure.signals.lines import Writer
from kitlib.stacks import base
from kitlib.stacks.logs import SHIPPER, STORE
from kitlib.telemetry.logs import Logs

RATE = 200.0  # lines per second
BEFORE = 1.0  # seconds of writing before the event
FULL = 3.0  # seconds for which nothing can be stored
UNITS = {"doubled": "lines", "wrong": "lines"}
Event = Callable[[Logs, Writer], None]


@takes(UNITS, event=lambda: ALL)
def trial(logs: Logs, namespace: Namespace, image: str, event: str, count: int) -> dict[str, float]:
    """How many of `count` lines, written by a pod during the event, were lost, doubled or wrong."""
    if event == UNREAD:
        return _unread(logs, namespace, image, count)
    writer = lines.write(namespace, image, count, per_second=RATE)
    time.sleep(BEFORE)
    EVENTS[event](logs, writer)
    writer.finished()
    _recovered(logs)
    return lines.arrived(logs, writer)


def _nothing(_: Logs, __: Writer) -> None:
    """To compare."""


def _shipper_killed(logs: Logs, _: Writer) -> None:
    logs.namespace.cluster.on_node("pkill", "-KILL", "-x", "filebeat")


def _store_killed(logs: Logs, _: Writer) -> None:
    logs.namespace.cluster.on_node("pkill", "-KILL", "-x", "java")


def _kubelet_restarted(logs: Logs, _: Writer) -> None:
    logs.namespace.cluster.on_node("systemctl", "restart", "kubelet")


def _disk_full(logs: Logs, _: Writer) -> None:
    """The block that Elasticsearch itself puts on every index when its disk is full: nothing is stored until it is lifted."""
    logs.settings(blocks={"read_only_allow_delete": True})
    time.sleep(FULL)
    logs.settings(blocks={"read_only_allow_delete": None})


def _unread(logs: Logs, namespace: Namespace, image: str, count: int) -> dict[str, float]:
    """A pod that comes and goes while no shipper is there.

    Once a minute the kubelet deletes the logs of pods that are gone (pkg/kubelet/kuberuntime, evictPodLogsDirectories); to save that
    minute, this one is deleted on the node at once.
    """
    cluster = namespace.cluster
    with shipping.away(cluster):
        writer = lines.write(namespace, image, count)
        writer.finished()
        cluster.kube.delete(writer.ref)
        wait.until(cluster.kube, "Pod", writer.ref.name, namespace.name, done=wait.gone, what="gone")
        cluster.on_node("sh", "-c", f"rm -r /var/log/pods/{namespace.name}_{writer.ref.name}_*")
    return lines.arrived(logs, writer, patience=3)


def _recovered(logs: Logs) -> None:
    """Store and shipper are both ready again."""
    kube = logs.namespace.cluster.kube
    for kind, name, stack in (("StatefulSet", "elasticsearch", STORE), ("DaemonSet", "filebeat", SHIPPER)):
        wait.until(kube, kind, name, stack.instance, done=base.READY[kind], what="ready", seconds=120)


UNREAD = "pod deleted unread"
EVENTS: Mapping[str, Event] = {
    "nothing": _nothing,
    "shipper killed": _shipper_killed,
    "Elasticsearch killed": _store_killed,
    "kubelet restarted": _kubelet_restarted,
    "disk full": _disk_full,
}
ALL: tuple[str, ...] = (*EVENTS, UNREAD)
