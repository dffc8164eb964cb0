"""Exercises of 3.1-architecture: Pods, labels and owners, and the work of one part of the control plane."""

from __future__ import annotations

import secrets
from typing import Any

from kitlib.errors import WaitTimeout
from kitlib.exercises.base import NOT_ATTEMPTED, Outcome, failed, passed
from kitlib.exercises.located import Located
from kitlib.kube import wait
from kitlib.kube.client import Object


class Bind(Located):
    """Do the work of the scheduler."""

    name = "3.1-architecture/bind"
    namespace = "bind"
    instance = "lonely"
    task = (
        f"Run the pod `lonely` of `lonely.yaml` in the namespace `kit-{namespace}` so that no scheduler takes it: set its "
        "`spec.schedulerName` to `nobody`. Then do the work of the scheduler: assign the pod to a node with a Binding, "
        "without deleting the pod."
    )
    hints = (
        "A pod without a node waits for a scheduler. Which field of the pod names this scheduler, and what does a "
        "scheduler send to the API server when it has chosen a node?",
        "Add `schedulerName: nobody` to the `spec` of the pod, leave `nodeName` out, and apply the file. Then create an "
        "object of the kind Binding for the pod.",
        "The Binding has the name of the pod in `metadata.name`. Its `target` has `apiVersion: v1`, `kind: Node` and the "
        "name of the node. Write it to a file as JSON, and send it with `kubectl create --raw ADDRESS -f FILE`. The "
        "address is `/api/v1/namespaces/kit-bind/pods/lonely/binding`.",
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
        """Look whether the pod names the scheduler of the task, has its node from a Binding and not from its manifest, and runs."""
        pod = self.get("Pod", "lonely")
        if pod is None:
            return NOT_ATTEMPTED
        scheduler = pod["spec"]["schedulerName"]
        if scheduler != "nobody":
            return failed(
                f"the schedulerName of the pod is {scheduler}, and this scheduler bound it",
                look="spec.schedulerName in the manifest: it must be set when the pod is created",
            )
        if not pod["spec"].get("nodeName"):
            return failed("the pod has no node", look="the Binding: its target is the Node, its name that of the pod")
        if wrote := named_by(pod):
            return failed(
                f"spec.nodeName was in the manifest that {', '.join(wrote)} sent",
                look="spec.nodeName in the manifest: leave it out, and create a Binding for the existing pod",
            )
        try:
            self.until("Pod", "lonely", wait.phase("Running"), "running")
        except WaitTimeout as e:
            return failed(*e.observed, look="the node and the image: the lines below show why the pod does not run")
        return passed(f"the pod runs on {pod['spec']['nodeName']}, and no scheduler chose this node")


def named_by(pod: Object) -> list[str]:
    """The field managers whose manifests set spec.nodeName; none after a Binding, for which the API server records no manager."""
    return [
        str(entry.get("manager", ""))
        for entry in pod["metadata"].get("managedFields", [])
        if "f:nodeName" in entry.get("fieldsV1", {}).get("f:spec", {})
    ]


class Adopt(Located):
    """Delete a Deployment, keep its pods, and let a new Deployment take them over."""

    name = "3.1-architecture/adopt"
    namespace = "adopt"
    instance = "keeper"
    task = (
        f"Run the Deployment `keeper` of `keeper.yaml`, with two replicas, in the namespace `kit-{namespace}`. Delete the "
        "Deployment so that its pods keep running. Then apply the file again. The new Deployment must take over the pods "
        "that are already running."
    )
    hints = (
        "A Deployment can be deleted in several ways. The way decides what happens to its pods.",
        "A deletion has a propagation policy, which `kubectl delete --help` calls cascade. With `orphan`, the objects that "
        "belong to the deleted one stay. A new owner with the same selector and template can take them over.",
        "Run `kubectl delete deployment keeper -n kit-adopt --cascade=orphan`, and wait until the Deployment is gone. Then "
        "apply the same file again, without a change.",
    )
    solution_text = """\
kubectl apply -f keeper.yaml
kubectl -n kit-adopt rollout status deployment/keeper --timeout=60s
kubectl -n kit-adopt delete deployment keeper --cascade=orphan
kubectl -n kit-adopt get pods
kubectl apply -f keeper.yaml
kubectl -n kit-adopt rollout status deployment/keeper --timeout=60s"""

    def check(self) -> Outcome:
        """Look whether all pods are older than the Deployment, and whether the Deployment owns their ReplicaSet."""
        deployment, pods = self.get("Deployment", "keeper"), self.pods()
        if deployment is None:
            return failed(f"{len(pods)} pods and no Deployment", look="apply the file again") if pods else NOT_ATTEMPTED
        born = deployment["metadata"]["creationTimestamp"]
        older = [p for p in pods if self._older(p["metadata"]["creationTimestamp"], deployment)]
        if not older:
            return failed(
                f"the Deployment was created at {born}, and none of its {len(pods)} pods is older",
                look="the deletion: the old pods must still run when you apply the file again",
            )
        sets = [s for s in self.objects("ReplicaSet") if s["metadata"]["name"].startswith(f"{self.instance}-")]
        owners = {o["uid"] for s in sets for o in s["metadata"].get("ownerReferences", [])}
        if owners != {deployment["metadata"]["uid"]} or len(pods) != len(older):
            return failed(
                f"{len(older)} of {len(pods)} pods are older than the Deployment; number of owners of its ReplicaSets: {len(owners)}",
                look="selector and template: the Deployment finds its old ReplicaSet only if neither has changed",
            )
        return passed(f"{len(older)} pods are older than the Deployment that owns them")

    def _older(self, created: str, deployment: Object) -> bool:
        """Whether a pod is older.  Times have whole seconds; if both are equal, the Deployment's events show whether it created pods."""
        born, uid = str(deployment["metadata"]["creationTimestamp"]), deployment["metadata"]["uid"]
        if created != born:
            return created < born
        about = f"involvedObject.uid={uid},reason=ScalingReplicaSet"
        return not self.cluster.kube.list("Event", f"kit-{self.namespace}", fields=about)


class Quarantine(Located):
    """Take a pod out of its ReplicaSet by its labels."""

    name = "3.1-architecture/quarantine"
    namespace = "quarantine"
    instance = "patient"
    task = (
        f"Run the Deployment `patient` of `patient.yaml`, with two replicas, in the namespace `kit-{namespace}`. Assume "
        "that one of its pods behaves strangely, and that you want to examine it. Take this pod out of its ReplicaSet "
        "without stopping it. The Deployment must have two ready pods in addition to it."
    )
    hints = (
        "How does a ReplicaSet know which pods belong to it?",
        "A ReplicaSet finds its pods by their labels. A pod whose labels no longer match the selector has no owner, and "
        "keeps running. The ReplicaSet creates a new pod in its place. `kubectl get pods --show-labels` shows the labels.",
        "Run `kubectl label pod NAME -n kit-quarantine app=examined --overwrite`, with the name of one pod of the "
        "Deployment. The selector has the label `app`.",
    )
    solution_text = """\
kubectl apply -f patient.yaml
kubectl -n kit-quarantine rollout status deployment/patient --timeout=60s
odd=$(kubectl -n kit-quarantine get pods -l app=patient -o jsonpath='{.items[0].metadata.name}')
kubectl -n kit-quarantine label pod "$odd" app=examined --overwrite
kubectl -n kit-quarantine get pods --show-labels"""

    def check(self) -> Outcome:
        """Look whether one pod of the Deployment keeps running without an owner, and whether the Deployment has two other ready pods."""
        if self.get("Deployment", "patient") is None:
            return NOT_ATTEMPTED
        pods, sets = self.objects("Pod"), self.objects("ReplicaSet")
        free = [p for p in pods if not any(_selects(s, p) for s in sets)]
        if not free:
            return failed(f"all {len(pods)} pods belong to a ReplicaSet", look="the labels in its selector")
        made = [p["metadata"]["name"] for p in free if p["metadata"].get("generateName", "").startswith("patient-")]
        if not made:
            name = free[0]["metadata"]["name"]
            return failed(f"{name} was never a pod of the Deployment", look="the pods that the ReplicaSet created")
        try:
            examined = self.until("Pod", made[0], _let_go, "started and let go")  # neither is so at once
            self.until("Deployment", "patient", _two, "ready")
        except WaitTimeout as e:
            return failed(*e.observed, look="the Deployment: it needs two ready pods without the examined one")
        if not wait.phase("Running")(examined):
            return failed(f"{made[0]} does not run any more", look="the pod itself: it must keep running")
        return passed(f"{made[0]} runs without an owner, and the Deployment has two other pods")


def _selects(replica_set: Object, pod: Object) -> bool:
    return bool(replica_set["spec"]["selector"]["matchLabels"].items() <= pod["metadata"].get("labels", {}).items())


def _let_go(pod: Object | None) -> bool:
    """Whether the pod has started and has no owner; also true if the pod is gone, because there is nothing to wait for."""
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
        f"The containers of one Pod share its network. In the namespace `kit-{namespace}`, run a Pod `twin` with two "
        "containers of the image `kit.local/catalog:1.0`. The container `front` listens on port 8080, and forwards each "
        f"request for items to the container `back`. This one listens on port {back} of the same Pod. `twin.yaml` has only "
        "the first container. The program reads two variables: `CATALOG_ADDR` is the address on which it listens, such as "
        "`:8080`, and `CATALOG_DOWNSTREAM` is the URL of the program to which it forwards requests."
    )
    hints = (
        "Two containers of one Pod have the same IP address. By which name does a program reach another program on its "
        "own address?",
        "`spec.containers` is a list, so the second container is a second entry. It needs another port, because two "
        "programs cannot listen on the same one. The list of containers cannot be changed while the Pod exists.",
        "Set `CATALOG_ADDR` of `back` to `:9090`, and `CATALOG_DOWNSTREAM` of `front` to `http://localhost:9090`. If the "
        "Pod already exists, delete it first.",
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
        """Look whether both containers run, then create an item in `back`, and look whether `front` returns it."""
        pod = self.get("Pod", self.instance)
        if pod is None:
            return NOT_ATTEMPTED
        names = sorted(c["name"] for c in pod["spec"]["containers"])
        if names != ["back", "front"]:
            return failed(
                f"the containers of the Pod are {', '.join(names)}",
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
                f"an item that was created on port {self.back} is not among the items on port 8080",
                look="CATALOG_DOWNSTREAM of `front`: to which address does it forward requests?",
            )
        return passed(f"an item of port {self.back} is also on port 8080: `front` asks `back` within the Pod")


def has_items(answer: Any) -> bool:
    """Whether this is the program's answer to GET /items."""
    return isinstance(answer, dict) and isinstance(answer.get("items"), list)
