"""Ways of sending spans: does the program still build, does what it sends arrive, and does it learn of it when not?"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.errors import BuildFailed
from kitlib.host import proc, tools
from kitlib.kube import wait
from kitlib.measure.signals import lines
from kitlib.stacks import traces as stack
from kitlib.telemetry import polling
from kitlib.telemetry.traces import Traces

MODULE = tools.MODULES / "exporters"
UNITS = {"builds": "0/1", "told": "0/1"}
PATIENCE = 3.0  # seconds after which spans that have not arrived count as lost
OLD_PROTOCOL = """\
receivers: {jaeger: {protocols: {thrift_http: {endpoint: "0.0.0.0:14268"}}}}
service: {pipelines: {traces: {receivers: [otlp, jaeger]}}}
"""


@dataclass(frozen=True)
class Way:
    """way, source: as cluster/modules/exporters has them.  jaeger: what is laid over Jaeger's configuration meanwhile."""

    way: str
    source: str
    jaeger: str = "{}"


WAYS: Mapping[str, Way] = {
    "the guide's exporter": Way("jaeger-collector", "jaeger.go"),
    "the same, old receiver on": Way("jaeger-collector", "jaeger.go", OLD_PROTOCOL),
    "to an agent's port": Way("jaeger-agent", "jaeger.go"),
    "OTLP": Way("otlp", "otlp.go"),
}


@takes(UNITS, way=WAYS)
def trials(
    traces: Traces, namespace: Namespace, image: str, trials: Sequence[Mapping[str, str]], count: int = 10
) -> list[dict[str, float]]:
    """One value per trial, which is {"way": one of WAYS}; ways with the same configuration of Jaeger run side by side.

    builds: the program compiles, with the SDK that goapp has.  arrived: % of its spans.  told: it learned of a failure.
    """
    found: dict[int, dict[str, float]] = {}
    for overlay in dict.fromkeys(way.jaeger for way in WAYS.values()):
        alike = [(n, WAYS[trial["way"]]) for n, trial in enumerate(trials) if WAYS[trial["way"]].jaeger == overlay]
        with _jaeger(traces, overlay), ThreadPoolExecutor(max(len(alike), 1)) as pool:
            values = pool.map(lambda it: _values(traces, namespace, image, it[1], count), alike)
            found |= {n: value for (n, _), value in zip(alike, values, strict=True)}
    return [found[n] for n in range(len(trials))]


def _values(traces: Traces, namespace: Namespace, image: str, way: Way, count: int) -> dict[str, float]:
    service = f"sender-{secrets.token_hex(3)}"
    told = send(traces, namespace, image, way.way, service, count)["error"] != ""
    found = arrived(traces, service, count)
    return {"builds": float(builds(way.source)), "arrived": 100 * found / count, "told": float(told)}


@cache
def builds(source: str) -> bool:
    """Whether the sender compiles with that file as its only way; its module has one SDK for all of them.  Tried once per process."""
    with TemporaryDirectory() as tmp:
        out = f"{tmp}/sender"
        try:
            proc.run(
                [tools.go(), "build", "-o", out, "main.go", source],
                cwd=MODULE,
                env={**tools.go_env(), "CGO_ENABLED": "0"},
                error=BuildFailed,
            )
        except BuildFailed:
            return False
    return True


def versions() -> pd.DataFrame:
    """The sender's modules: module, version, deprecated (the authors' notice, "" when it is not)."""
    required = json.loads(proc.run([tools.go(), "mod", "edit", "-json"], cwd=MODULE, env=tools.go_env()))["Require"]
    rows = [
        (r["Path"].removeprefix("go.opentelemetry.io/"), r["Version"], _deprecated(r["Path"], r["Version"]))
        for r in required
        if not r.get("Indirect")
    ]
    return pd.DataFrame(rows, columns=["module", "version", "deprecated"])


def send(traces: Traces, namespace: Namespace, image: str, way: str, service: str, count: int) -> dict[str, Any]:
    """Let the sender run once, in a pod; returns its report: sent, error ("" when it knows of none)."""
    kube = namespace.cluster.kube
    host = "collector.kit-traces" if way == "otlp" else _address(traces)
    command = ["/exporters", "-way", way, "-host", host, "-service", service, "-count", str(count)]
    namespace.apply(lines.pod(service, image, command))
    wait.until(kube, "Pod", service, namespace.name, done=wait.phase("Succeeded"), what="done")
    report: dict[str, Any] = json.loads(kube.logs(service, namespace.name).splitlines()[-1])
    return report


def arrived(traces: Traces, service: str, count: int) -> int:
    """How many traces of the service Jaeger has, once all are there or none has come for a while."""
    seen = polling.settled(lambda: len(traces.search(service, limit=2 * count)), enough=count, patience=PATIENCE)
    return int(seen)


@contextmanager
def _jaeger(traces: Traces, overlay: str) -> Iterator[None]:
    """Jaeger with another configuration, while the block runs."""
    if overlay == "{}":
        yield
        return
    cluster = traces.namespace.cluster
    stack.overlay(cluster, overlay, of="jaeger")
    try:
        yield
    finally:
        stack.overlay(cluster, "{}", of="jaeger")


def _address(traces: Traces) -> str:
    """Of Jaeger's pod: its Service has no port for its old protocol."""
    pod = traces.namespace.cluster.kube.get("Pod", "jaeger-0", traces.namespace.name)
    return str((pod or {})["status"]["podIP"])


def _deprecated(path: str, version: str) -> str:
    """The first line of what its go.mod says, which is fetched when it is not in the module cache."""
    env = tools.go_env()
    told = json.loads(proc.run([tools.go(), "mod", "download", "-json", f"{path}@{version}"], cwd=MODULE, env=env))
    said = json.loads(proc.run([tools.go(), "mod", "edit", "-json", told["GoMod"]], env=env))["Module"]
    return str(said.get("Deprecated", "")).partition("\n")[0]
