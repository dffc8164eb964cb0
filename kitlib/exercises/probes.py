"""Exercises of 4.4-probes: probes to fix, each judged by its manifest and by what the kubelet then does to live pods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from kitlib.cluster.bound import Namespace
from kitlib.exercises.base import Outcome, failed, passed
from kitlib.exercises.mended import SECONDS, Mended, lives, seen
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.measure.selfhealing import dependency, probes
from kitlib.measure.selfhealing.probes import Probe
from kitlib.measure.workloads.pods import restarts
from kitlib.workloads import app

SPACE = "probes-exercises"
APPLY = f"namespace = cluster.namespace('{SPACE}')\nnamespace.apply(*manifests)"


class Startup(Mended):
    """A slow start, and a liveness probe that does not wait for it."""

    name = "4.4-probes/startup"
    namespace = SPACE
    delay = 10
    slow: ClassVar = {"name": "CATALOG_START_DELAY", "value": f"{delay}s"}
    liveness = Probe(period=1, failures=3)
    task = (
        f"goapp takes {delay} s to start here, and its liveness probe gives up after {liveness.failures}. "
        'Mend `manifests = kit.exercise("4.4-probes/startup").given()` so that the pod becomes ready without a restart, '
        f"and a fault is still noticed as fast as before; apply them in `cluster.namespace('{SPACE}')`."
    )
    hints = (
        "The liveness probe begins with the container, and the program is not there yet. What can hold the liveness "
        "probe back?",
        "A startup probe: until it has passed, the other probes do not run. The liveness probe and the slow start stay "
        "as they are.",
        "Add a `startupProbe` that asks `/startup` on the same port, with `periodSeconds` times `failureThreshold` well "
        "above the time of the start, for instance 1 and 30.",
    )
    solution_text = (
        'manifests = kit.exercise("4.4-probes/startup").given()\n'
        "container = kit.measure.probes.container_of(kit.measure.probes.only(manifests))\n"
        "container['startupProbe'] = kit.measure.probes.Probe(period=1, failures=30).spec('/startup')\n"
        f"{APPLY}"
    )

    def manifests(self, image: str) -> list[Object]:
        """One replica with a slow start and a liveness probe, and without a startup probe."""
        manifests = probes.replicas(
            self.deployment, image, 1, treatments=("quick-exit", "no-startup"), livenessProbe=self.liveness.spec()
        )
        probes.container_of(probes.only(manifests))["env"].append(self.slow)
        return manifests

    def judge(self, namespace: Namespace, deployment: Object) -> Outcome:
        """Look whether liveness probe and slow start are unchanged, and the pod becomes ready without a restart."""
        container = probes.container_of(deployment)
        liveness = Probe.of(container["livenessProbe"]) if "livenessProbe" in container else None
        if liveness != self.liveness:
            return failed(
                f"the liveness probe is: {liveness}",
                look="the liveness probe: it must stay as it was; what waits for a slow start is a probe of its own",
            )
        if self.slow not in container.get("env", []):
            return failed(
                f"its environment has no {self.slow['name']}={self.slow['value']}",
                look="the environment: the start stays slow, the probes wait",
            )
        pod = seen(namespace, self.deployment, lambda pod: restarts(pod) > 0 or wait.condition("Ready")(pod))
        if restarts(pod):
            return failed(*lives(pod), look=_startup_hint(container, self.delay))
        if not wait.condition("Ready")(pod):
            return failed(
                f"after {SECONDS:.0f} s it is not ready", look="the startup probe: which path and port does it ask?"
            )
        return passed("the pod is ready, with 0 restarts", f"its liveness probe: {liveness}")


def _startup_hint(container: Any, delay: int) -> str:
    if "startupProbe" not in container:
        return "`startupProbe`, a third probe: until it passes, the other two rest"
    startup = Probe.of(container["startupProbe"])
    budget = startup.delay + startup.period * startup.failures
    return f"the startup probe's budget, period times failures: {budget} s for a start that takes {delay}"


class Hang(Mended):
    """Notice a hang soon, forgive a pause."""

    name = "4.4-probes/hang"
    namespace = SPACE
    mean, pause = 6, 2
    task = (
        f"Choose the liveness probe so that a hang is acted on within {mean} s on average, "
        f"and a pause of {pause} s never leads to a restart. "
        'Mend `manifests = kit.exercise("4.4-probes/hang").given()`, and apply them in '
        f"`cluster.namespace('{SPACE}')`. The check makes the pod pause, then hang."
    )
    hints = (
        "A probe acts late if it is patient, and too early if it is not. Which of its fields decide how long a hang "
        "takes, and which decide how long a pause may last?",
        "On average, a hang takes P/2 + (F-1) · max(P, T) + T, with P for periodSeconds, T for timeoutSeconds and F for "
        "failureThreshold. In a pause, fewer than F probes in a row may fail.",
        "Ask often and tolerate several failures: for instance `periodSeconds: 1`, `timeoutSeconds: 1`, "
        "`failureThreshold: 4`, on the path `/health`.",
    )
    solution_text = (
        'manifests = kit.exercise("4.4-probes/hang").given()\n'
        "container = kit.measure.probes.container_of(kit.measure.probes.only(manifests))\n"
        "container['livenessProbe'] = kit.measure.probes.Probe(period=1, timeout=1, failures=4).spec('/health')\n"
        f"{APPLY}"
    )

    def manifests(self, image: str) -> list[Object]:
        """One replica with the guide's liveness probe."""
        treatments = ("quick-exit", "faults")
        return probes.replicas(self.deployment, image, 1, treatments=treatments, livenessProbe=probes.GUIDE.spec())

    def judge(self, namespace: Namespace, deployment: Object) -> Outcome:
        """Compute how long a hang takes with this probe, then make the pod pause and hang, and count the restarts."""
        spec = probes.container_of(deployment).get("livenessProbe")
        if not spec:
            return failed("there is no liveness probe", look="livenessProbe: without it nothing notices a hang")
        probe = Probe.of(spec)
        mean = probe.mean("hang")
        if mean > self.mean:
            return failed(
                f"a hang takes {mean:g} s on average, by the formula, with {probe}",
                look="the formula of a hang: P/2 + (F-1) max(P, T) + T",
            )
        return self._try(namespace, probe)

    def _try(self, namespace: Namespace, probe: Probe) -> Outcome:
        app.roll_out(namespace, self.deployment)
        (pod,) = app.pods(namespace, self.deployment)
        before = restarts(pod)
        app.inject(namespace, pod, "hang", lease=f"{self.pause}s", probes=True)
        paused = seen(namespace, self.deployment, lambda pod: restarts(pod) > before, self.pause + probe.period + 1)
        if restarts(paused) > before or probe.failing(self.pause) >= probe.failures:
            return failed(
                f"a pause of {self.pause} s led to {restarts(paused) - before} restarts this time",
                f"it can make {probe.failing(self.pause)} probes in a row fail, and {probe.failures} count",
                look="timeoutSeconds and failureThreshold: how many probes can fail in a pause?",
            )
        app.inject(namespace, pod, "hang", lease="1m", probes=True)
        hung = seen(namespace, self.deployment, lambda pod: restarts(pod) > before, probe.latest("hang") + 4)
        if restarts(hung) == before:
            return failed("a hang did not lead to a restart", look="the path: does the probe ask goapp at all?")
        return passed(
            f"a hang takes {probe.mean('hang'):g} s on average, by the formula",
            "a pause was forgiven, a hang led to a restart",
        )


class Dependency(Mended):
    """A liveness probe that asks a backend."""

    name = "4.4-probes/dependency"
    namespace = SPACE
    task = (
        "The liveness probe of `dependency` asks a backend, so that one slow backend restarts every replica. Mend "
        '`manifests = kit.exercise("4.4-probes/dependency").given()` so that it does not, '
        f"while a pod that hangs itself is still restarted; apply them in `cluster.namespace('{SPACE}')`. The check makes the backend slow."
    )
    hints = (
        "A liveness probe should fail only if a restart of this pod helps. Does a restart help if the backend is slow?",
        "The probe itself can stay. A setting of the program makes `/health` ask the backend as well.",
        "Remove `CATALOG_HEALTH_DEPENDS` from the environment of the container, and apply the manifests.",
    )
    solution_text = (
        'manifests = kit.exercise("4.4-probes/dependency").given()\n'
        "container = kit.measure.probes.container_of(kit.measure.probes.only(manifests, name='dependency'))\n"
        "container['env'] = [e for e in container['env'] if e['name'] != 'CATALOG_HEALTH_DEPENDS']\n"
        f"{APPLY}"
    )

    @property
    def names(self) -> Sequence[str]:
        """The Deployment and its backend."""
        return (self.deployment, dependency.BACKEND)

    def manifests(self, image: str) -> list[Object]:
        """A backend, and replicas whose liveness probe asks it."""
        return [*dependency.backend(image), *dependency.caller(self.deployment, image, depends=True)]

    def judge(self, namespace: Namespace, deployment: Object) -> Outcome:
        """Look whether the liveness probe still asks /health, then make the backend slow and count the restarts."""
        liveness = probes.container_of(deployment).get("livenessProbe")
        if not liveness:
            return failed(
                "there is no liveness probe", look="livenessProbe: a pod that hangs itself must still be restarted"
            )
        if liveness.get("httpGet", {}).get("path") != "/health":
            return failed(
                f"the liveness probe is {liveness}",
                look="the probe itself can stay: what makes /health ask the backend?",
            )
        gained = dependency.provoke(namespace, [self.deployment])[self.deployment]
        if any(gained):
            return failed(
                f"{sum(n > 0 for n in gained)} of {len(gained)} pods were restarted while the backend was slow",
                look="the environment: which setting of goapp makes /health depend on its backend?",
            )
        return passed(
            f"the backend was slow, and 0 of {len(gained)} pods were restarted", "the liveness probe asks /health"
        )
