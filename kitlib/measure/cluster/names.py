"""The answers of the cluster's DNS to a pod."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from kitlib.cluster.bound import Namespace
from kitlib.errors import ClusterError
from kitlib.kube import wait
from kitlib.kube.client import Object, Ref

SECONDS = 60
LOOKUP = "lookup"
AGAIN = "run the cell again"


def lookup(namespace: Namespace, *names: str) -> pd.DataFrame:
    """The answers of the cluster's DNS in a pod: one row per name, with its addresses.  Raises WaitTimeout, ClusterError."""
    kube = namespace.cluster.kube
    if earlier := kube.get("Pod", LOOKUP, namespace.name):
        kube.delete(Ref.of(earlier))
        wait.until(kube, "Pod", LOOKUP, namespace.name, done=wait.gone, what="gone")
    namespace.apply(_lookup(namespace.cluster.image("alpine"), names))
    done = wait.phase("Succeeded")
    wait.until(kube, "Pod", LOOKUP, namespace.name, done=done, what="finished", seconds=SECONDS)
    log = kube.logs(LOOKUP, namespace.name, lines=500)
    found = answers(log)
    if list(found.index) != list(names):
        raise ClusterError(
            "the pod that asks the DNS has no answer for some names", observed=log.splitlines()[-5:], hint=AGAIN
        )
    return found


def answers(log: str) -> pd.DataFrame:
    """The output of busybox' nslookup, one answer after the other, each under a line `# name`."""
    parts = [part.partition("\n") for part in log.split("# ")[1:]]
    rows = [(name.strip(), ", ".join(sorted(_addresses(said)))) for name, _, said in parts]
    return pd.DataFrame(rows, columns=["name", "addresses"]).set_index("name")


def _addresses(said: str) -> list[str]:
    """The first address is the DNS server's own."""
    return re.findall(r"^Address(?: \d+)?: (\d+\.\d+\.\d+\.\d+)$", said, re.MULTILINE)


def _lookup(image: str, names: Sequence[str]) -> Object:
    script = "; ".join([*(f"echo '# {name}'; nslookup -type=a {name}" for name in names), "true"])
    labels = {
        "app.kubernetes.io/name": LOOKUP,
        "app.kubernetes.io/instance": LOOKUP,
        "app.kubernetes.io/component": "probe",
    }
    container = {
        "name": LOOKUP,
        "image": image,
        "command": ["sh", "-c", script],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "restartPolicy": "OnFailure",
        "containers": [container],
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": LOOKUP, "labels": labels}, "spec": spec}
