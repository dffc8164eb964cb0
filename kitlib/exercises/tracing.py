"""Exercises of 4.3-tracing, judged by the traces that Jaeger then has: where spans go, which hop is slow, what is kept."""

from __future__ import annotations

import secrets

import pandas as pd

from kitlib import app
from kitlib.cluster import Space
from kitlib.errors import WaitTimeout
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.exercises.mended import Mended, discard
from kitlib.kube import Object
from kitlib.measure import probes, propagation, sampling
from kitlib.stacks import traces as stack
from kitlib.telemetry import again
from kitlib.telemetry.spans import own_seconds
from kitlib.telemetry.traces import Traces

SPACE = "tracing-exercises"
APPLY = f"cluster.space('{SPACE}').apply(*manifests)"
INSTALL = "from kitlib.stacks import traces as stack\n"


class Endpoint(Mended):
    """Spans that are sent to the wrong port."""

    name = "4.3-tracing/endpoint"
    space = SPACE
    task = (
        "Spans of `endpoint` never reach Jaeger: they go by OTLP over HTTP to a port for something else. Mend "
        '`manifests = kit.exercise("4.3-tracing/endpoint").given()`, and apply them in '
        f"`cluster.space('{SPACE}')`. The check sends requests, and looks for their traces."
    )
    wrong = "http://collector.kit-traces:4317"
    solution_text = (
        f"{INSTALL}stack.install(cluster)\n"
        'manifests = kit.exercise("4.3-tracing/endpoint").given()\n'
        "container = kit.measure.probes.container_of(kit.measure.probes.only(manifests))\n"
        "for setting in container['env']:\n"
        "    if setting['name'] == 'CATALOG_OTLP_ENDPOINT':\n"
        "        setting['value'] = 'http://collector.kit-traces:4318'\n"
        f"{APPLY}"
    )

    def manifests(self, image: str) -> list[Object]:
        env = {"CATALOG_OTLP_ENDPOINT": self.wrong, "CATALOG_NAME": self.deployment}
        return app.manifests(self.deployment, image, treatments=["traced", "quick-exit"], env=env)

    def judge(self, space: Space, deployment: Object) -> Outcome:
        traces = stack.find(self.cluster)
        if traces is None:
            return NOT_ATTEMPTED
        app.roll_out(space, self.deployment)
        since = pd.Timestamp.now("UTC")
        settings = {e["name"]: e.get("value", "") for e in probes.container_of(deployment)["env"]}
        (pod,) = app.pods(space, self.deployment)
        app.ask(space, pod, "/items")
        try:
            found = traces.newest(settings.get("CATALOG_NAME", "catalog"), since, seconds=6)
        except WaitTimeout:
            return failed(
                f"a request was answered, and Jaeger has no trace of it; endpoint {settings.get('CATALOG_OTLP_ENDPOINT')}",
                *(
                    line["msg"] + ": " + line["error"]
                    for line in propagation.log(space, self.deployment)
                    if "spans" in line["msg"]
                ),
                look=self._look(settings.get("CATALOG_OTLP_ENDPOINT", "")),
            )
        return passed(f"trace {found['trace_id'].iloc[0]} has {len(found)} span of {self.deployment}")

    @staticmethod
    def _look(endpoint: str) -> str:
        if "//collector.kit-traces:" not in endpoint:
            return "who takes spans: `collector` in kit-traces; Jaeger's port for questions is none for spans"
        return "the ports of the Service `collector` in kit-traces: one is for gRPC, one for HTTP; goapp sends by HTTP"


class Slow(Exercise):
    """Find the slow hop of three."""

    name = "4.3-tracing/slow"
    task = (
        '`kit.exercise("4.3-tracing/slow").given()` starts gateway, catalog and backend, and makes one of them slow for ten minutes. '
        "Find it by a trace, and heal it with `kit.app.heal(space, pod, 'delay')`, without touching the other two."
    )
    first_hint = "`.given()` first; then a request to the gateway, `traces.newest('gateway', since, spans=5)`, and `own_seconds`."
    slow, most, lasts = 0.4, 0.2, pd.Timedelta(minutes=10)
    began, pods = "kit.local/began", "kit.local/pods"  # annotations of the namespace
    solution_text = (
        f"{INSTALL}"
        "from kitlib.telemetry.spans import own_seconds\n"
        'kit.exercise("4.3-tracing/slow").given()\n'
        "space = cluster.space('tracing-slow')\n"
        "since = kit.measure.propagation.asked(space)\n"
        "spans = stack.find(cluster).newest('gateway', since, spans=5)\n"
        "slow = own_seconds(spans).groupby(spans['service']).sum().idxmax()\n"
        "kit.app.heal(space, kit.app.pods(space, slow)[0], 'delay')"
    )
    place = "tracing-slow"

    def given(self) -> None:
        """Start the three, and make one of them slow."""
        stack.install(self.cluster)
        space = self.cluster.space(self.place)
        propagation.start(space, self.cluster.image("goapp-distroless"))
        hop = secrets.choice(list(app.CHAIN))
        app.inject(space, propagation.pod(space, hop), "delay", lease="10m", duration=f"{self.slow * 1000:.0f}ms")
        pods = ",".join(propagation.pod(space, name) for name in app.CHAIN)
        note = {"metadata": {"annotations": {self.began: pd.Timestamp.now("UTC").isoformat(), self.pods: pods}}}
        self.cluster.kube.patch("Namespace", space.name, "", note)

    def check(self) -> Outcome:
        space, traces = Space.find(self.cluster, self.place), stack.find(self.cluster)
        if space is None or traces is None or not self._running(space):
            return NOT_ATTEMPTED
        given = self._note(space, self.pods).split(",")
        if others := [name for name in app.CHAIN if propagation.pod(space, name) not in given]:
            return failed(
                f"other pods than were given: of {', '.join(others)}",
                look="a restart takes the fault away, and with it everything that could tell of it: heal the one that is slow",
            )
        spans = traces.newest("gateway", propagation.asked(space), spans=propagation.SPANS)
        own = own_seconds(spans).groupby(spans["service"]).sum()
        if own.max() > self.most:
            return failed(
                f"a request took {spans['seconds'].max():.2f} s, {len(spans)} spans",
                look="own_seconds(spans), summed by service: a span's own time is what its children do not explain",
            )
        return passed(*(f"{service}: {1000 * seconds:.0f} ms of its own" for service, seconds in own.items()))

    def reset(self) -> None:
        if space := Space.find(self.cluster, self.place):
            space.undo()

    def _running(self, space: Space) -> bool:
        """Given, and not so long ago that the fault has ended by itself."""
        began = self._note(space, self.began)
        return bool(began) and pd.Timestamp.now("UTC") - pd.Timestamp(began) < self.lasts

    def _note(self, space: Space, key: str) -> str:
        found = self.cluster.kube.get("Namespace", space.name) or {}
        return str(found.get("metadata", {}).get("annotations", {}).get(key, ""))


class Tail(Exercise):
    """Keep what failed, and little else."""

    name = "4.3-tracing/tail"
    space = SPACE
    requests, wrong, most = 60, 6, 30
    task = (
        "Programs send every trace. Make the collector keep each one in which something failed, and of the others "
        f"at most {most} %: write an overlay of its configuration with the processor tail_sampling, and roll it out by "
        f"`stack.overlay(cluster, text)`. The check sends {requests} requests, of which {wrong} fail."
    )
    first_hint = "`stack.TAIL_SAMPLING` is an overlay to begin with; its policies are joined by or."
    solution_text = f"{INSTALL}stack.install(cluster)\nstack.overlay(cluster, stack.TAIL_SAMPLING)"
    instance = "tail"

    def check(self) -> Outcome:
        traces = stack.find(self.cluster)
        if traces is None or self._overlay() in ("", "{}"):
            return NOT_ATTEMPTED
        space = self.cluster.space(SPACE)
        space.apply(
            *sampling.instance(
                self.instance, self.cluster.image("goapp-distroless"), "always", ["faults", "quick-exit"]
            )
        )
        app.roll_out(space, self.instance)
        failures, others = self._kept(traces, space)
        saw = f"kept: {failures} of {self.wrong} traces that failed, {others} of {self.requests - self.wrong} others"
        if failures < self.wrong:
            return failed(saw, look="a policy of type status_code: which status do spans of failed requests have?")
        if 100 * others > self.most * (self.requests - self.wrong):
            return failed(saw, look="policies are joined by or: which one says yes to all of them?")
        return passed(saw)

    def reset(self) -> None:
        if stack.find(self.cluster) and self._overlay() not in ("", "{}"):
            stack.overlay(self.cluster, "{}")
        discard(self.cluster, f"kit-{SPACE}", [self.instance])

    def _overlay(self) -> str:
        found = self.cluster.kube.get("StatefulSet", "collector", stack.MEMORY.instance)
        env = probes.container_of(found).get("env", []) if found else []
        return next((str(e.get("value", "")) for e in env if e["name"] == "OVERLAY"), "")

    def _kept(self, traces: Traces, space: Space) -> tuple[int, int]:
        """How many traces of failed requests, and of others, Jaeger has in the end."""
        pod, since = propagation.pod(space, self.instance), pd.Timestamp.now("UTC")
        for n in range(self.requests):
            if n == self.requests - self.wrong:
                app.inject(space, pod, "error", rate=1.0)
            app.ask(space, pod, "/items")
        app.heal(space, pod, "error")

        def found() -> pd.DataFrame:
            return traces.search(self.instance, operation="GET /items", since=since, limit=2 * self.requests)

        again.settled(lambda: len(found()), enough=self.requests, patience=6)
        kept = found()
        return int((kept["errors"] > 0).sum()), int((kept["errors"] == 0).sum())
