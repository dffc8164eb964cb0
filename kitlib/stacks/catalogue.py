"""The stacks that can be installed by name, from the command line: which are installed, what they take, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kitlib.cluster.bound import Cluster
from kitlib.errors import UsageError, meant
from kitlib.host.stats import quantity
from kitlib.stacks import base, grafana, kibana, logs, metrics, traces


@dataclass(frozen=True)
class Entry:
    """parts: the stacks that it is made of, in the order in which they are shown."""

    parts: Sequence[base.Stack]
    install: Callable[[Cluster], Any]
    remove: Callable[[Cluster], None]
    find: Callable[[Cluster], Any] = lambda _: None


CATALOGUE = {
    "logs": Entry((logs.STORE, logs.SHIPPER), logs.install, logs.remove, logs.find),
    "metrics": Entry(metrics.STACKS, metrics.install, metrics.remove, metrics.find),
    "traces": Entry((traces.MEMORY,), traces.install, traces.remove, traces.find),
    "kibana": Entry((kibana.STACK,), kibana.install, kibana.remove),
    "grafana": Entry((grafana.STACK,), grafana.install, grafana.remove),
}


def named(names: Iterable[str]) -> dict[str, Entry]:
    """The entries of these names; all of them when none is given.  Raises UsageError with the list of all names."""
    wanted = list(names) or list(CATALOGUE)
    if unknown := [name for name in wanted if name not in CATALOGUE]:
        raise UsageError(f"no stack is called {unknown[0]}", hint=meant(unknown[0], CATALOGUE))
    return {name: CATALOGUE[name] for name in wanted}


def describe(cluster: Cluster, name: str) -> list[str]:
    """Whether it is installed, what it takes, and what is wrong with it, one line each."""
    entry = CATALOGUE[name]
    there = [part for part in entry.parts if base.find(cluster, part)]
    if not there:
        return [f"{name:8} not there"]
    takes = [base.footprint(cluster, part)[["request_mib", "limit_mib"]].sum() for part in there]
    asked, most = (quantity(sum(part[column] for part in takes), "MiB") for column in ("request_mib", "limit_mib"))
    client = entry.find(cluster)
    troubles = client.troubles() if client else []
    return [f"{name:8} memory {asked}, at most {most}", *(f"{'':8} ✗ {line}" for line in troubles)]
