"""Exercises of 0-start: a Pod from a file, a Pod that does not start, and a first Deployment."""

from __future__ import annotations

from typing import Any

from kitlib.errors import WaitTimeout
from kitlib.exercises.base import NOT_ATTEMPTED, Outcome, failed, passed
from kitlib.exercises.located import Located
from kitlib.kube import quantity, wait
from kitlib.kube.client import Object
from kitlib.workloads import app

SPACE = "start"
WANTED = 2
SECONDS = 20
IMAGE = "kit.local/catalog:1.0"


class _OnePod(Located):
    """An exercise whose answer is one Pod that says a message."""

    message: str

    def check(self) -> Outcome:
        """Look whether the Pod exists, is as the task says, becomes ready, and answers with the message of the task."""
        pod = self.get("Pod", self.instance)
        if pod is None:
            return NOT_ATTEMPTED
        try:
            self.until("Pod", self.instance, wait.condition("Ready"), "ready")
        except WaitTimeout as e:
            return failed(*e.observed, look=obstacle(self.get("Pod", self.instance) or pod))
        return self.written(pod) or self._answers()

    def written(self, pod: Object) -> Outcome | None:
        """A failure when the Pod is not written as the task says, else None."""
        labels = pod["metadata"].get("labels", {})
        if labels.get("app") == self.instance:
            return None
        return failed(f"its labels are {labels}", look=f"metadata.labels: the task asks for app={self.instance}")

    def _answers(self) -> Outcome:
        if not self.says("/settings", lambda found: motd(found) == self.message):
            return failed(
                f"Pod/{self.instance} is ready, and /settings does not show the message {self.message!r}",
                look="the container's environment: spec.containers[0].env, and which program its image has",
            )
        return passed(f"Pod/{self.instance} is ready, and says {self.message!r}")


def motd(settings: Any) -> str:
    """The message that the environment set, from the program's answer to /settings; "" for any other answer."""
    found = settings.get("motd") if isinstance(settings, dict) else None
    return str(found.get("env", "")) if isinstance(found, dict) else ""


def obstacle(pod: Object) -> str:
    """Where to look next: a Pod without a node waits for the scheduler, any other one for the kubelet."""
    if not pod["spec"].get("nodeName"):
        return "what the Pod asks of a node: spec.containers[0].resources"
    return "the name of the image, and what the kubelet says about it in the events"


class Greeter(_OnePod):
    """A Pod from a file of the learner's own."""

    name = "0-start/greeter"
    namespace = "greeter"
    instance = "greeter"
    message = "good morning"
    task = (
        f"In the namespace `kit-{namespace}`, which you make yourself, run a Pod `greeter` of the image `{IMAGE}`. "
        "Write it as a file, and apply that. The Pod has the label `app=greeter`, and its program greets with "
        f"`{message}`: `GET /settings` shows the variable `CATALOG_MOTD` of the container's environment."
    )
    hints = (
        "Which of the files in this chapter is nearly what you need? What has to be different in it?",
        "Copy `pod.yaml` to a file of your own. A name, a label and the value of one variable are different. The "
        "namespace has to exist before the Pod.",
        "`kubectl create namespace kit-greeter` makes the namespace. In your file, `metadata.name` and "
        "`metadata.labels.app` are greeter, and the value below `CATALOG_MOTD` is good morning. Then run `kubectl -n "
        "kit-greeter apply -f greeter.yaml`.",
    )
    solution_text = f"""\
kubectl create namespace kit-greeter --dry-run=client -o yaml | kubectl apply -f -
cat > greeter.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: greeter
  labels:
    app: greeter
spec:
  containers:
    - name: catalog
      image: {IMAGE}
      env:
        - name: CATALOG_MOTD
          value: {message}
END
kubectl -n kit-greeter apply -f greeter.yaml"""


class Repair(_OnePod):
    """A Pod that does not start."""

    name = "0-start/repair"
    namespace = "repair"
    instance = "shop"
    message = "we are open"
    most = "64Mi"
    task = (
        f"`kubectl apply -f broken.yaml` makes a Pod `shop` in the namespace `kit-{namespace}`, and the Pod does not "
        "start. Find out why, and repair the file until the Pod is ready. It keeps its name, its label and its "
        f"message, and asks for some memory, at most `{most}`."
    )
    hints = (
        "Do not read the file first. Ask the cluster: what is the state of the Pod, and what did the cluster try last?",
        "`kubectl -n kit-repair describe pod shop` ends with the events. When the first cause is repaired, there is "
        "another one. Not every field of a Pod can be changed while it exists.",
        "The request must be 64Mi instead of 64Ti, and the image `kit.local/catalog:1.0`. Delete the Pod by `kubectl -n "
        "kit-repair delete pod shop`, then apply the file.",
    )
    solution_text = """\
kubectl apply -f broken.yaml
kubectl -n kit-repair describe pod shop
sed -e 's/64Ti/64Mi/' -e 's/catalogue:/catalog:/' broken.yaml > repaired.yaml
kubectl -n kit-repair delete pod shop
kubectl apply -f repaired.yaml
kubectl -n kit-repair wait pod/shop --for=condition=Ready --timeout=60s"""

    def written(self, pod: Object) -> Outcome | None:
        """A failure when the Pod asks for no memory or for too much, or has lost its label; else None."""
        asked = [c.get("resources", {}).get("requests", {}).get("memory", "0") for c in pod["spec"]["containers"]]
        if not 0 < sum(quantity.parse(a) for a in asked) <= quantity.parse(self.most):
            return failed(
                f"Pod/shop asks for {' + '.join(asked)} of memory",
                look=f"resources.requests of the container: it asks for some memory, at most {self.most}",
            )
        return super().written(pod)


class Hello(Located):
    """A first Deployment."""

    name = "0-start/hello"
    namespace = SPACE
    instance = "hello"
    task = (
        f"A Deployment makes Pods and replaces them. Run one called `hello` with {WANTED} replicas of `{IMAGE}` in the "
        f"namespace `kit-{SPACE}`, and get all of them ready."
    )
    hints = (
        "A Deployment keeps a number of pods running. Which two things does it have to know: what runs, and how many of "
        "it?",
        "`kubectl create deployment --help` shows examples. The number is `spec.replicas`. With `--dry-run=client -o "
        "yaml`, kubectl prints the object instead of creating it, and you can save that as a file.",
        f"`kubectl create deployment hello -n kit-start --image={IMAGE} --replicas=2` makes it, once `kubectl create "
        "namespace kit-start` has made the namespace.",
    )
    solution_text = f"""\
kubectl create namespace kit-{SPACE} --dry-run=client -o yaml | kubectl apply -f -
kubectl create deployment hello --image={IMAGE} --replicas={WANTED} --dry-run=client -o yaml > hello.yaml
kubectl -n kit-{SPACE} apply -f hello.yaml
kubectl -n kit-{SPACE} rollout status deployment/hello --timeout=60s"""

    def check(self) -> Outcome:
        """Look whether the Deployment asks for as many replicas as the task, and all of them become ready."""
        kube = self.cluster.kube
        found = self.get("Deployment", "hello")
        if found is None:
            return NOT_ATTEMPTED
        asked = found["spec"]["replicas"]
        if asked != WANTED:
            return failed(
                f"Deployment/hello asks for {asked} replicas",
                look=f"spec.replicas of the Deployment: the task asks for {WANTED}",
            )
        try:
            wait.until(kube, "Deployment", "hello", f"kit-{SPACE}", done=app.rolled_out, what="ready", seconds=SECONDS)
        except WaitTimeout as e:
            return failed(*e.observed, look=f"why the containers wait: is the image {IMAGE}, with this very tag?")
        return passed(f"Deployment/hello has {WANTED} of {WANTED} replicas ready")
