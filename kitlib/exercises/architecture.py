"""Exercises of 3.1-architecture: what a Pod, a label and an owner are, and what a part of the control plane does."""

from __future__ import annotations

import secrets
from typing import Any

from kitlib.errors import WaitTimeout
from kitlib.exercises.base import NOT_ATTEMPTED, Outcome, failed, passed
from kitlib.exercises.located import Located
from kitlib.kube import wait
from kitlib.kube.client import Object


class Bind(Located):
    """Be the scheduler."""

    name = "3.1-architecture/bind"
    namespace = "bind"
    instance = "lonely"
    task = (
        f"Run the pod `lonely` of `lonely.yaml` in the namespace `kit-{namespace}`, so that no scheduler takes it: its "
        "`spec.schedulerName` is `nobody`. Then be its scheduler: give it a node by a Binding, without deleting it."
    )
    hints = (
        "A pod without a node waits for a scheduler. Which field of the pod says which scheduler that is, and what does "
        "a scheduler send in the end?",
        "Add `schedulerName: nobody` to the pod's `spec`, leave `nodeName` out, and apply the file. Then post an object "
        "of the kind Binding for that pod.",
        "A Binding has the pod's name in `metadata.name`, and a `target` with `apiVersion: v1`, `kind: Node` and the "
        "node's name. Its address is `/api/v1/namespaces/kit-bind/pods/lonely/binding`; `kubectl create --raw ADDRESS "
        "-f FILE` posts it. The file must be JSON.",
    )
    solution_text = """\
awk '{print} /^spec:/ {print "  schedulerName: nobody"}' lonely.yaml > nobody.yaml
kubectl apply -f nobody.yaml
node=$(kubectl get nodes -o jsonpath='{.items[0].metadata.name}')
cat > binding.json <<END
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "lonely"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "$node"}}
END
kubectl create --raw /api/v1/namespaces/kit-bind/pods/lonely/binding -f binding.json
kubectl -n kit-bind wait pod/lonely --for=condition=Ready --timeout=60s"""

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


class Adopt(Located):
    """Ownership outlives the owner."""

    name = "3.1-architecture/adopt"
    namespace = "adopt"
    instance = "keeper"
    task = (
        f"Run the Deployment `keeper` of `keeper.yaml`, with two replicas, in the namespace `kit-{namespace}`. Delete it "
        "so that its pods live on without it. Then apply it again: the new Deployment has to take over the very pods "
        "that run already."
    )
    hints = (
        "What happens to the pods when their Deployment is deleted depends on how it is deleted.",
        "A deletion has a propagation policy, which `kubectl delete --help` calls cascade. With `orphan`, what the "
        "object owns stays, and a new owner with the same selector and template can take it over.",
        "`kubectl delete deployment keeper -n kit-adopt --cascade=orphan`; wait until it is gone; then apply the very "
        "same file again, without a change.",
    )
    solution_text = """\
kubectl apply -f keeper.yaml
kubectl -n kit-adopt rollout status deployment/keeper --timeout=60s
kubectl -n kit-adopt delete deployment keeper --cascade=orphan
kubectl -n kit-adopt get pods
kubectl apply -f keeper.yaml
kubectl -n kit-adopt rollout status deployment/keeper --timeout=60s"""

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


class Quarantine(Located):
    """A label is all that ties a pod to its controller."""

    name = "3.1-architecture/quarantine"
    namespace = "quarantine"
    instance = "patient"
    task = (
        f"Run the Deployment `patient` of `patient.yaml`, with two replicas, in the namespace `kit-{namespace}`. One of "
        "its pods behaves oddly, and you want to examine it: take it out of its ReplicaSet without stopping it. The "
        "Deployment has to have two ready pods besides."
    )
    hints = (
        "How does a ReplicaSet know which pods are its own?",
        "By their labels: a pod whose labels no longer fit the selector belongs to nothing, and runs on. The ReplicaSet "
        "makes another one in its place. `kubectl get pods --show-labels` shows the labels.",
        "`kubectl label pod NAME -n kit-quarantine app=examined --overwrite`, with the name of one pod of the "
        "Deployment. Its selector asks for `app`.",
    )
    solution_text = """\
kubectl apply -f patient.yaml
kubectl -n kit-quarantine rollout status deployment/patient --timeout=60s
odd=$(kubectl -n kit-quarantine get pods -l app=patient -o jsonpath='{.items[0].metadata.name}')
kubectl -n kit-quarantine label pod "$odd" app=examined --overwrite
kubectl -n kit-quarantine get pods --show-labels"""

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
            examined = self.until("Pod", made[0], _let_go, "started and let go")  # neither is so at once
            self.until("Deployment", "patient", _two, "ready")
        except WaitTimeout as e:
            return failed(*e.observed, look="the Deployment: it needs two ready pods besides the examined one")
        if not wait.phase("Running")(examined):
            return failed(f"{made[0]} does not run any more", look="the pod itself must live on")
        return passed(f"{made[0]} runs on its own, and the Deployment has two others")


def _selects(replica_set: Object, pod: Object) -> bool:
    return bool(replica_set["spec"]["selector"]["matchLabels"].items() <= pod["metadata"].get("labels", {}).items())


def _let_go(pod: Object | None) -> bool:
    """Whether the pod has started and has no owner; also true of a pod that is gone, as there is nothing to wait for."""
    if pod is None:
        return True
    return not pod["metadata"].get("ownerReferences") and pod["status"]["phase"] != "Pending"


def _two(deployment: Object | None) -> bool:
    """Whether there are two replicas, both ready; a third would be the examined pod."""
    status = (deployment or {}).get("status", {})
    return bool(status.get("replicas") == status.get("readyReplicas") == 2)


class Twin(Located):
    """Two containers in one Pod."""

    name = "3.1-architecture/twin"
    namespace = "twin"
    instance = "twin"
    back = 9090
    task = (
        f"Containers of one Pod share its network. In the namespace `kit-{namespace}`, run a Pod `twin` with two "
        "containers of `kit.local/catalog:1.0`. The container `front` listens on port 8080, and passes each request for "
        f"items on to the container `back`, which listens on port {back} of the same Pod. `twin.yaml` has only the "
        "first container. The program reads `CATALOG_ADDR` (where it listens, such as `:8080`) and "
        "`CATALOG_DOWNSTREAM` (the URL of the program that it passes requests on to)."
    )
    hints = (
        "Two containers of one Pod have one IP address. By which name does a program reach another one that has the "
        "same address?",
        "`spec.containers` is a list, so the second container is a second entry. It needs another port, as two programs "
        "cannot listen on the same one. A Pod's list of containers cannot be changed while it exists.",
        "`back` gets `CATALOG_ADDR` with the value `:9090`, and `front` gets `CATALOG_DOWNSTREAM` with the value "
        "`http://localhost:9090`. If the Pod exists already, delete it first.",
    )
    solution_text = """\
cat > both.yaml <<'END'
apiVersion: v1
kind: Namespace
metadata:
  name: kit-twin
---
apiVersion: v1
kind: Pod
metadata:
  name: twin
  namespace: kit-twin
spec:
  terminationGracePeriodSeconds: 2
  containers:
    - name: front
      image: kit.local/catalog:1.0
      env:
        - name: CATALOG_DOWNSTREAM
          value: http://localhost:9090
      ports:
        - containerPort: 8080
    - name: back
      image: kit.local/catalog:1.0
      env:
        - name: CATALOG_ADDR
          value: :9090
      ports:
        - containerPort: 9090
END
kubectl -n kit-twin delete pod twin --ignore-not-found
kubectl apply -f both.yaml
kubectl -n kit-twin wait pod/twin --for=condition=Ready --timeout=60s"""

    def check(self) -> Outcome:
        """Look whether both containers run, then give an item to `back`, and look whether `front` has it."""
        pod = self.get("Pod", self.instance)
        if pod is None:
            return NOT_ATTEMPTED
        names = sorted(c["name"] for c in pod["spec"]["containers"])
        if names != ["back", "front"]:
            return failed(
                f"its containers are {', '.join(names)}",
                look="spec.containers: it is a list, with one entry per container",
            )
        try:
            self.until("Pod", self.instance, wait.condition("Ready"), "ready")
        except WaitTimeout as e:
            return failed(*e.observed, look="the log of each container: kubectl -n kit-twin logs twin -c NAME")
        return self._passed_on()

    def _passed_on(self) -> Outcome:
        if not self.says("/items", has_items, port=self.back):
            return failed(f"no catalogue answers on port {self.back} of the Pod", look="CATALOG_ADDR of `back`")
        item = f"check {secrets.token_hex(4)}"
        self.ask("/items", port=self.back, method="POST", body={"name": item, "price_cents": 1})
        if not self.says("/items", lambda found: has_items(found) and item in str(found)):
            return failed(
                f"an item that was given to port {self.back} is not among the items of port 8080",
                look="CATALOG_DOWNSTREAM of `front`: to which address does it pass requests on?",
            )
        return passed(f"what port {self.back} was given, port 8080 has: `front` asks `back` within the Pod")


def has_items(answer: Any) -> bool:
    """Whether this is the program's answer to GET /items."""
    return isinstance(answer, dict) and isinstance(answer.get("items"), list)
