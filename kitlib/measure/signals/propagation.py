"""One request through three services: is it one trace, and do logs and metrics lead to it?  With something between that forgets it."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.cluster import reach
from kitlib.cluster.bound import Namespace
from kitlib.kube import wait
from kitlib.kube.client import STRATEGIC
from kitlib.measure.signals import proxy
from kitlib.telemetry import polling
from kitlib.telemetry.traces import Traces
from kitlib.workloads import app

SPANS = 5  # served three times, called twice
TREATMENTS = ("traced", "faults", "quick-exit")
DIRECT, PASSES, DROPS = "no proxy", "a proxy", "a proxy that drops the header"
HOPS = (DIRECT, PASSES, DROPS)  # between gateway and catalog
UNITS = {"services": "count", "logged": "%", "exemplar": "0/1"}
OPENMETRICS = "application/openmetrics-text"
EXEMPLAR = re.compile(r'trace_id="(\w{32})"')


def start(namespace: Namespace, image: str) -> None:
    """Gateway, catalog and backend, traced, with one line per request in their logs; returns when they answer."""
    for name, place in reversed(app.CHAIN.items()):  # a service is started before its callers
        env = {"CATALOG_LOG_LEVEL": "DEBUG"}
        namespace.apply(*app.manifests(name, image, treatments=[place, *TREATMENTS], env=env))
        app.roll_out(namespace, name)
        reach.services(namespace, [name])
    _answering(namespace)


@takes(UNITS, hop=HOPS)
def trial(traces: Traces, namespace: Namespace, traefik: str, hop: str) -> dict[str, float]:
    """One request, with that between gateway and catalog.

    traces: how many it became.  services: in the trace that began at the gateway.  logged: % of the three services whose log has
    that trace's id.  exemplar: the gateway's metrics name it beside a bucket.
    """
    between(namespace, traefik, hop)
    since = asked(namespace)
    found = traces.newest("gateway", since, spans=2 if hop == DROPS else SPANS)
    backend = traces.newest("backend", since)
    trace_id = found["trace_id"].iloc[0]
    return {
        "traces": len({trace_id, backend["trace_id"].iloc[0]}),
        "services": found["service"].nunique(),
        "logged": 100 * sum(logged(namespace, trace_id).values()) / len(app.CHAIN),
        "exemplar": float(trace_id in exemplars(namespace, pod(namespace, "gateway"))),
    }


def asked(namespace: Namespace) -> pd.Timestamp:
    """Send a request to the gateway; returns the moment before it."""
    since = pd.Timestamp.now("UTC")
    app.ask(namespace, pod(namespace, "gateway"), "/items")
    return since


def logged(namespace: Namespace, trace_id: str) -> dict[str, bool]:
    """Whether the log of each service's pod, as the kubelet has it, has a line of this trace."""
    return {name: any(line.get("trace_id") == trace_id for line in log(namespace, name)) for name in app.CHAIN}


def log(namespace: Namespace, name: str, lines: int = 200) -> list[dict[str, Any]]:
    """The newest lines of a service's pod, each an object of JSON."""
    return written(namespace, pod(namespace, name), lines)


def written(namespace: Namespace, pod: str, lines: int = 200) -> list[dict[str, Any]]:
    """The newest lines of a pod that are objects of JSON, as the kubelet has them.  pod: its name."""
    text = namespace.cluster.kube.logs(pod, namespace.name, lines=lines)
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def exemplars(namespace: Namespace, name: str) -> list[str]:
    """Trace ids beside the buckets of a pod's metrics."""
    answer = app.ask(namespace, name, "/metrics", headers={"Accept": OPENMETRICS})
    return EXEMPLAR.findall(str(answer.body))


def pod(namespace: Namespace, name: str) -> str:
    """The one pod of a service."""
    (found,) = app.pods(namespace, name)
    return str(found["metadata"]["name"])


def between(namespace: Namespace, traefik: str, hop: str) -> None:
    """Put a proxy between gateway and catalog, or take it out; returns when the gateway goes that way."""
    if hop != DIRECT:
        namespace.apply(*proxy.manifests(traefik, drops=["traceparent"] if hop == DROPS else []))
        app.roll_out(namespace, proxy.NAME)
        reach.services(namespace, [proxy.NAME])
    to = "http://catalog" if hop == DIRECT else f"http://{proxy.NAME}"
    env = [{"name": "CATALOG_DOWNSTREAM", "value": to}]
    note = {"kit.local/hop": hop}  # another proxy at the same address: no connection to the one before may be kept
    spec = {"containers": [{"name": app.NAME, "env": env}]}
    change = {"spec": {"template": {"metadata": {"annotations": note}, "spec": spec}}}
    kube = namespace.cluster.kube
    kube.patch("Deployment", "gateway", namespace.name, change, content=STRATEGIC)
    app.roll_out(namespace, "gateway")
    for old in kube.list("Pod", namespace.name, labels="app.kubernetes.io/instance=gateway"):
        if "deletionTimestamp" in old["metadata"]:
            wait.until(kube, "Pod", old["metadata"]["name"], namespace.name, done=wait.gone, what="gone")
    _answering(namespace)


def _answering(namespace: Namespace) -> None:
    """Wait for the whole chain to answer: cluster DNS may also be behind."""
    polling.until(
        lambda: app.ask(namespace, pod(namespace, "gateway"), "/items").status,
        lambda status: status == 200,
        failure=lambda status: f"the gateway answers with {status}",
        seconds=30,
    )
