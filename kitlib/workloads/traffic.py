"""Open-loop load on a Service, from a pod inside the cluster, by vegeta.

Open loop: requests start at a fixed rate whatever the answers do, so that a slow service cannot slow its own measurement down
(coordinated omission; Schroeder, Wierman, Harchol-Balter: Open Versus Closed, NSDI 2006).
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kitlib.cluster.bound import Namespace
from kitlib.errors import ClusterError, UsageError
from kitlib.kube import wait
from kitlib.kube.client import Object, Ref

IMAGE = "vegeta"
STARTUP = 60  # seconds for the pod to start sending
LIMIT = 20_000  # requests: their lines stay below the size at which the kubelet rotates a log (10 MiB)
METRICS = 8880
COLUMNS = ("time", "at", "latency", "code", "ok", "error", "served_by", "version", "url")
SCRIPT = """\
mkfifo /hits/pipe
printf '%s\\n' "$TARGETS" | vegeta attack "$@" -output /hits/pipe & attack=$!
trap 'kill -INT $attack' TERM
vegeta encode -to csv /hits/pipe &
wait; wait
"""


@dataclass(frozen=True)
class Load:
    """One attack.  rate: requests per second; seconds: for how long at most."""

    namespace: Namespace
    ref: Ref
    rate: int
    seconds: int

    def stop(self) -> None:
        """End the attack now; requests already sent are answered and kept.  Uses an active deadline: deletion would lose the log."""
        kube = self.namespace.cluster.kube
        kube.patch("Pod", self.ref.name, self.ref.namespace, {"spec": {"activeDeadlineSeconds": 1}})

    def wait(self) -> None:
        """Return when the attack is over.  Raises WaitTimeout."""
        wait.until(
            self.namespace.cluster.kube,
            "Pod",
            self.ref.name,
            self.ref.namespace,
            done=wait.phase("Succeeded", "Failed"),
            what="done with its requests",
            seconds=self.seconds + STARTUP,
        )

    def results(self) -> pd.DataFrame:
        """One row per request, in the order of sending.  Waits for the end of the attack.

        time: when it was sent (UTC); at: the same in seconds since the first; latency: s; code: of HTTP, 0 without an answer;
        ok: code 200 to 399; error: why there was no answer; served_by, version: from the answer's headers; url.
        Raises ClusterError when nothing was sent at all.
        """
        self.wait()
        lines = self.namespace.cluster.kube.logs(self.ref.name, self.ref.namespace, lines=LIMIT + 100)
        frame = read(lines)
        if frame.empty:
            seen = [*lines.splitlines()[-5:], *wait.explain(self.namespace.cluster.kube, self.namespace.name)]
            raise ClusterError(f"{self.ref} sent no request", observed=seen, hint="look at its targets, and at its pod")
        return frame


@contextmanager
def open_loop(namespace: Namespace, url: str | Sequence[str], **settings: Any) -> Iterator[Load]:
    """Load a service while the block runs; url and settings are those of `start`, and so is what it raises.

    At the end of the block the attack goes on to its end, unless it was stopped; an exception in the block stops it.
    """
    load = start(namespace, url, **settings)
    try:
        yield load
    except BaseException:
        load.stop()
        raise
    load.wait()


def start(
    namespace: Namespace,
    url: str | Sequence[str],
    *,
    rate: int = 50,
    seconds: int = 30,
    keepalive: bool = True,
    connections: int = 0,
    timeout: float = 2.0,
    headers: Mapping[str, str] | None = None,
    insecure: bool = False,
    name: str = "traffic",
) -> Load:
    """Send `rate` GET requests a second to a URL (or several, in turn) for so long; returns once requests are being sent.

    The pod stays until the next attack of that name, or until the namespace is undone: its log is the result.

    keepalive: reuse connections.  connections: at most so many at a time, 0 for as many as the rate asks for.  timeout: s.
    insecure: accept any certificate.  Raises UsageError for more requests than a log can hold, WaitTimeout.
    """
    if not 0 < rate * seconds <= LIMIT:
        raise UsageError(
            f"{rate} requests/s for {seconds} s is not between 1 and {LIMIT} requests", hint="lower the rate"
        )
    flags = [f"-rate={rate}", f"-duration={seconds}s", f"-timeout={timeout}s", f"-keepalive={str(keepalive).lower()}"]
    flags += ["-max-body=0", "-redirects=-1", "-http2=false", f"-prometheus-addr=0.0.0.0:{METRICS}"]
    flags += [f"-header={key}: {value}" for key, value in (headers or {}).items()]
    flags += ["-insecure"] if insecure else []
    flags += [f"-max-connections={connections}"] if connections else []
    targets = [url] if isinstance(url, str) else list(url)
    return Load(namespace, _start(namespace, name, targets, flags), rate, seconds)


def read(log: str) -> pd.DataFrame:
    """vegeta's CSV (see `vegeta encode`) as a frame; lines that are not CSV, such as its messages, are left out."""
    hits = [_hit(fields) for fields in csv.reader(io.StringIO(log)) if len(fields) == 12 and fields[0].isdigit()]
    frame = pd.DataFrame(hits, columns=[c for c in COLUMNS if c != "at"]).sort_values("time", ignore_index=True)
    at = (frame["time"] - frame["time"].min()).dt.total_seconds() if len(frame) else []
    frame.insert(1, "at", at)
    return frame


def _hit(fields: list[str]) -> tuple[object, ...]:
    moment, code, latency, _, _, error, _, _, _, _, url, encoded = fields
    headers = _headers(base64.b64decode(encoded).decode(errors="replace"))
    served, version = headers.get("x-served-by", ""), headers.get("x-version", "")
    time = pd.Timestamp(int(moment), unit="ns", tz="UTC")
    return (time, int(latency) / 1e9, int(code), 200 <= int(code) < 400, error, served, version, url)


def _headers(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip().lower(): value.strip() for key, _, value in pairs if value}


def _start(namespace: Namespace, name: str, targets: list[str], flags: list[str]) -> Ref:
    kube = namespace.cluster.kube
    if earlier := kube.get("Pod", name, namespace.name):
        kube.delete(Ref.of(earlier))
        wait.until(kube, "Pod", name, namespace.name, done=wait.gone, what="gone")
    (ref,) = namespace.apply(_pod(name, namespace.cluster.image(IMAGE), targets, flags))
    sends = wait.condition("Ready")
    over = wait.phase("Succeeded", "Failed")  # a short attack can be over before its pod is seen to be ready
    what = "sending requests"
    wait.until(kube, "Pod", name, namespace.name, done=lambda pod: sends(pod) or over(pod), what=what, seconds=STARTUP)
    return ref


def _pod(name: str, image: str, targets: list[str], flags: list[str]) -> Object:
    """vegeta serves its own metrics while it attacks, which makes its pod ready for just as long."""
    container = {
        "name": "vegeta",
        "image": image,
        "command": ["sh", "-c", SCRIPT, "sh", *flags],
        "env": [{"name": "TARGETS", "value": "\n".join(f"GET {target}" for target in targets)}],
        "ports": [{"name": "metrics", "containerPort": METRICS}],
        "readinessProbe": {"httpGet": {"path": "/metrics", "port": METRICS}, "periodSeconds": 1},
        "volumeMounts": [{"name": "hits", "mountPath": "/hits"}],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    labels = {
        "app.kubernetes.io/name": IMAGE,
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/version": image.rpartition(":")[2],
        "app.kubernetes.io/component": "load",
    }
    spec = {
        "restartPolicy": "OnFailure",  # the runtime of a busy node may fail to start it
        "containers": [container],
        "volumes": [{"name": "hits", "emptyDir": {}}],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}
