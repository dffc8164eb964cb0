"""Row 7: a fresh Python process until it has 100 pods: the kit against the kubernetes package's typed client at its defaults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.rows.common import PYTHON, fresh_namespace, run, seconds
from kitlib.cluster.bound import Namespace
from kitlib.dev.bench import Group, Row, Values
from kitlib.host import identity
from kitlib.kube import wait
from kitlib.kube.client import Object

PODS = 100
CHECK = f"assert len(pods) == {PODS}, len(pods)"
KIT = f"import kitlib as kit; pods = kit.bind().kube.list('Pod', '{{namespace}}'); {CHECK}"
TYPED = f"""
from kubernetes import client, config
config.load_kube_config({{kubeconfig!r}})
pods = client.CoreV1Api().list_namespaced_pod('{{namespace}}').items
{CHECK}"""


@contextmanager
def group() -> Iterator[Group]:
    """Both sides: the whole process, from its start to its end.  Ours also proves whose cluster it is, which `bind` always does."""
    with fresh_namespace("listing") as namespace:
        _crowd(namespace)
        words = {"namespace": namespace.name, "kubeconfig": str(identity.kubeconfig())}

        def arm(code: str) -> Values:
            return {"seconds": seconds(run, PYTHON, "-c", code.format(**words))}

        what = f"`import kitlib`, bind, first listing of {PODS} pods, in a new process"
        against = "the kubernetes package, typed, at its defaults"
        yield Group(
            arms={"ours": lambda: arm(KIT), "typed": lambda: arm(TYPED)},
            rows=[Row("7", what, against, "seconds", "s", 0.5, peers=("typed",))],
        )


def _crowd(namespace: Namespace) -> None:
    """Pods that no node takes: what is listed is an API server's work, and a node's would only disturb it."""
    labels = {"app.kubernetes.io/name": "crowd", "app.kubernetes.io/component": "bench"}
    container = {"name": "crowd", "image": "kit.local/never-pulled"}
    nowhere = {"local.kit.bench": "nowhere"}
    crowd: Object = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "crowd", "labels": labels},
        "spec": {
            "replicas": PODS,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"nodeSelector": nowhere, "containers": [container]}},
        },
    }
    namespace.apply(crowd)
    wait.until(namespace.cluster.kube, "Deployment", "crowd", namespace.name, done=_made, what=f"{PODS} pods")


def _made(deployment: Object | None) -> bool:
    return bool(deployment and deployment.get("status", {}).get("replicas") == PODS)
