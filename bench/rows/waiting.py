"""Rows 4 and 5: how long after the API has it does a wait return, and what does waiting cost.

The Deployment's pods fit no node, so that nothing but this module makes it ready: it writes the status that the controller would
write.  So the moment is known to the request, and all three waits see the same event.  The lag counts from sending that request: it
contains the API server's own work on it, some milliseconds, for every waiter alike.  One waiter at a time: three would take turns on
the processors.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil

from bench.rows.common import KUBECTL, PYTHON, environment, fresh_namespace
from kitlib import paths
from kitlib.cluster.bound import Namespace
from kitlib.dev.bench import Arm, Group, Row, Values
from kitlib.errors import CommandFailed
from kitlib.host import environment as allowed
from kitlib.host import identity, stats
from kitlib.kube import wait
from kitlib.kube.client import Object

NAME = "waited-for"
QUIET = 1.0  # seconds without CPU time, after which a waiter has listed and now watches: none of them says when it does
HELM_MEAN = 1.0  # helm's --wait asks every 2 s (helm 3, pkg/kube/wait.go): a change waits half an interval on average


@contextmanager
def group() -> Iterator[Group]:
    lag = "lag of a wait behind the API"
    kubectl = ("rollout status", "kubectl wait")
    helm = "helm --wait: mean of its documented interval, 2 s"
    with fresh_namespace("waiting") as namespace:
        namespace.apply(_deployment())
        yield Group(
            arms=_arms(namespace),
            rows=[
                Row("4", lag, "the better of kubectl rollout status and kubectl wait", "lag", "s", 1, peers=kubectl),
                Row("4-helm", lag, helm, "lag", "s", 0.1, documented=HELM_MEAN),
                Row("5", "CPU time of that wait", "kubectl wait", "cpu", "s", 1, peers=("kubectl wait",)),
            ],
            notes=_notes,
        )


def _arms(namespace: Namespace) -> dict[str, Arm]:
    kit = [PYTHON, "-m", "bench.rows.waiter", str(identity.kubeconfig()), namespace.name, NAME]
    target = [f"deployment/{NAME}", "-n", namespace.name, "--timeout=60s"]
    status: list[str | Path] = [KUBECTL, "rollout", "status", *target]
    condition: list[str | Path] = [KUBECTL, "wait", "--for=condition=Available", *target]
    return {
        "ours": partial(trial, namespace, kit, b"done"),
        "rollout status": partial(trial, namespace, status, b"successfully"),
        "kubectl wait": partial(trial, namespace, condition, b"condition met"),
    }


def trial(namespace: Namespace, argv: Sequence[str | Path], word: bytes) -> Values:
    """lag: from sending the status to the waiter's line with `word`.  cpu: of the wait.  process: CPU of the whole process."""
    wait.until(namespace.cluster.kube, "Deployment", NAME, namespace.name, done=_unready, what="not ready")
    environ = {**allowed.kit(), **environment()}
    with (
        subprocess.Popen(
            [str(a) for a in argv], cwd=paths.ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as waiter,
        ThreadPoolExecutor(1) as pool,
    ):
        said = pool.submit(_heard, waiter, word)  # not after the request: the event can be there before its answer
        _settle(waiter.pid)
        began = time.perf_counter()
        _make_ready(namespace)
        at, rest = said.result()
        _, code, used = os.wait4(waiter.pid, 0)
        waiter.returncode = os.waitstatus_to_exitcode(code)
    if at is None or waiter.returncode != 0:
        raise CommandFailed(" ".join(map(str, argv)), waiter.returncode, rest.decode())
    process = used.ru_utime + used.ru_stime
    return {"lag": at - began, "cpu": float(rest) if rest else process, "process": process}


def _heard(waiter: subprocess.Popen[bytes], word: bytes) -> tuple[float | None, bytes]:
    """When the line with `word` came (None: never), and what came after it, or instead."""
    before = b""
    for line in waiter.stdout or ():
        if word in line:
            at = time.perf_counter()
            return at, waiter.stdout.read() if waiter.stdout else b""
        before += line
    return None, before


def _settle(pid: int) -> None:
    process = psutil.Process(pid)
    before, now = None, process.cpu_times()
    while now != before:
        time.sleep(QUIET)
        before, now = now, process.cpu_times()


def _make_ready(namespace: Namespace) -> None:
    """What the Deployment controller writes when its one pod is available.  It takes this back within moments, as it is not true."""
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
    condition = {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}
    status = {**counts, "unavailableReplicas": None, "conditions": [condition]}
    namespace.cluster.kube.patch("Deployment", NAME, namespace.name, {"status": status}, subresource="status")


def _unready(deployment: Object | None) -> bool:
    """The controller has seen the Deployment, and says what is true."""
    status = (deployment or {}).get("status", {})
    return (
        bool(status.get("observedGeneration")) and status.get("replicas") == 1 and not status.get("availableReplicas")
    )


def _deployment() -> Object:
    labels = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/component": "bench"}
    pod = {"nodeSelector": {"local.kit.bench": "nowhere"}, "containers": [{"name": "none", "image": "kit.local/never"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "labels": labels},
        "spec": {
            "replicas": 1,
            "progressDeadlineSeconds": 3600,  # or kubectl rollout status gives up on a pod that never starts
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _notes(trials: Mapping[str, list[Values]]) -> str:
    lags = {name: stats.median([t["lag"] for t in of]) * 1000 for name, of in trials.items()}
    whole = stats.median([t["process"] for t in trials["ours"]])
    return (
        f"4: {', '.join(f'{name} {lag:.1f} ms' for name, lag in lags.items())}, the API server's own work included.  "
        f"5: the kit's wait is a call in a process that runs already, a notebook's kernel; a new Python process for it alone takes "
        f"{whole:.2f} s of CPU."
    )
