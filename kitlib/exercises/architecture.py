"""Exercises of 3.1-architecture: the learner does by hand what a part of the control plane does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kitlib.errors import WaitTimeout
from kitlib.exercises import place
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.kube import wait
from kitlib.kube.client import Object

SECONDS = 15
SETTINGS = "treatments=['no-startup', 'quick-exit', 'small']"


class _InItsOwnNamespace(Exercise):
    """What the learner does stays in one namespace, and reset removes it."""

    namespace: str
    instance: str  # the name that the task gives

    def reset(self) -> None:
        """Remove the namespace; if the learner made it, delete only the exercise's objects in it."""
        place.clear(self.cluster, self.namespace, [self.instance])

    def pods(self) -> list[Object]:
        """Those of the exercise, by the name that their controller gave them; others in a learner's own namespace do not count."""
        return [p for p in self.objects("Pod") if p["metadata"]["name"].startswith(f"{self.instance}-")]

    def objects(self, kind: str) -> list[Any]:
        """All objects of this kind in the exercise's namespace."""
        return self.cluster.kube.list(kind, f"kit-{self.namespace}")

    def get(self, kind: str, name: str) -> Object | None:
        """An object of the exercise's namespace; None when it does not exist."""
        return self.cluster.kube.get(kind, name, f"kit-{self.namespace}")

    def until(self, kind: str, name: str, done: Callable[[Object | None], bool], what: str) -> Object | None:
        """Wait until an object of the exercise's namespace is `done`.  Raises WaitTimeout."""
        return wait.until(self.cluster.kube, kind, name, f"kit-{self.namespace}", done=done, what=what, seconds=SECONDS)


class Bind(_InItsOwnNamespace):
    """Be the scheduler."""

    name = "3.1-architecture/bind"
    namespace = "bind"
    instance = "lonely"
    task = (
        f"Run a pod called `lonely` in the namespace `kit-{namespace}` that no scheduler feels responsible for: its "
        "`spec.schedulerName` is `nobody`. Then be its scheduler: give it a node by a Binding, without deleting it."
    )
    hints = (
        "A pod without a node waits for a scheduler. Which field of the pod says which scheduler that is, and what does "
        "a scheduler send in the end?",
        "Set `spec.schedulerName: nobody` in the manifest, leave `spec.nodeName` out, and apply it. Then post an object "
        "of the kind Binding for that pod.",
        "A Binding has the pod's name in `metadata.name`, and a `target` with `apiVersion: v1`, `kind: Node` and the "
        "node's name. Its address is `/api/v1/namespaces/kit-bind/pods/lonely/binding`; `kubectl create --raw ADDRESS "
        "-f FILE` posts it.",
    )
    solution_text = (
        f"namespace = cluster.namespace('{namespace}')\n"
        f"pod = kit.app.pod('lonely', cluster.image('goapp-distroless'), {SETTINGS})\n"
        "pod['spec']['schedulerName'] = 'nobody'\n"
        "namespace.apply(pod)\n"
        "node = {'apiVersion': 'v1', 'kind': 'Node', 'name': cluster.node}\n"
        "binding = {'apiVersion': 'v1', 'kind': 'Binding', 'metadata': {'name': 'lonely'}, 'target': node}\n"
        "path = f'/api/v1/namespaces/{namespace.name}/pods/lonely/binding'\n"
        "cluster.kube.connection.json('POST', path, body=binding, seconds=10)"
    )

    def check(self) -> Outcome:
        """Look whether the pod names the scheduler of the task, got its node from a Binding and not from its manifest, and runs."""
        pod = self.get("Pod", "lonely")
        if pod is None:
            return NOT_ATTEMPTED
        scheduler = pod["spec"]["schedulerName"]
        if scheduler != "nobody":
            return failed(
                f"its schedulerName is {scheduler}, which bound it as usual",
                look="spec.schedulerName in the manifest, before the pod is made",
            )
        if not pod["spec"].get("nodeName"):
            return failed("it has no node", look="the Binding: its target is the Node, its name the pod's")
        if wrote := named_by(pod):
            return failed(
                f"spec.nodeName was in the manifest that {', '.join(wrote)} sent",
                look="spec.nodeName in the manifest: leave it out, and post a Binding for the pod that is there",
            )
        try:
            self.until("Pod", "lonely", wait.phase("Running"), "running")
        except WaitTimeout as e:
            return failed(*e.observed, look="the node and the image: the kubelet says above what keeps it from running")
        return passed(f"it runs on {pod['spec']['nodeName']}, and no scheduler chose that")


def named_by(pod: Object) -> list[str]:
    """The field managers whose manifests set spec.nodeName; none after a Binding, for which the API server records no manager."""
    return [
        str(entry.get("manager", ""))
        for entry in pod["metadata"].get("managedFields", [])
        if "f:nodeName" in entry.get("fieldsV1", {}).get("f:spec", {})
    ]


class Adopt(_InItsOwnNamespace):
    """Ownership outlives the owner."""

    name = "3.1-architecture/adopt"
    namespace = "adopt"
    instance = "keeper"
    task = (
        f"In the namespace `kit-{namespace}`, run a Deployment `keeper` with two replicas. Delete it so that its pods live on without it. "
        "Then apply it again: the new Deployment has to take over the very pods that run already."
    )
    hints = (
        "What happens to the pods when their Deployment is deleted depends on how it is deleted.",
        "A deletion has a propagation policy. With `Orphan`, what the object owns stays, and a new owner with the same "
        "selector and template can take it over.",
        "`kubectl delete deployment keeper -n kit-adopt --cascade=orphan`; wait until it is gone; then apply the very "
        "same manifest again, without a change.",
    )
    solution_text = (
        f"namespace = cluster.namespace('{namespace}')\n"
        f"keeper = kit.app.manifests('keeper', cluster.image('goapp-distroless'), replicas=2, {SETTINGS})\n"
        "namespace.apply(*keeper)\n"
        "kit.app.roll_out(namespace, 'keeper')\n"
        "path = f'/apis/apps/v1/namespaces/{namespace.name}/deployments/keeper'\n"
        "cluster.kube.connection.json('DELETE', path, body={'propagationPolicy': 'Orphan'}, seconds=10)\n"
        "kit.kube.wait.until(cluster.kube, 'Deployment', 'keeper', namespace.name, done=kit.kube.wait.gone, what='gone')\n"
        "namespace.apply(*keeper)\n"
        "kit.app.roll_out(namespace, 'keeper')"
    )

    def check(self) -> Outcome:
        """Look whether all pods are older than the Deployment, and the Deployment owns their ReplicaSet."""
        deployment, pods = self.get("Deployment", "keeper"), self.pods()
        if deployment is None:
            return failed(f"{len(pods)} pods and no Deployment", look="apply it again") if pods else NOT_ATTEMPTED
        born = deployment["metadata"]["creationTimestamp"]
        older = [p for p in pods if self._older(p["metadata"]["creationTimestamp"], deployment)]
        if not older:
            return failed(
                f"the Deployment is from {born}, and none of its {len(pods)} pods is older",
                look="how it was deleted: its pods must still be there when it comes back",
            )
        sets = [s for s in self.objects("ReplicaSet") if s["metadata"]["name"].startswith(f"{self.instance}-")]
        owners = {o["uid"] for s in sets for o in s["metadata"].get("ownerReferences", [])}
        if owners != {deployment["metadata"]["uid"]} or len(pods) != len(older):
            return failed(
                f"{len(older)} of {len(pods)} pods are older than the Deployment; it owns {len(owners)} ReplicaSet",
                look="selector and template: only the same ones make it find what it once made",
            )
        return passed(f"{len(older)} pods are older than the Deployment that owns them")

    def _older(self, created: str, deployment: Object) -> bool:
        """These times are in whole seconds: in the same one, it is the Deployment's events that tell whether it has made pods."""
        born, uid = str(deployment["metadata"]["creationTimestamp"]), deployment["metadata"]["uid"]
        if created != born:
            return created < born
        about = f"involvedObject.uid={uid},reason=ScalingReplicaSet"
        return not self.cluster.kube.list("Event", f"kit-{self.namespace}", fields=about)


class Quarantine(_InItsOwnNamespace):
    """A label is all that ties a pod to its controller."""

    name = "3.1-architecture/quarantine"
    namespace = "quarantine"
    instance = "patient"
    task = (
        f"In the namespace `kit-{namespace}`, run a Deployment `patient` with two replicas. One of its pods behaves oddly, and you want "
        "to examine it: take it out of the hands of its ReplicaSet without stopping it. The Deployment has to have two ready pods besides."
    )
    hints = (
        "How does a ReplicaSet know which pods are its own?",
        "By their labels: a pod whose labels no longer fit the selector belongs to nothing, and runs on. The ReplicaSet "
        "makes another one in its place.",
        "`kubectl label pod NAME -n kit-quarantine app.kubernetes.io/instance=examined --overwrite`, with the name of "
        "one pod of the Deployment.",
    )
    solution_text = (
        f"namespace = cluster.namespace('{namespace}')\n"
        f"namespace.apply(*kit.app.manifests('patient', cluster.image('goapp-distroless'), replicas=2, {SETTINGS}))\n"
        "kit.app.roll_out(namespace, 'patient')\n"
        "odd = kit.app.pods(namespace, 'patient')[0]['metadata']['name']\n"
        "change = {'metadata': {'labels': {'app.kubernetes.io/instance': 'examined'}}}\n"
        "cluster.kube.patch('Pod', odd, namespace.name, change)"
    )

    def check(self) -> Outcome:
        """Look whether one of the Deployment's pods runs on without an owner, and the Deployment has two ready pods besides."""
        if self.get("Deployment", "patient") is None:
            return NOT_ATTEMPTED
        pods, sets = self.objects("Pod"), self.objects("ReplicaSet")
        free = [p for p in pods if not any(_selects(s, p) for s in sets)]
        if not free:
            return failed(f"all {len(pods)} pods belong to a ReplicaSet", look="the labels that its selector asks for")
        made = [p["metadata"]["name"] for p in free if p["metadata"].get("generateName", "").startswith("patient-")]
        if not made:
            name = free[0]["metadata"]["name"]
            return failed(f"{name} was never one of the Deployment's pods", look="take one that the ReplicaSet made")
        try:
            examined = self.until("Pod", made[0], _ownerless, "let go")  # the ReplicaSet takes a moment to notice
            self.until("Deployment", "patient", _two, "ready")
        except WaitTimeout as e:
            return failed(*e.observed, look="the Deployment: it needs two ready pods besides the examined one")
        if not wait.phase("Running")(examined):
            return failed(f"{made[0]} does not run any more", look="the pod itself must live on")
        return passed(f"{made[0]} runs on its own, and the Deployment has two others")


def _selects(replica_set: Object, pod: Object) -> bool:
    return bool(replica_set["spec"]["selector"]["matchLabels"].items() <= pod["metadata"].get("labels", {}).items())


def _ownerless(pod: Object | None) -> bool:
    """Whether the pod has no owner; also true of a pod that is gone, as there is nothing to wait for."""
    return not (pod or {"metadata": {}})["metadata"].get("ownerReferences")


def _two(deployment: Object | None) -> bool:
    """Whether there are two replicas, both ready; a third would be the examined pod."""
    status = (deployment or {}).get("status", {})
    return bool(status.get("replicas") == status.get("readyReplicas") == 2)
