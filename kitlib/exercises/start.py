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
    """An exercise whose answer is one Pod that shows a message."""

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
        """A failure if the Pod does not have the label of the task, else None."""
        labels = pod["metadata"].get("labels", {})
        if labels.get("app") == self.instance:
            return None
        return failed(f"its labels are {labels}", look=f"metadata.labels: the task asks for app={self.instance}")

    def _answers(self) -> Outcome:
        if not self.says("/settings", lambda found: motd(found) == self.message):
            return failed(
                f"Pod/{self.instance} is ready, but /settings does not show the message {self.message!r}",
                look="the environment of the container (spec.containers[0].env), and the program in its image",
            )
        return passed(f"Pod/{self.instance} is ready, and shows {self.message!r}")


def motd(settings: Any) -> str:
    """The message that the environment set, from the program's answer to /settings; "" for any other answer."""
    found = settings.get("motd") if isinstance(settings, dict) else None
    return str(found.get("env", "")) if isinstance(found, dict) else ""


def obstacle(pod: Object) -> str:
    """Where to look next: a Pod without a node waits for the scheduler, any other Pod for the kubelet."""
    if not pod["spec"].get("nodeName"):
        return "the resources that the Pod requests: spec.containers[0].resources"
    return "the name of the image, and the events of the kubelet about it"


class Greeter(_OnePod):
    """A Pod from the learner's own file."""

    name = "0-start/greeter"
    namespace = "greeter"
    instance = "greeter"
    message = "good morning"
    task = (
        f"Create the namespace `kit-{namespace}`, and run a Pod `greeter` with the image `{IMAGE}` in it. Write the Pod as "
        "a file, and apply the file. The Pod must have the label `app=greeter`, and its program must show the message "
        f"`{message}`. The message is the value of the variable `CATALOG_MOTD` in the container's environment. "
        "`GET /settings` returns it."
    )
    hints = (
        "Which file of this chapter is almost what you need? What has to be different in it?",
        "Copy `pod.yaml` to a new file. Change a name, a label and the value of one variable. The namespace has to exist "
        "before the Pod.",
        "`kubectl create namespace kit-greeter` creates the namespace. In your file, set `metadata.name` and "
        "`metadata.labels.app` to greeter, and the value of `CATALOG_MOTD` to good morning. Then run `kubectl -n "
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
        f"`kubectl apply -f broken.yaml` creates a Pod `shop` in the namespace `kit-{namespace}`. The Pod does not start. "
        "Find out why, and repair the file until the Pod is ready. The Pod must keep its name, its label and its message. "
        f"It must request some memory, at most `{most}`."
    )
    hints = (
        "Do not read the file first. Ask the cluster: what is the state of the Pod, and what did the cluster try last?",
        "`kubectl -n kit-repair describe pod shop` shows the events at its end. After you have repaired the first cause, "
        "you will find a second one. Some fields of a Pod cannot be changed while it exists.",
        "Change the memory request from 64Ti to 64Mi, and the image to `kit.local/catalog:1.0`. Delete the Pod with "
        "`kubectl -n kit-repair delete pod shop`, then apply the file.",
    )
    solution_text = """\
kubectl apply -f broken.yaml
kubectl -n kit-repair describe pod shop
sed -e 's/64Ti/64Mi/' -e 's/catalogue:/catalog:/' broken.yaml > repaired.yaml
kubectl -n kit-repair delete pod shop
kubectl apply -f repaired.yaml
kubectl -n kit-repair wait pod/shop --for=condition=Ready --timeout=60s"""

    def written(self, pod: Object) -> Outcome | None:
        """A failure if the Pod requests no memory or too much, or has lost its label; else None."""
        asked = [c.get("resources", {}).get("requests", {}).get("memory", "0") for c in pod["spec"]["containers"]]
        if not 0 < sum(quantity.parse(a) for a in asked) <= quantity.parse(self.most):
            return failed(
                f"Pod/shop requests {' + '.join(asked)} of memory",
                look=f"resources.requests of the container: it must request some memory, at most {self.most}",
            )
        return super().written(pod)


class Hello(Located):
    """A first Deployment."""

    name = "0-start/hello"
    namespace = SPACE
    instance = "hello"
    task = (
        f"A Deployment creates Pods and replaces them. Run a Deployment `hello` with {WANTED} replicas of `{IMAGE}` in the "
        f"namespace `kit-{SPACE}`. All replicas must become ready."
    )
    hints = (
        "A Deployment keeps a number of Pods running. It has to know two things: what runs in a Pod, and how many Pods "
        "there are. Which command sets both?",
        "`kubectl create deployment --help` shows examples. The number of Pods is `spec.replicas`. With `--dry-run=client "
        "-o yaml`, kubectl prints the object instead of creating it. You can save this output as a file.",
        "First create the namespace with `kubectl create namespace kit-start`. Then create the Deployment with `kubectl "
        f"create deployment hello -n kit-start --image={IMAGE} --replicas=2`.",
    )
    solution_text = f"""\
kubectl create namespace kit-{SPACE} --dry-run=client -o yaml | kubectl apply -f -
kubectl create deployment hello --image={IMAGE} --replicas={WANTED} --dry-run=client -o yaml > hello.yaml
kubectl -n kit-{SPACE} apply -f hello.yaml
kubectl -n kit-{SPACE} rollout status deployment/hello --timeout=60s"""

    def check(self) -> Outcome:
        """Look whether the Deployment has the number of replicas of the task, and whether all of them become ready."""
        kube = self.cluster.kube
        found = self.get("Deployment", "hello")
        if found is None:
            return NOT_ATTEMPTED
        asked = found["spec"]["replicas"]
        if asked != WANTED:
            return failed(
                f"spec.replicas of Deployment/hello is {asked}",
                look=f"spec.replicas of the Deployment: the task asks for {WANTED}",
            )
        try:
            wait.until(kube, "Deployment", "hello", f"kit-{SPACE}", done=app.rolled_out, what="ready", seconds=SECONDS)
        except WaitTimeout as e:
            return failed(*e.observed, look=f"the image of the containers: is it {IMAGE}, with exactly this tag?")
        return passed(f"Deployment/hello has {WANTED} of {WANTED} replicas ready")
