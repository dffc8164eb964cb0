"""Exercises of 3.1-architecture: the learner does by hand what a part of the control plane does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kitlib import wait
from kitlib.cluster import Space
from kitlib.errors import WaitTimeout
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.kube import Object

SECONDS = 15
SETTINGS = "treatments=['no-startup', 'quick-exit', 'small']"


class _InItsOwnNamespace(Exercise):
    """What the learner does stays in one namespace, and reset removes it."""

    space: str

    def reset(self) -> None:
        if space := Space.find(self.cluster, self.space):
            space.undo()

    def objects(self, kind: str) -> list[Any]:
        return self.cluster.kube.list(kind, f"kit-{self.space}")

    def get(self, kind: str, name: str) -> Object | None:
        return self.cluster.kube.get(kind, name, f"kit-{self.space}")

    def until(self, kind: str, name: str, done: Callable[[Object | None], bool], what: str) -> Object | None:
        return wait.until(self.cluster.kube, kind, name, f"kit-{self.space}", done=done, what=what, seconds=SECONDS)


class Bind(_InItsOwnNamespace):
    """Be the scheduler."""

    name = "3.1-architecture/bind"
    space = "bind"
    task = (
        f"Run a pod called `lonely` in the namespace `kit-{space}` that no scheduler feels responsible for: its "
        "`spec.schedulerName` is `nobody`. Then be its scheduler: give it a node by a Binding, without deleting it."
    )
    first_hint = (
        "`kit.app.pod(name, image)` writes a manifest, and a manifest is a dict. A Binding is an object that is posted to "
        "`/api/v1/namespaces/NAMESPACE/pods/POD/binding`; `cluster.kube.connection.json('POST', path, body=..., seconds=10)` posts."
    )
    solution_text = (
        f"space = cluster.space('{space}')\n"
        f"pod = kit.app.pod('lonely', cluster.image('goapp-distroless'), {SETTINGS})\n"
        "pod['spec']['schedulerName'] = 'nobody'\n"
        "space.apply(pod)\n"
        "node = {'apiVersion': 'v1', 'kind': 'Node', 'name': cluster.node}\n"
        "binding = {'apiVersion': 'v1', 'kind': 'Binding', 'metadata': {'name': 'lonely'}, 'target': node}\n"
        "path = f'/api/v1/namespaces/{space.name}/pods/lonely/binding'\n"
        "cluster.kube.connection.json('POST', path, body=binding, seconds=10)"
    )

    def check(self) -> Outcome:
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
        try:
            self.until("Pod", "lonely", wait.phase("Running"), "running")
        except WaitTimeout as e:
            return failed(*e.observed, look="the node and the image: the kubelet says above what keeps it from running")
        return passed(f"it runs on {pod['spec']['nodeName']}, and no scheduler chose that")


class Adopt(_InItsOwnNamespace):
    """Ownership outlives the owner."""

    name = "3.1-architecture/adopt"
    space = "adopt"
    task = (
        f"In the namespace `kit-{space}`, run a Deployment `keeper` with two replicas. Delete it so that its pods live on without it. "
        "Then apply it again: the new Deployment has to take over the very pods that run already."
    )
    first_hint = (
        "How far a deletion goes is the `propagationPolicy` of its body: with `Orphan`, what the object owns stays. "
        "`cluster.kube.connection.json('DELETE', path, body=..., seconds=10)` sends one; a Deployment's path begins with `/apis/apps/v1/`."
    )
    solution_text = (
        "from kitlib import wait\n"
        f"space = cluster.space('{space}')\n"
        f"keeper = kit.app.manifests('keeper', cluster.image('goapp-distroless'), replicas=2, {SETTINGS})\n"
        "space.apply(*keeper)\n"
        "kit.app.roll_out(space, 'keeper')\n"
        "path = f'/apis/apps/v1/namespaces/{space.name}/deployments/keeper'\n"
        "cluster.kube.connection.json('DELETE', path, body={'propagationPolicy': 'Orphan'}, seconds=10)\n"
        "wait.until(cluster.kube, 'Deployment', 'keeper', space.name, done=wait.gone, what='gone')\n"
        "space.apply(*keeper)\n"
        "kit.app.roll_out(space, 'keeper')"
    )

    def check(self) -> Outcome:
        deployment, pods = self.get("Deployment", "keeper"), self.objects("Pod")
        if deployment is None:
            return failed(f"{len(pods)} pods and no Deployment", look="apply it again") if pods else NOT_ATTEMPTED
        born = deployment["metadata"]["creationTimestamp"]
        older = [p for p in pods if self._older(p["metadata"]["creationTimestamp"], deployment)]
        if not older:
            return failed(
                f"the Deployment is from {born}, and none of its {len(pods)} pods is older",
                look="how it was deleted: its pods must still be there when it comes back",
            )
        owners = {o["uid"] for s in self.objects("ReplicaSet") for o in s["metadata"].get("ownerReferences", [])}
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
        return not self.cluster.kube.list("Event", f"kit-{self.space}", fields=about)


class Quarantine(_InItsOwnNamespace):
    """A label is all that ties a pod to its controller."""

    name = "3.1-architecture/quarantine"
    space = "quarantine"
    task = (
        f"In the namespace `kit-{space}`, run a Deployment `patient` with two replicas. One of its pods behaves oddly, and you want "
        "to examine it: take it out of the hands of its ReplicaSet without stopping it. The Deployment has to have two ready pods besides."
    )
    first_hint = (
        "A ReplicaSet finds its pods by labels; so does the Service. `cluster.kube.patch('Pod', name, namespace, change)` changes a pod; "
        "`kit.app.pods(space, 'patient')` lists them."
    )
    solution_text = (
        f"space = cluster.space('{space}')\n"
        f"space.apply(*kit.app.manifests('patient', cluster.image('goapp-distroless'), replicas=2, {SETTINGS}))\n"
        "kit.app.roll_out(space, 'patient')\n"
        "odd = kit.app.pods(space, 'patient')[0]['metadata']['name']\n"
        "change = {'metadata': {'labels': {'app.kubernetes.io/instance': 'examined'}}}\n"
        "cluster.kube.patch('Pod', odd, space.name, change)"
    )

    def check(self) -> Outcome:
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
    """Gone counts, too: there is nothing to wait for."""
    return not (pod or {"metadata": {}})["metadata"].get("ownerReferences")


def _two(deployment: Object | None) -> bool:
    """Asked for and ready; more than asked for would be the examined pod."""
    status = (deployment or {}).get("status", {})
    return bool(status.get("replicas") == status.get("readyReplicas") == 2)
