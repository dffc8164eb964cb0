"""Exercises of 4.4-probes: Deployments to repair; the check judges how the kubelet treats their running pods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.exercises import terminal
from kitlib.exercises.base import Outcome, failed, passed
from kitlib.exercises.mended import SECONDS, WAITS, Mended, lives
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.measure.selfhealing import dependency
from kitlib.measure.selfhealing.probes import Probe, container_of
from kitlib.measure.workloads.pods import restarts
from kitlib.workloads import app, rollout

SPACE = "probes-exercises"
SPACED = terminal.space(SPACE)
FAULTS = {"name": "CATALOG_FAULTS", "value": "true"}
NO_LIVENESS = "there is no liveness probe"
HASH = "pod-template-hash"


class _Repaired(Mended):
    """An exercise on a Deployment whose pods accept injected faults, because the check uses them."""

    namespace = SPACE
    seconds = SECONDS

    def ready(self, namespace: Namespace, deployment: Object, then: Callable[[str], Outcome]) -> Outcome:
        """Go on with the name of one pod, as `settled` does; fail if the pods do not accept injected faults."""
        if FAULTS not in container_of(deployment).get("env", []):
            return failed(
                "the program does not accept the faults that the check injects",
                look=f"the environment: {FAULTS['name']} must stay {FAULTS['value']!r}",
            )
        return self.settled(namespace, then)


def _seen(namespace: Namespace, pod: str, done: Callable[[Object], bool], seconds: float = SECONDS) -> Object:
    """The pod once it is `done`, or as it was last seen when the time is over; empty when there was none."""
    newest: Object = {}
    for change, found in namespace.cluster.kube.watch("Pod", namespace.name, name=pod, seconds=seconds):
        newest = found
        if change == "DELETED" or done(found):
            break
    return newest


def _hang_restarts(namespace: Namespace, pod: str, seconds: float) -> bool:
    """Make a pod hang; returns whether it was restarted within that time."""
    before = restarts(_seen(namespace, pod, bool))
    app.inject(namespace, pod, "hang", lease="1m", probes=True)
    return restarts(_seen(namespace, pod, lambda found: restarts(found) > before, seconds)) > before


class Startup(_Repaired):
    """A slow start, and a liveness probe that does not wait for it."""

    name = "4.4-probes/startup"
    delay = 10
    slow: ClassVar = {"name": "CATALOG_START_DELAY", "value": f"{delay}s"}
    liveness = Probe(period=1, failures=3)
    task = (
        f"Apply `startup.yaml`. The program in the Deployment `startup` (namespace `kit-{SPACE}`) takes {delay} seconds to start, "
        f"but its liveness probe gives up after {liveness.failures} seconds. Repair the Deployment: the pod must become ready without "
        "a restart. Do not change the liveness probe or the slow start."
    )
    hints = (
        "The liveness probe begins with the container, but the program does not listen yet. What can make the liveness "
        "probe wait?",
        "A container can have a startup probe. The other probes do not run until it has passed. The liveness probe and the "
        "slow start stay as they are.",
        "Add a `startupProbe` that asks `/startup` on the same port. `periodSeconds` times `failureThreshold` must be well "
        "above the time of the start, for example 1 times 30.",
    )
    solution_text = (
        f"{SPACED}"
        "kubectl apply -f startup.yaml\n"
        "cat > startup-patch.yaml <<'END'\n"
        "spec:\n"
        "  template:\n"
        "    spec:\n"
        "      containers:\n"
        "        - name: catalog\n"
        "          startupProbe:\n"
        "            httpGet:\n"
        "              path: /startup\n"
        "              port: http\n"
        "            periodSeconds: 1\n"
        "            failureThreshold: 30\n"
        "END\n"
        f"kubectl -n kit-{SPACE} patch deployment startup --patch-file startup-patch.yaml"
    )

    def judge(self, namespace: Namespace, deployment: Object) -> Outcome:
        """Look whether liveness probe and slow start are unchanged, and whether the pod becomes ready without a restart."""
        container = container_of(deployment)
        liveness = Probe.of(container["livenessProbe"]) if "livenessProbe" in container else None
        if liveness != self.liveness:
            return failed(
                f"the liveness probe has: {liveness}",
                look="the liveness probe: it must stay as it was; another kind of probe waits for a slow start",
            )
        if self.slow not in container.get("env", []):
            return failed(
                f"the environment has no {self.slow['name']}={self.slow['value']}",
                look="the environment: the start must stay slow, and the probes must wait",
            )
        return self._started(namespace, deployment, container)

    def _started(self, namespace: Namespace, deployment: Object, container: Any) -> Outcome:
        pod = _newest(namespace, deployment, lambda found: restarts(found) > 0 or wait.condition("Ready")(found))
        if not pod:
            return failed("the Deployment has no pod", look="kubectl describe replicaset: why is there no pod?")
        if restarts(pod):
            return failed(*lives(pod), look=_startup_hint(container, self.delay))
        if not wait.condition("Ready")(pod):
            return failed(
                f"after {SECONDS:.0f} s the pod is not ready",
                look="the startup probe: which path and port does it ask?",
            )
        return passed("the pod is ready, with 0 restarts", f"its liveness probe has: {self.liveness}")


def _newest(namespace: Namespace, deployment: Object, done: Callable[[Object], bool]) -> Object:
    """A pod of the newest template, once it is `done`, or as it was last seen; empty when there was none."""
    newest = rollout.replica_sets(namespace, deployment["metadata"]["name"])[-1]
    labels = f"{HASH}={newest['metadata']['labels'][HASH]}"
    pod: Object = {}
    for _, pod in namespace.cluster.kube.watch("Pod", namespace.name, labels=labels, seconds=SECONDS):
        if done(pod):
            break
    return pod


def _startup_hint(container: Any, delay: int) -> str:
    if "startupProbe" not in container:
        return "`startupProbe`, a third probe: the other two do not run until it passes"
    startup = Probe.of(container["startupProbe"])
    budget = startup.delay + startup.period * startup.failures
    return f"the time that the startup probe allows (period times failures): {budget} s for a start of {delay} s"


class Hang(_Repaired):
    """Detect a hang soon, and tolerate a pause."""

    name = "4.4-probes/hang"
    mean, pause = 6, 2
    task = (
        f"The Deployment `hang` in `hang.yaml` (namespace `kit-{SPACE}`) has the guide's liveness probe. Choose other numbers for this "
        f"probe. It must detect a hang within {mean} seconds on average, and a pause of {pause} seconds must never lead to a restart. "
        "The check makes the pod pause, then hang."
    )
    hints = (
        "A probe that tolerates much detects a hang late. A probe that tolerates little restarts a pod that only pauses. "
        "Which fields decide how soon a hang is detected, and which decide how long a pause may last?",
        "On average, a hang is detected after P/2 + (F-1) · max(P, T) + T. P is periodSeconds, T is timeoutSeconds, and F is "
        "failureThreshold. In a pause, fewer than F probes in a row may fail.",
        "Let the probe run often and tolerate several failures, for example with `periodSeconds: 1`, `timeoutSeconds: 1` and "
        "`failureThreshold: 4`, on the path `/health`.",
    )
    solution_text = (
        f"{SPACED}"
        "sed -e 's/initialDelaySeconds: .*/initialDelaySeconds: 0/' -e 's/periodSeconds: .*/periodSeconds: 1/' \\\n"
        "    -e 's/timeoutSeconds: .*/timeoutSeconds: 1/' -e 's/failureThreshold: 3$/failureThreshold: 4/' \\\n"
        "    hang.yaml > hang-quick.yaml\n"
        "kubectl apply -f hang-quick.yaml"
    )

    def judge(self, namespace: Namespace, deployment: Object) -> Outcome:
        """Compute how soon this probe detects a hang, then make the pod pause and hang, and count the restarts."""
        spec = container_of(deployment).get("livenessProbe")
        if not spec:
            return failed(NO_LIVENESS, look="livenessProbe: without it, a hang is not detected")
        probe = Probe.of(spec)
        mean = probe.mean("hang")
        if mean > self.mean:
            return failed(
                f"by the formula, a hang is detected after {mean:g} s on average, with {probe}",
                look="the formula for a hang: P/2 + (F-1) max(P, T) + T",
            )
        return self.ready(namespace, deployment, lambda pod: self._pauses(namespace, pod, probe))

    def _pauses(self, namespace: Namespace, pod: str, probe: Probe) -> Outcome:
        before = restarts(_seen(namespace, pod, bool))
        app.inject(namespace, pod, "hang", lease=f"{self.pause}s", probes=True)
        paused = _seen(namespace, pod, lambda found: restarts(found) > before, self.pause + probe.period + 1)
        if restarts(paused) > before or probe.failing(self.pause) >= probe.failures:
            return failed(
                f"a pause of {self.pause} s led to {restarts(paused) - before} restarts this time",
                f"it can make {probe.failing(self.pause)} probes in a row fail, and failureThreshold is {probe.failures}",
                look="timeoutSeconds and failureThreshold: how many probes can fail in a pause?",
            )
        return self._hangs(namespace, pod, probe)

    def _hangs(self, namespace: Namespace, pod: str, probe: Probe) -> Outcome:
        if not _hang_restarts(namespace, pod, probe.delay + probe.latest("hang") + 6):
            return failed("a hang did not lead to a restart", look="the path: does the probe ask the program at all?")
        return passed(
            f"by the formula, a hang is detected after {probe.mean('hang'):g} s on average",
            "the pause led to no restart, and the hang led to one",
        )


class Shell(_Repaired):
    """A probe that needs a program that is not in the image."""

    name = "4.4-probes/shell"
    quiet, within = 6, 15
    task = (
        f"Apply `shell.yaml`. The liveness probe of the Deployment `shell` (namespace `kit-{SPACE}`) does not work. Find the reason "
        f"in the events of the pod, and repair the probe. A program that hangs must be restarted within {within} seconds, and a program "
        "that works must not be restarted. The check waits for a while, then makes the pod hang."
    )
    hints = (
        "The pod looks healthy. Which Warning is among its events, and does it say that the program is broken?",
        "An exec probe starts a program inside the container. The only program in this image is the service itself. Which kind of "
        "probe needs no program in the image?",
        "Replace `exec` by `httpGet` with `path: /health` and `port: http`. `periodSeconds` and `failureThreshold` can stay. A patch "
        "must also remove `exec`, because a probe can have only one kind.",
    )
    solution_text = (
        f"{SPACED}"
        "kubectl apply -f shell.yaml\n"
        f"kubectl -n kit-{SPACE} patch deployment shell --type=json --patch '[\n"
        '  {"op": "remove", "path": "/spec/template/spec/containers/0/livenessProbe/exec"},\n'
        '  {"op": "add", "path": "/spec/template/spec/containers/0/livenessProbe/httpGet",\n'
        '   "value": {"path": "/health", "port": "http"}}]\''
    )

    def judge(self, namespace: Namespace, deployment: Object) -> Outcome:
        """Look whether the container stays up for a while, then make it hang and see whether it is restarted."""
        if "livenessProbe" not in container_of(deployment):
            return failed(NO_LIVENESS, look="livenessProbe: without it, a program that hangs is not restarted")
        return self.ready(namespace, deployment, lambda pod: self._tried(namespace, pod))

    def _tried(self, namespace: Namespace, pod: str) -> Outcome:
        before = restarts(_seen(namespace, pod, bool))
        found = _seen(namespace, pod, lambda found: restarts(found) > before, self.quiet)
        if restarts(found) > before:
            return failed(*lives(found), look="kubectl describe pod: why does the probe fail while the program works?")
        if _hang_restarts(namespace, pod, self.within):
            return passed("the container stayed up, and a hang led to a restart")
        saw = f"a hang led to no restart within {self.within} s"
        if errors := _errored(namespace, pod):
            return failed(saw, *errors, look="the events of the pod: could the kubelet run the liveness probe at all?")
        return failed(saw, look="what the liveness probe asks: can it fail when the program hangs?")


def _errored(namespace: Namespace, pod: str) -> list[str]:
    """The last event of a pod about a probe that could not be run, if there is any."""
    events = namespace.cluster.kube.list("Event", namespace.name)
    mine = [str(event.get("message", "")) for event in events if event.get("involvedObject", {}).get("name") == pod]
    return [message for message in mine if "probe errored" in message][-1:]


class Traffic(_Repaired):
    """A pod that is not ready gets no requests, and is not restarted either."""

    name = "4.4-probes/traffic"
    within, lasts = 5, 10
    task = (
        f"Apply `traffic.yaml`. A pod of the Deployment `traffic` (namespace `kit-{SPACE}`) can report on `/ready` that it wants no "
        f"requests, but the Service still sends them. Repair the Deployment: the Service must stop using such a pod within {within} "
        "seconds, and the pod must not be restarted. The check makes one pod report that it is not ready."
    )
    hints = (
        "Three probes can ask three different paths. Which probe decides about requests, and which path does it ask here?",
        "The readiness probe decides whether the Service sends requests. Its path here answers as long as the process can answer.",
        "Set the path of the `readinessProbe` to `/ready`. The `livenessProbe` stays at `/health`. In a JSON patch, the field is "
        "`/spec/template/spec/containers/0/readinessProbe/httpGet/path`.",
    )
    solution_text = (
        f"{SPACED}"
        "kubectl apply -f traffic.yaml\n"
        f"kubectl -n kit-{SPACE} patch deployment traffic --type=json --patch '[\n"
        '  {"op": "replace", "path": "/spec/template/spec/containers/0/readinessProbe/httpGet/path", "value": "/ready"}]\''
    )

    def judge(self, namespace: Namespace, deployment: Object) -> Outcome:
        """Make one pod report that it is not ready, and look at the EndpointSlices and at the restarts."""
        if self.cluster.kube.get("Service", self.deployment, namespace.name) is None:
            return failed(
                "there is no Service/traffic", look="kubectl apply -f traffic.yaml: the file also has a Service"
            )
        return self.ready(namespace, deployment, lambda pod: self._leaves(namespace, pod))

    def _leaves(self, namespace: Namespace, pod: str) -> Outcome:
        before = restarts(_seen(namespace, pod, bool))
        app.inject(namespace, pod, "not-ready", lease=f"{self.lasts}s")
        left = _out_of_service(namespace, self.deployment, pod, self.within)
        found = _seen(namespace, pod, lambda found: restarts(found) > before, self.lasts - self.within)
        if restarts(found) > before:
            return failed(
                "the pod that was not ready was restarted", look="the liveness probe: it must not ask for readiness"
            )
        if not left:
            return failed(
                f"after {self.within} s the Service still sent requests to the pod that was not ready",
                look="the readiness probe: which path does it ask, and how soon does it give up?",
            )
        return passed("the Service stopped using the pod that was not ready", "the pod was not restarted")


def _out_of_service(namespace: Namespace, service: str, pod: str, seconds: float) -> bool:
    """Whether the EndpointSlices of a Service stop naming a pod as ready within that time."""
    labels = f"kubernetes.io/service-name={service}"
    for _, found in namespace.cluster.kube.watch("EndpointSlice", namespace.name, labels=labels, seconds=seconds):
        mine = [e for e in found.get("endpoints") or () if e.get("targetRef", {}).get("name") == pod]
        if mine and not any(e["conditions"].get("ready") for e in mine):
            return True
    return False


class Dependency(_Repaired):
    """A liveness probe that asks a backend."""

    name = "4.4-probes/dependency"
    task = (
        f"Apply `dependency.yaml`. The liveness probe of the Deployment `dependency` (namespace `kit-{SPACE}`) asks a backend, so that one "
        "slow backend leads to a restart of every replica. Repair the Deployment: a slow backend must restart no replica, but a pod "
        "that itself hangs must still be restarted. The check makes the backend slow."
    )
    hints = (
        "A liveness probe should fail only if a restart of this pod helps. Does a restart help if the backend is slow?",
        "The probe itself can stay. A setting of the program makes `/health` also ask the backend.",
        f"Remove `CATALOG_HEALTH_DEPENDS` from the environment of the container: `kubectl -n kit-{SPACE} set env "
        "deployment/dependency CATALOG_HEALTH_DEPENDS-`.",
    )
    solution_text = (
        f"{SPACED}"
        "kubectl apply -f dependency.yaml\n"
        f"kubectl -n kit-{SPACE} set env deployment/dependency CATALOG_HEALTH_DEPENDS-"
    )

    @property
    def names(self) -> Sequence[str]:
        """The Deployment and its backend."""
        return (self.deployment, dependency.BACKEND)

    def judge(self, namespace: Namespace, deployment: Object) -> Outcome:
        """Look whether the liveness probe still asks /health, then make the backend slow and count the restarts."""
        liveness = container_of(deployment).get("livenessProbe")
        if not liveness:
            return failed(NO_LIVENESS, look="livenessProbe: a pod that itself hangs must still be restarted")
        if liveness.get("httpGet", {}).get("path") != "/health":
            return failed(
                f"the liveness probe is {liveness}",
                look="the probe itself can stay: what makes /health ask the backend?",
            )
        if self.cluster.kube.get("Deployment", dependency.BACKEND, namespace.name) is None:
            return failed(
                "there is no Deployment/backend", look="kubectl apply -f dependency.yaml: the file also has the backend"
            )
        return self._provoked(namespace)

    def _provoked(self, namespace: Namespace) -> Outcome:
        try:
            gained = dependency.provoke(namespace, [self.deployment])[self.deployment]
        except WaitTimeout as e:
            return failed(*e.observed[:5], look=WAITS)
        if any(gained):
            return failed(
                f"{sum(n > 0 for n in gained)} of {len(gained)} pods were restarted while the backend was slow",
                look="the environment: which setting of the program makes /health depend on its backend?",
            )
        return passed(
            f"the backend was slow, and 0 of {len(gained)} pods were restarted", "the liveness probe asks /health"
        )
