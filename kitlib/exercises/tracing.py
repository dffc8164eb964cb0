"""Exercises of 4.3-tracing: where spans are sent, which service is slow, which traces are kept.  The traces in Jaeger decide."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial

import pandas as pd

from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.exercises import place
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.exercises.mended import Mended, absent, discard
from kitlib.exercises.terminal import space
from kitlib.kube.client import Object
from kitlib.measure.selfhealing import probes
from kitlib.measure.signals import propagation, sampling
from kitlib.stacks import traces as stack
from kitlib.telemetry import polling
from kitlib.telemetry.spans import own_seconds
from kitlib.telemetry.traces import Traces
from kitlib.workloads import app

SPACE = "tracing-exercises"
INSTALL = "kit.stacks.traces.install(cluster)\n"


class Endpoint(Mended):
    """Spans that are sent to the wrong port."""

    name = "4.3-tracing/endpoint"
    namespace = SPACE
    task = (
        f"`endpoint.yaml` runs the sample service as Deployment `endpoint` in the namespace `kit-{SPACE}`. Its spans never reach Jaeger: "
        "the program sends them by OTLP over HTTP, but to the wrong port. Repair the file and apply it. The check sends a request and "
        "looks for its trace."
    )
    hints = (
        "The program sends its spans to an address with a port. Which port does the collector have for OTLP over HTTP? Apply the file "
        "as it is, send a request, and read the log of the pod.",
        "OTLP has two standard ports: 4317 for gRPC and 4318 for HTTP. `kubectl -n kit-traces get service collector` lists those of the "
        "collector. The address is a setting in the environment of the container.",
        "Set `CATALOG_OTLP_ENDPOINT` to `http://collector.kit-traces:4318` in the list `env` of the container, and run "
        "`kubectl apply -f endpoint.yaml`.",
    )
    solution_text = f"""\
{space(SPACE)}\
kubectl -n kit-traces get service collector
sed -i 's/:4317/:4318/' endpoint.yaml
kubectl apply -f endpoint.yaml
kubectl -n kit-{SPACE} rollout status deployment/endpoint --timeout=60s"""

    def prepare(self) -> None:
        """Also install the stack of the traces, as the chapter does."""
        super().prepare()
        stack.install(self.cluster)

    def judge(self, namespace: Namespace, deployment: Object) -> Outcome:
        """Send a request, and look for its trace in Jaeger."""
        traces = stack.find(self.cluster)
        if traces is None:
            return absent("traces")
        env = probes.container_of(deployment).get("env", [])
        settings = {entry["name"]: entry.get("value", "") for entry in env}
        return self.settled(namespace, partial(self._traced, traces, namespace, settings))

    def _traced(self, traces: Traces, namespace: Namespace, settings: Mapping[str, str], pod: str) -> Outcome:
        endpoint = settings.get("CATALOG_OTLP_ENDPOINT", "")
        since = pd.Timestamp.now("UTC")
        app.ask(namespace, pod, "/items")
        try:
            found = traces.newest(settings.get("CATALOG_NAME", "catalog"), since, seconds=6)
        except WaitTimeout:
            said = [line for line in propagation.written(namespace, pod) if "spans" in line.get("msg", "")]
            return failed(
                f"a request was answered, but Jaeger has no trace of it; the endpoint is {endpoint or 'not set'}",
                *(f"{line['msg']}: {line.get('error')}" for line in said),
                look=self._look(endpoint),
            )
        return passed(f"trace {found['trace_id'].iloc[0]}, number of spans of {self.deployment}: {len(found)}")

    @staticmethod
    def _look(endpoint: str) -> str:
        if not endpoint:
            return "the environment: without CATALOG_OTLP_ENDPOINT, the program sends its spans nowhere"
        if "//collector.kit-traces:" not in endpoint:
            return "the host of the endpoint: the Service `collector` in kit-traces receives spans; Jaeger's query port does not"
        return "the ports of the Service `collector` in kit-traces: one is for gRPC, one for HTTP; goapp sends by HTTP"


class Slow(Exercise):
    """Find the slow one of three services."""

    name = "4.3-tracing/slow"
    task = (
        '`kit.exercise("4.3-tracing/slow").given()` starts gateway, catalog and backend, and makes one of them slow for ten minutes. '
        "They are in `cluster.namespace('tracing-slow')`. Find the slow one by a trace, and remove its delay with "
        "`kit.app.heal(namespace, pod, 'delay')`. Do not change the other two."
    )
    hints = (
        "Run `.given()` first, and send a request to the gateway. Its trace has spans of each service. Which service takes "
        "the time itself?",
        "A span lasts at least as long as the calls that it waits for. `kit.telemetry.spans.own_seconds` gives the time of "
        "each span without the time of its children.",
        "Get the spans with `kit.stacks.traces.find(cluster).newest('gateway', since, spans=5)`, where `since` is a time "
        "before your request. Sum up `kit.telemetry.spans.own_seconds(spans)` per service. Then call "
        "`kit.app.heal(namespace, pod, 'delay')` for the pod of the service with the largest sum.",
    )
    slow, most = 0.4, 0.2  # seconds
    unfelt = "1ms"  # the other two have such a delay, by which the check sees that they were left alone
    lasts = pd.Timedelta(minutes=9.5)  # a little less than the faults
    began, pods = "kit.local/began", "kit.local/pods"  # annotations of the namespace
    solution_text = (
        'kit.exercise("4.3-tracing/slow").given()\n'
        "namespace = cluster.namespace('tracing-slow')\n"
        "since = kit.measure.propagation.asked(namespace)\n"
        "spans = kit.stacks.traces.find(cluster).newest('gateway', since, spans=5)\n"
        "slow = kit.telemetry.spans.own_seconds(spans).groupby(spans['service']).sum().idxmax()\n"
        "kit.app.heal(namespace, kit.app.pods(namespace, slow)[0], 'delay')"
    )
    place = "tracing-slow"

    def given(self) -> None:
        """Start the three services, and give each a delay: a long one for one service, and a very short one for the others."""
        stack.install(self.cluster)
        namespace = self.cluster.namespace(self.place)
        propagation.start(namespace, self.cluster.image("goapp-distroless"))
        hop = secrets.choice(list(app.CHAIN))
        for name in app.CHAIN:
            duration = f"{self.slow * 1000:.0f}ms" if name == hop else self.unfelt
            app.inject(namespace, propagation.pod(namespace, name), "delay", lease="10m", duration=duration)
        pods = ",".join(propagation.pod(namespace, name) for name in app.CHAIN)
        note = {"metadata": {"annotations": {self.began: pd.Timestamp.now("UTC").isoformat(), self.pods: pods}}}
        self.cluster.kube.patch("Namespace", namespace.name, "", note)

    def check(self) -> Outcome:
        """Look whether the pods are still the same, no service is slow any more, and exactly one delay was removed."""
        namespace, traces = Namespace.find(self.cluster, self.place), stack.find(self.cluster)
        if namespace is None or traces is None or not self._running(namespace):
            return NOT_ATTEMPTED
        given = self._note(namespace, self.pods).split(",")
        if others := [name for name in app.CHAIN if propagation.pod(namespace, name) not in given]:
            return failed(
                f"the pods of these services were replaced: {', '.join(others)}",
                look="the pods: a restart removes the fault and its evidence; `.given()` starts again, then heal the slow service only",
            )
        spans = traces.newest("gateway", propagation.asked(namespace), spans=propagation.SPANS)
        own = own_seconds(spans).groupby(spans["service"]).sum()
        if own.max() > self.most:
            return failed(
                f"a request took {spans['seconds'].max():.2f} s; its trace has {len(spans)} spans",
                look="kit.telemetry.spans.own_seconds(spans), summed up per service: the time of a span without the time of its children",
            )
        healed = [name for name in app.CHAIN if not self._delayed(namespace, name)]
        if len(healed) != 1:
            return failed(
                f"no service is slow any more; services without their delay: {', '.join(healed) or 'none'}",
                look="the trace: it shows which service was slow, and only this one may be healed; `.given()` starts again",
            )
        return passed(
            f"the delay was removed from {healed[0]}",
            *(f"{service}: own time {1000 * seconds:.0f} ms" for service, seconds in own.items()),
        )

    def _delayed(self, namespace: Namespace, name: str) -> bool:
        """Whether goapp reports that the service still has its delay."""
        found = app.ask(namespace, propagation.pod(namespace, name), "/faults").body
        return any(fault["kind"] == "delay" for fault in found["faults"])

    def reset(self) -> None:
        """Remove the namespace."""
        if namespace := Namespace.find(self.cluster, self.place):
            namespace.undo()

    def _running(self, namespace: Namespace) -> bool:
        """Whether the exercise has begun, and its fault has not ended by itself since then."""
        began = self._note(namespace, self.began)
        return bool(began) and pd.Timestamp.now("UTC") - pd.Timestamp(began) < self.lasts

    def _note(self, namespace: Namespace, key: str) -> str:
        found = self.cluster.kube.get("Namespace", namespace.name) or {}
        return str(found.get("metadata", {}).get("annotations", {}).get(key, ""))


class Tail(Exercise):
    """Keep the traces of failed requests, and few others."""

    name = "4.3-tracing/tail"
    namespace = SPACE
    requests, wrong, most = 60, 6, 30
    task = (
        "The programs send every trace to the collector. Make the collector keep every trace with an error, and at most "
        f"{most} % of the others. Write an overlay of its configuration with the processor `tail_sampling`, and roll it out with "
        f"`kit.stacks.traces.overlay(cluster, text)`. The check sends {requests} requests, of which {wrong} fail."
    )
    hints = (
        "The collector can select the traces to keep only when they are complete. Which processor waits for that?",
        "`tail_sampling` has policies, and keeps a trace if one of them says yes. You need one policy for errors, and one "
        "for a share of all traces. If a policy says yes to every trace, the other policies have no effect.",
        "Write two policies: `type: status_code` with `status_codes: [ERROR]`, and `type: probabilistic` with a small "
        "`sampling_percentage`. `kit.stacks.traces.TAIL_SAMPLING` is such an overlay.",
    )
    solution_text = f"{INSTALL}kit.stacks.traces.overlay(cluster, kit.stacks.traces.TAIL_SAMPLING)"
    instance = "tail"

    def check(self) -> Outcome:
        """Send requests, some of which fail, and count the traces of each kind that Jaeger keeps."""
        traces = stack.find(self.cluster)
        if traces is None or self._overlay() in ("", "{}"):
            return NOT_ATTEMPTED
        namespace = place.ensure(self.cluster, SPACE)
        namespace.apply(
            *sampling.instance(
                self.instance, self.cluster.image("goapp-distroless"), "always", ["faults", "quick-exit"]
            )
        )
        app.roll_out(namespace, self.instance)
        failures, others = self._kept(traces, namespace)
        saw = f"kept: {failures} of {self.wrong} failed traces, {others} of {self.requests - self.wrong} others"
        if failures < self.wrong:
            return failed(saw, look="the policy of type status_code: which status do spans of failed requests have?")
        if 100 * others > self.most * (self.requests - self.wrong):
            return failed(saw, look="the policies: one that says yes is enough. Which one says yes to all traces?")
        return passed(saw)

    def reset(self) -> None:
        """Remove the overlay from the collector's configuration, and delete the instance of goapp."""
        if stack.find(self.cluster) and self._overlay() not in ("", "{}"):
            stack.overlay(self.cluster, "{}")
        discard(self.cluster, f"kit-{SPACE}", [self.instance])

    def _overlay(self) -> str:
        found = self.cluster.kube.get("StatefulSet", "collector", stack.MEMORY.instance)
        env = probes.container_of(found).get("env", []) if found else []
        return next((str(e.get("value", "")) for e in env if e["name"] == "OVERLAY"), "")

    def _kept(self, traces: Traces, namespace: Namespace) -> tuple[int, int]:
        """The number of traces of failed requests, and of others, that Jaeger has in the end."""
        pod, since = propagation.pod(namespace, self.instance), pd.Timestamp.now("UTC")
        for n in range(self.requests):
            if n == self.requests - self.wrong:
                app.inject(namespace, pod, "error", rate=1.0)
            app.ask(namespace, pod, "/items")
        app.heal(namespace, pod, "error")

        def found() -> pd.DataFrame:
            return traces.search(self.instance, operation="GET /items", since=since, limit=2 * self.requests)

        polling.settled(lambda: len(found()), enough=self.requests, patience=6)
        kept = found()
        return int((kept["errors"] > 0).sum()), int((kept["errors"] == 0).sum())
