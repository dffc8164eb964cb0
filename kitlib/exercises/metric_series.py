"""Exercises of 4.2-metrics: a pod to scrape, a share to record, and a label with too many values."""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import yaml

from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.exercises.mended import Mended, absent
from kitlib.exercises.terminal import space
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.stacks import metrics as stack
from kitlib.stacks import prometheus
from kitlib.telemetry import polling
from kitlib.telemetry.metrics import Metrics
from kitlib.workloads import app, traffic

IMAGE = "goapp-scratch"
DISCOVERED = 15.0  # seconds until a new pod has been discovered and scraped
EVALUATED = 15.0  # seconds until a rule over a few scrapes has a value
FORGOTTEN = 12.0  # seconds until a rule over 5 seconds, scraped and evaluated each second, has no value of before
ITEMS = 'http_request_duration_seconds_count{route="/items"'
SHARE = f'sum(rate({ITEMS}, code=~"5.."}}[5s])) / sum(rate({ITEMS}}}[5s]))'
Pair = tuple[float, float]  # the true share, and the recorded one


class Scraped(Mended):
    """A pod whose metrics are not collected."""

    name = "4.2-metrics/scraped"
    namespace = "metrics-exercises"
    interval = 1.0
    task = (
        f"`scraped.yaml` runs the sample service as Deployment `scraped` in the namespace `kit-{namespace}`. Prometheus does not scrape "
        "it. Complete the file and apply it. The Prometheus of the stack must scrape the pod every second. A pod asks for this by the "
        "annotations `prometheus.io/scrape`, `prometheus.io/port`, `prometheus.io/path` and `prometheus.io/interval`. The check asks "
        "Prometheus for its targets."
    )
    hints = (
        "Prometheus finds the pods through the Kubernetes API, and scrapes those that ask for it. On which object does it "
        "look for the annotations?",
        "It reads the annotations of the pod. The annotations of a Deployment are not copied to its pods, but those in "
        f"`spec.template.metadata` are. `kubectl -n kit-{namespace} describe pod` shows what a pod has.",
        'Add `annotations:` beside the `labels:` of the pod template, with four entries: `prometheus.io/scrape: "true"`, '
        '`prometheus.io/port: "8080"`, `prometheus.io/path: /metrics` and `prometheus.io/interval: 1s`. All values are strings, so '
        "`true` and `8080` need quotes. Then run `kubectl apply -f scraped.yaml`.",
    )
    solution_text = f"""\
{space(namespace)}\
sed -i '/^    metadata:$/r /dev/stdin' scraped.yaml <<'YAML'
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "8080"
        prometheus.io/path: /metrics
        prometheus.io/interval: 1s
YAML
kubectl apply -f scraped.yaml
kubectl -n kit-{namespace} rollout status deployment/scraped --timeout=60s"""

    def prepare(self) -> None:
        """Also install the stack of the metrics, as the chapter does."""
        super().prepare()
        stack.install(self.cluster)

    def judge(self, namespace: Namespace, _: Object) -> Outcome:
        """Look whether Prometheus has the pod as a target, reaches it, and scrapes it every second."""
        metrics = stack.find(self.cluster)
        return self.settled(namespace, partial(self._target, metrics, namespace)) if metrics else absent("metrics")

    def _target(self, metrics: Metrics, namespace: Namespace, pod: str) -> Outcome:
        found = self.cluster.kube.get("Pod", pod, namespace.name) or {"metadata": {}}
        if found["metadata"].get("annotations", {}).get("prometheus.io/scrape") == "true":
            with suppress(WaitTimeout):
                metrics.until(f'up{{job="pods", pod="{pod}"}}', seconds=DISCOVERED)
        targets = metrics.targets().set_index("pod")
        if pod not in targets.index:
            return failed(
                f"Prometheus has no target for the pod {pod}",
                look="the annotations of the pod template: those of the Deployment are not copied to its pods, and an interval has a unit",
            )
        target = targets.loc[pod]
        if target["health"] != "up":
            return failed(
                f"{target['url']} is {target['health']}: {target['error']}",
                look="the port on which goapp listens, and the path of its metrics",
            )
        if target["interval"] != self.interval:
            return failed(
                f"the target is up, and is scraped every {target['interval']:g} s",
                look="the annotation prometheus.io/interval",
            )
        return passed(f"{target['url']} is up, and is scraped every {target['interval']:g} s")


class Own(Exercise):
    """An exercise with a separate Prometheus in its own namespace, and with goapp under load in the same namespace."""

    namespace: str  # NAME of the namespace kit-NAME

    def given(self) -> str:
        """Start goapp and a load; returns the text of a prometheus.yml."""
        namespace = self.cluster.namespace(self.namespace)
        namespace.apply(*app.manifests("shop", self.cluster.image(IMAGE), treatments=["faults", "quick-exit"]))
        app.roll_out(namespace, "shop")
        jobs = self.begin(namespace, app.pods(namespace, "shop")[0])
        configuration = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": ["rules.yml"]}
        targets = [{"job_name": job, "static_configs": [{"targets": [address]}]} for job, address in jobs.items()]
        return yaml.safe_dump({**configuration, "scrape_configs": targets}, sort_keys=False)

    @abstractmethod
    def begin(self, namespace: Namespace, shop: Object) -> dict[str, str]:
        """Start the targets of the scrapes; returns job → address."""

    def check(self) -> Outcome:
        """Look whether the learner's Prometheus exists, then judge it."""
        namespace = Namespace.find(self.cluster, self.namespace)
        if namespace is None or self.cluster.kube.get("StatefulSet", prometheus.NAME, namespace.name) is None:
            return NOT_ATTEMPTED
        return self.judge(Metrics(namespace))

    @abstractmethod
    def judge(self, metrics: Metrics) -> Outcome:
        """Judge the learner's Prometheus."""

    def reset(self) -> None:
        """Remove the namespace with everything in it."""
        if namespace := Namespace.find(self.cluster, self.namespace):
            namespace.undo()


class Ratio(Own):
    """A share of requests, recorded by a rule."""

    name = "4.2-metrics/ratio"
    namespace = "metrics-ratio"
    record = "shop:errors:ratio"
    failing = (0.3, 0.7)  # shares in turn; errors divided by successes would be 0.43 and 2.3
    tolerance = 0.1
    task = (
        '`configuration = kit.exercise("4.2-metrics/ratio").given()` starts goapp with faults and a load on `/items`. It returns a '
        f"prometheus.yml with `rule_files: [rules.yml]`. Write a recording rule with the name `{record}`. It must record, as one "
        "series, the share of these requests that were answered with 5xx in the last 5 seconds. Run Prometheus with your rule: "
        f"`kit.stacks.prometheus.start(cluster.namespace('{namespace}'), configuration, rules)`. The check changes the share of errors."
    )
    hints = (
        "Run `.given()` first. A share is one rate divided by another. Which requests does the numerator count, and which "
        "does the denominator count?",
        "Prometheus divides only series that have the same labels, and rates of different codes have different labels. "
        "Apply `sum` to both rates first. The denominator counts all requests, not only the successful ones.",
        "Write a group with one rule, which has `record:` and `expr:`. The expression is "
        '`sum(rate(http_request_duration_seconds_count{route="/items", code=~"5.."}[5s]))`, divided by the same without '
        "`code`.",
    )
    solution_text = f'''\
configuration = kit.exercise("4.2-metrics/ratio").given()
rules = """
groups:
  - name: shop
    rules:
      - record: {record}
        expr: |
          sum(rate(http_request_duration_seconds_count{{route="/items", code=~"5.."}}[5s]))
          / sum(rate(http_request_duration_seconds_count{{route="/items"}}[5s]))
"""
kit.stacks.prometheus.start(cluster.namespace("{namespace}"), configuration, rules)'''

    def begin(self, namespace: Namespace, shop: Object) -> dict[str, str]:
        """Make goapp answer a share of its requests with errors, and start the load."""
        app.inject(namespace, shop, "error", lease="8m", rate=self.failing[0])
        self._load(namespace)
        return {"shop": f"shop.{namespace.name}:80"}

    def _load(self, namespace: Namespace) -> None:
        traffic.start(namespace, f"http://shop.{namespace.name}/items", rate=40, seconds=400)

    def judge(self, metrics: Metrics) -> Outcome:
        """Set two shares of errors, one after the other, and compare the recorded value with the share that Prometheus counts."""
        if not wait.phase("Running")(self.cluster.kube.get("Pod", "traffic", metrics.namespace.name)):
            self._load(metrics.namespace)  # the one of given() is over
        try:
            found = metrics.until(f"{self.record} and on () (count(count_over_time({ITEMS}}}[5s]) > 3) > 1)", EVALUATED)
        except WaitTimeout:
            broken = metrics.rules()
            saw = [f"{r.name}: {r.health} {r.error}" for r in broken.itertuples()] or ["Prometheus has no rule"]
            return failed(
                *saw,
                look=f"the rule: does its expression have a value, and does it record this value as {self.record}?",
            )
        values = ", ".join(f"{value:.3g}" for value in found["value"])
        if len(found) > 1 or set(found.columns) - {"__name__", "time", "value"}:
            return failed(
                f"{len(found)} series: {values}",
                look="the labels that the result still has: rates of different codes differ in their labels. What does `sum` do?",
            )
        pairs = [self._at(metrics, failing) for failing in self.failing]
        saw = [f"{self.record}: {recorded:.3g}, share of errors: {share:.3g}" for share, recorded in pairs]
        look = misses(pairs, self.tolerance)
        return failed(*saw, look=look) if look else passed(*saw)

    def _at(self, metrics: Metrics, failing: float) -> Pair:
        """Let goapp answer this share of requests with errors; returns the share that Prometheus counts, and the recorded value.

        Returns as soon as both have the expected values, or after FORGOTTEN seconds, when the rule no longer uses older samples.
        """
        for shop in app.pods(metrics.namespace, "shop"):
            app.inject(metrics.namespace, shop, "error", lease="8m", rate=failing)
        deadline = time.monotonic() + FORGOTTEN
        while True:
            share, recorded = (_one(metrics, expression) for expression in (SHARE, self.record))
            right = abs(share - failing) <= self.tolerance and abs(recorded - share) <= self.tolerance
            if right or time.monotonic() > deadline:
                return share, recorded
            time.sleep(polling.LOOK)


def misses(pairs: Sequence[Pair], tolerance: float) -> str:
    """Where to look if the recorded values are not the shares; empty if they are."""
    if all(abs(recorded - share) <= tolerance for share, recorded in pairs):
        return ""
    if all(abs(recorded - pairs[0][1]) <= tolerance / 2 for _, recorded in pairs):
        return "the share has changed, and the recorded value has not: does the expression read goapp's counters?"
    if all(abs(value / (1 + value) - share) <= tolerance for share, value in pairs):
        return "the denominator: it counts all requests, not only those that succeeded"
    return "the expression: a share is one rate divided by another, both over the last 5 seconds"


def _one(metrics: Metrics, expression: str) -> float:
    """The value of an expression that gives one series; NaN if it gives none or several."""
    found = metrics.query(expression)
    return float(found["value"].iloc[0]) if len(found) == 1 else math.nan


class Explosion(Own):
    """A label with too many values."""

    name = "4.2-metrics/explosion"
    namespace = "metrics-explosion"
    users, rate, seconds = 300, 100, 200
    most = 1_000
    task = (
        '`configuration = kit.exercise("4.2-metrics/explosion").given()` starts goapp and a load. The metrics of the load have a '
        "label `url` with one value per user. The returned prometheus.yml scrapes both. Change it so that Prometheus keeps fewer than "
        f"{most} series of the job `load`. Both jobs must stay up, and no sum over the kept series may become wrong. Run it: "
        f"`kit.stacks.prometheus.start(cluster.namespace('{namespace}'), configuration)`. "
        f"The load lasts {seconds} seconds; `.given()` starts another one."
    )
    hints = (
        "Run `.given()` first. Each value of a label makes a separate series. Which label has too many values?",
        "Prometheus applies `metric_relabel_configs` to each sample before it stores it. If you drop a label, the series "
        "that differed only in this label become one. If you drop a sample, you lose only this sample.",
        "Add to the job `load`: `metric_relabel_configs: [{action: drop, source_labels: [url], regex: .+}]`. Keep both "
        "jobs.",
    )
    solution_text = f'''\
import yaml

configuration = yaml.safe_load(kit.exercise("4.2-metrics/explosion").given())
load = next(job for job in configuration["scrape_configs"] if job["job_name"] == "load")
load["metric_relabel_configs"] = [{{"action": "drop", "source_labels": ["url"], "regex": ".+"}}]
kit.stacks.prometheus.start(cluster.namespace("{namespace}"), yaml.safe_dump(configuration))'''

    def begin(self, namespace: Namespace, shop: Object) -> dict[str, str]:
        """Start a load whose metrics have one `url` per user."""
        urls = [f"http://shop.{namespace.name}/items?user={n}" for n in range(self.users)]
        load = traffic.start(namespace, urls, rate=self.rate, seconds=self.seconds)
        pod = namespace.cluster.kube.get(load.ref.kind, load.ref.name, namespace.name)
        assert pod is not None  # it sends requests
        return {
            "shop": f"{shop['status']['podIP']}:{app.PORT}",
            "load": f"{pod['status']['podIP']}:{traffic.METRICS}",
        }

    def judge(self, metrics: Metrics) -> Outcome:
        """Look whether both jobs are up, whether Prometheus keeps few series of the load, and whether their sum is right."""
        with suppress(WaitTimeout):
            metrics.until(f"count(up) == 2 and on () sum({ITEMS}}}) > {self.users}", EVALUATED)
        targets = metrics.targets().set_index("job")
        if set(targets.index) != {"shop", "load"}:
            return failed(
                f"Prometheus has the jobs {', '.join(targets.index)}",
                look="the jobs of the configuration: both must stay",
            )
        for job in targets.index[targets["health"] != "up"]:
            return failed(
                f"{job} is {targets['health'][job]}: {targets['error'][job]}",
                look="the limits of the job: a scrape that exceeds a limit fails as a whole",
            )
        kept = metrics.value('count({job="load"})')
        if kept >= self.most:
            return failed(
                f"Prometheus keeps {kept:.0f} series of the load",
                look="metric_relabel_configs: Prometheus applies it to each sample before it stores it",
            )
        sent, counted = (
            metrics.query(f"sum({series})")["value"].sum()
            for series in (ITEMS + "}", 'request_seconds_count{job="load"}')
        )
        if 0 < counted < sent / 2:
            return failed(
                f"the load counted {counted:.0f} requests, and goapp counted {sent:.0f}",
                look="the dropped label: series that differed only in it become one, and all samples but one are lost",
            )
        return passed(f"Prometheus keeps {kept:.0f} series of the load, and both jobs are up")
