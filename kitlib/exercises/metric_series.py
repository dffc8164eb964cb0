"""Exercises of 4.2-metrics: a pod that is scraped, a share that is recorded, a label that explodes."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress

import yaml

from kitlib import app, traffic
from kitlib.cluster import Space
from kitlib.errors import WaitTimeout
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.exercises.mended import Mended
from kitlib.kube import Object
from kitlib.measure import probes
from kitlib.stacks import metrics as stack
from kitlib.stacks import prometheus
from kitlib.telemetry.metrics import Metrics

IMAGE = "goapp-scratch"
DISCOVERED = 15.0  # seconds until a new pod has been discovered and scraped
EVALUATED = 15.0  # seconds until a rule over a few scrapes has a value
ITEMS = 'http_request_duration_seconds_count{route="/items"'
IMPORT = "from kitlib.stacks import prometheus"


class Scraped(Mended):
    """A pod whose metrics nobody collects."""

    name = "4.2-metrics/scraped"
    space = "metrics-exercises"
    interval = 1.0
    task = (
        'Nobody collects what goapp counts here. Mend `manifests = kit.exercise("4.2-metrics/scraped").given()` so that the stack\'s '
        "Prometheus scrapes it every second, by the annotations `prometheus.io/scrape`, `port`, `path` and `interval`; apply them in "
        f"`cluster.space('{space}')`. The check asks Prometheus for the target."
    )
    solution_text = (
        "from kitlib.stacks import metrics as stack\n"
        "stack.install(cluster)\n"
        'manifests = kit.exercise("4.2-metrics/scraped").given()\n'
        "template = kit.measure.probes.only(manifests)['spec']['template']\n"
        "notes = {'scrape': 'true', 'port': '8080', 'path': '/metrics', 'interval': '1s'}\n"
        "template['metadata']['annotations'] = {f'prometheus.io/{key}': value for key, value in notes.items()}\n"
        f"cluster.space('{space}').apply(*manifests)"
    )

    def manifests(self, image: str) -> list[Object]:
        return probes.replicas(self.deployment, image, 1, treatments=("quick-exit",))

    def judge(self, space: Space, _: Object) -> Outcome:
        metrics = stack.find(self.cluster)
        if metrics is None:
            return NOT_ATTEMPTED
        app.roll_out(space, self.deployment)
        (pod,) = app.pods(space, self.deployment)
        name, notes = pod["metadata"]["name"], pod["metadata"].get("annotations", {})
        if notes.get("prometheus.io/scrape") == "true":
            with suppress(WaitTimeout):
                metrics.until(f'up{{job="pods", pod="{name}"}}', seconds=DISCOVERED)
        found = metrics.targets().set_index("pod")
        if name not in found.index:
            return failed(
                f"no target is the pod {name}",
                look="whose annotations does Prometheus read? A Deployment's own are not its pods', and an interval has a unit",
            )
        target = found.loc[name]
        if target["health"] != "up":
            return failed(f"{target['url']} is {target['health']}: {target['error']}", look="where does goapp listen?")
        if target["interval"] != self.interval:
            return failed(f"it is up, every {target['interval']:g} s", look="the annotation prometheus.io/interval")
        return passed(f"{target['url']} is up, every {target['interval']:g} s")


class Own(Exercise):
    """An exercise with a Prometheus of the learner's own, in a namespace of its own, and goapp with a load beside it."""

    space: str  # NAME of the namespace kit-NAME
    first_hint = (
        "`.given()` first; `prometheus.start(space, configuration, rules)` runs a Prometheus in the namespace `space`."
    )

    def given(self) -> str:
        """Start goapp and a load; returns the text of a prometheus.yml."""
        space = self.cluster.space(self.space)
        space.apply(*app.manifests("shop", self.cluster.image(IMAGE), treatments=["faults", "quick-exit"]))
        app.roll_out(space, "shop")
        jobs = self.begin(space, app.pods(space, "shop")[0])
        configuration = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": ["rules.yml"]}
        targets = [{"job_name": job, "static_configs": [{"targets": [address]}]} for job, address in jobs.items()]
        return yaml.safe_dump({**configuration, "scrape_configs": targets}, sort_keys=False)

    @abstractmethod
    def begin(self, space: Space, shop: Object) -> dict[str, str]:
        """Start what is to be scraped; returns job → address."""

    def check(self) -> Outcome:
        space = Space.find(self.cluster, self.space)
        if space is None or self.cluster.kube.get("StatefulSet", prometheus.NAME, space.name) is None:
            return NOT_ATTEMPTED
        return self.judge(Metrics(space))

    @abstractmethod
    def judge(self, metrics: Metrics) -> Outcome:
        """Judge the learner's own Prometheus."""

    def reset(self) -> None:
        """The namespace goes, and all in it."""
        if space := Space.find(self.cluster, self.space):
            space.undo()


class Ratio(Own):
    """A share of requests, recorded by a rule."""

    name = "4.2-metrics/ratio"
    space = "metrics-ratio"
    record = "shop:errors:ratio"
    failing = 0.25
    tolerance = 0.1
    task = (
        '`configuration = kit.exercise("4.2-metrics/ratio").given()` starts goapp, a load on `/items` and faults, and returns a '
        f"prometheus.yml with `rule_files: [rules.yml]`. Write a rule that records as `{record}` which share of these requests was "
        "answered with 5xx in the last 5 seconds, as one series, and run it: "
        f"`prometheus.start(cluster.space('{space}'), configuration, rules)`."
    )
    solution_text = f'''\
{IMPORT}
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
prometheus.start(cluster.space("{space}"), configuration, rules)'''

    def begin(self, space: Space, shop: Object) -> dict[str, str]:
        app.inject(space, shop, "error", lease="8m", rate=self.failing)
        traffic.start(space, f"http://shop.{space.name}/items", rate=40, seconds=400)
        return {"shop": f"shop.{space.name}:80"}

    def judge(self, metrics: Metrics) -> Outcome:
        try:
            found = metrics.until(f"{self.record} and on () (count(count_over_time({ITEMS}}}[5s]) > 3) > 1)", EVALUATED)
        except WaitTimeout:
            broken = metrics.rules()
            saw = [f"{r.name}: {r.health} {r.error}" for r in broken.itertuples()] or ["there is no rule"]
            return failed(
                *saw,
                look=f"the rule's name and expression: has the expression a value, and is it recorded as {self.record}?",
            )
        values = ", ".join(f"{value:.3g}" for value in found["value"])
        if len(found) > 1 or set(found.columns) - {"__name__", "time", "value"}:
            return failed(
                f"{len(found)} series: {values}",
                look="rates of different codes do not meet: which labels are left, and what does `sum` do?",
            )
        share = metrics.value(f'sum(rate({ITEMS}, code=~"5.."}}[5s])) / sum(rate({ITEMS}}}[5s]))')
        if abs(float(found["value"].iloc[0]) - share) > self.tolerance:
            return failed(
                f"{self.record} is {values}, the share of errors {share:.3g}",
                look="a share is a rate divided by another: what is yours divided by?",
            )
        return passed(f"{self.record} is {values}, the share of errors {share:.3g}")


class Explosion(Own):
    """A label with too many values."""

    name = "4.2-metrics/explosion"
    space = "metrics-explosion"
    users, rate, seconds = 300, 100, 200
    most = 1_000
    task = (
        '`configuration = kit.exercise("4.2-metrics/explosion").given()` starts goapp and a load whose own metrics have a label `url` '
        "with a value for every user, and returns a prometheus.yml that scrapes both. Change it so that Prometheus keeps fewer than "
        f"{most} series of the job `load`, with both jobs up, and without a sum that is wrong; run it: "
        f"`prometheus.start(cluster.space('{space}'), configuration)`. The load lasts {seconds} seconds; `.given()` starts another."
    )
    solution_text = f'''\
{IMPORT}
import yaml
configuration = yaml.safe_load(kit.exercise("4.2-metrics/explosion").given())
load = next(job for job in configuration["scrape_configs"] if job["job_name"] == "load")
load["metric_relabel_configs"] = [{{"action": "drop", "source_labels": ["url"], "regex": ".+"}}]
prometheus.start(cluster.space("{space}"), yaml.safe_dump(configuration))'''

    def begin(self, space: Space, shop: Object) -> dict[str, str]:
        urls = [f"http://shop.{space.name}/items?user={n}" for n in range(self.users)]
        load = traffic.start(space, urls, rate=self.rate, seconds=self.seconds)
        pod = space.cluster.kube.get(load.ref.kind, load.ref.name, space.name)
        assert pod is not None  # it sends requests
        return {
            "shop": f"{shop['status']['podIP']}:{app.PORT}",
            "load": f"{pod['status']['podIP']}:{traffic.METRICS}",
        }

    def judge(self, metrics: Metrics) -> Outcome:
        with suppress(WaitTimeout):
            metrics.until(f"count(up) == 2 and on () sum({ITEMS}}}) > {self.users}", EVALUATED)
        targets = metrics.targets().set_index("job")
        if set(targets.index) != {"shop", "load"}:
            return failed(f"there are the jobs {', '.join(targets.index)}", look="both jobs of the configuration stay")
        for job in targets.index[targets["health"] != "up"]:
            return failed(
                f"{job} is {targets['health'][job]}: {targets['error'][job]}",
                look="a limit that is exceeded costs the whole scrape",
            )
        kept = metrics.value('count({job="load"})')
        if kept >= self.most:
            return failed(
                f"{kept:.0f} series of the load are kept",
                look="metric_relabel_configs is applied to each sample before it is stored",
            )
        sent, counted = (
            metrics.query(f"sum({series})")["value"].sum()
            for series in (ITEMS + "}", 'request_seconds_count{job="load"}')
        )
        if 0 < counted < sent / 2:
            return failed(
                f"the load has counted {counted:.0f} requests, goapp {sent:.0f}",
                look="series that a label has told apart become one when it is dropped, and all but one sample are lost",
            )
        return passed(f"{kept:.0f} series of the load are kept, both jobs are up")
