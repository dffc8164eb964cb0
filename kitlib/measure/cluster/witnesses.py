"""Records of independent witnesses: the API server's audit log, etcd's watch and containerd's journal, all by the clock of one node.

None of them is read for contents.  The audit log has metadata only; of etcd's values nothing leaves the node but keys and revisions.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from kitlib.cluster.bound import Cluster
from kitlib.engine import commands
from kitlib.errors import ClusterError

AUDIT = "/var/log/kubernetes/audit*.log"
PKI = "/etc/kubernetes/pki"
Entry = tuple[float, str]  # of a journal: seconds since 1970, message
SECONDS = 120  # seconds after which a watch of etcd ends by itself, even if its client is gone


@dataclass(frozen=True)
class Write:
    """One request that changed something, as the API server logged it.  received, answered: seconds since 1970, to the microsecond.

    name is empty where the server made the name up (a ReplicaSet's pods).
    """

    verb: str
    resource: str
    name: str
    user: str
    received: float
    answered: float


@dataclass(frozen=True)
class Revision:
    """A key's new value, as etcd told a watcher: `revision` is etcd's counter, which the API shows as resourceVersion."""

    key: str
    revision: int
    at: float


def audited(cluster: Cluster, namespace: str) -> list[Write]:
    """Successful writes to workloads in a namespace, oldest first.  Raises ClusterError when the cluster keeps no audit log."""
    wanted = f'"namespace":"{namespace}"'
    script = f"ls {AUDIT} >/dev/null && tail -qn 5000 {AUDIT} | grep -F '{wanted}' || true"
    lines = cluster.on_node("sh", "-c", script).splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    if not events:
        raise ClusterError(
            f"the API server's audit log has nothing about {namespace}",
            hint="a cluster from an older version of the kit has none: ./kit down, then ./kit up",
        )
    return sorted((_write(e) for e in events if e["responseStatus"]["code"] < 300), key=lambda w: w.received)


def _write(event: dict[str, Any]) -> Write:
    about = event["objectRef"]
    resource = "/".join(filter(None, (about["resource"], about.get("subresource"))))
    received, answered = (
        datetime.fromisoformat(event[f"{which}Timestamp"]).timestamp() for which in ("requestReceived", "stage")
    )
    return Write(event["verb"], resource, about.get("name", ""), event["user"]["username"], received, answered)


def journal(cluster: Cluster, unit: str, since: float) -> list[Entry]:
    """The journal of one of the node's services."""
    fields = "--output-fields=MESSAGE"
    text = cluster.on_node("journalctl", "-u", unit, "-o", "json", fields, "--since", f"@{int(since)}")
    entries = (json.loads(line) for line in text.splitlines() if line.startswith("{"))
    return [(int(e["__REALTIME_TIMESTAMP"]) / 1e6, str(e["MESSAGE"])) for e in entries]


class EtcdWatch:
    """etcd's own watch on some prefixes, read from a stream."""

    def __init__(self, lines: Iterator[dict[str, Any]]) -> None:
        self._lines = lines
        self.seen: list[Revision] = []

    def up_to(self, revision: int) -> list[Revision]:
        """Everything seen so far, once this revision is among it; or all there will be, when the watch ended before."""
        while not any(r.revision >= revision for r in self.seen):
            line = next(self._lines, None)
            if line is None:
                break
            self.seen += [Revision(e["key"], int(e["revision"]), line["at"]) for e in line["events"]]
        return self.seen


@contextmanager
def etcd(cluster: Cluster, prefixes: Sequence[str]) -> Iterator[EtcdWatch]:
    """Watch what etcd stores below these prefixes while the block runs; entered once etcd says that all of them are watched."""
    lines = commands.lines(cluster.engine, cluster.node, ["sh", "-c", _script(prefixes)])
    group = int(next(lines, "0"))
    parsed = (json.loads(line) for line in lines)
    try:
        if not _watched(parsed, len(prefixes)):
            raise ClusterError("etcd refused the watch", hint="./kit status")
        yield EtcdWatch(parsed)
    finally:
        cluster.on_node("kill", "--", f"-{group}", check=False)  # it may have ended by itself


def _watched(lines: Iterator[dict[str, Any]], wanted: int) -> bool:
    """Read until etcd has confirmed so many watches; one of them may have news before the last is confirmed."""
    created = (line for line in lines if line["created"])
    return sum(1 for _ in islice(created, wanted)) == wanted


def _script(prefixes: Sequence[str]) -> str:
    """curl to etcd's JSON gateway, which takes one request per prefix; jq stamps each answer as it comes, and drops the values."""
    requests = "".join(json.dumps({"create_request": _range(prefix)}) for prefix in prefixes)
    event = "{key: (.kv.key | @base64d), revision: .kv.mod_revision}"
    stamp = f"{{at: now, created: (.result.created // false), events: [.result.events[]? | {event}]}}"
    certificates = (
        f"--cacert {PKI}/etcd/ca.crt --cert {PKI}/apiserver-etcd-client.crt --key {PKI}/apiserver-etcd-client.key"
    )
    curl = f"curl -sN -m {SECONDS} {certificates} https://127.0.0.1:2379/v3/watch -d '{requests}'"
    return f"echo $$; {curl} | jq --unbuffered -c '{stamp}'"


def _range(prefix: str) -> dict[str, str]:
    """etcd's range for a prefix ends at the prefix with its last byte one higher."""
    key = prefix.encode()
    end = key[:-1] + bytes([key[-1] + 1])
    return {"key": base64.b64encode(key).decode(), "range_end": base64.b64encode(end).decode()}
