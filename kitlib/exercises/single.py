"""An exercise of 3.2-deployment: two pods of a program must never run at the same time."""

from __future__ import annotations

from kitlib.exercises.base import Outcome, failed, passed
from kitlib.exercises.deployed import Deployed, complete, environment, moments, pods, uid
from kitlib.kube.client import Object
from kitlib.workloads import rollout

PATIENCE = 60.0  # seconds for the rollout of one pod


class Single(Deployed):
    """Never run two pods at the same time."""

    name = "3.2-deployment/single"
    instance = "ledger"
    drain = "CATALOG_DRAIN_DELAY"
    task = (
        "`ledger.yaml` runs one pod of a program that locks its data, as Deployment `ledger` in the namespace `kit-ledger`. Two of "
        "these pods must never run at the same time, not even while one of them is ending. Change how the Deployment replaces its "
        "pod. It must still run one pod, which drains for five seconds as before. The check restarts the Deployment and watches the "
        "containers."
    )
    hints = (
        "By default, a Deployment starts the new pod before it ends the old one. Which field decides the order?",
        "It is not enough to set `maxSurge` to 0. A pod that is ending no longer counts as a replica, but it still runs while "
        "it drains. There is a second type of strategy.",
        "Set `spec.strategy.type` to `Recreate`, and apply the file. With this type, `rollingUpdate` must not be set.",
    )
    solution_text = """\
kubectl create namespace kit-ledger --dry-run=client -o yaml | kubectl apply -f -
sed -i 's/^  replicas: 1$/  replicas: 1\\n  strategy:\\n    type: Recreate/' ledger.yaml
kubectl diff -f ledger.yaml || true
kubectl apply -f ledger.yaml
kubectl -n kit-ledger rollout status deployment/ledger --timeout=60s"""

    def judge(self, deployment: Object) -> Outcome:
        """Look whether there is one pod that drains, then restart the Deployment and count the pods that run at the same time."""
        replicas, drain = deployment["spec"]["replicas"], environment(deployment).get(self.drain, {}).get("value")
        if (replicas, drain) != (1, "5s"):
            return failed(
                f"replicas: {replicas}, {self.drain}: {drain}",
                look="the settings that must stay: one replica, and a drain of five seconds",
            )
        return self.settled(lambda: self._restarted(deployment))

    def _restarted(self, deployment: Object) -> Outcome:
        before = {uid(pod) for pod in pods(self.namespace, deployment)}
        rollout.restart(self.namespace, self.instance)
        for found in moments(self.namespace, deployment, PATIENCE):
            together = [pod for pod in found if runs(pod)]
            if len(together) > 1:
                return _overlap(together)
            if complete(found, 1, before):
                break
        return passed("the pod was replaced, and two pods never ran at the same time")


def runs(pod: Object) -> bool:
    """Whether a container of the pod is running, also in a pod that is ending."""
    return any("running" in c["state"] for c in pod.get("status", {}).get("containerStatuses") or [])


def _overlap(together: list[Object]) -> Outcome:
    saw = tuple(f"{pod['metadata']['name']} runs{', and is ending' if _ends(pod) else ''}" for pod in together)
    if any(map(_ends, together)):
        return failed(
            *saw, look="`spec.strategy`: this one waits until the old pod begins to end, and not until it has ended"
        )
    return failed(*saw, look="`spec.strategy`: the new pod starts before the old one begins to end")


def _ends(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]
