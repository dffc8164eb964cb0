"""Wrong answers to the exercises of 4.2-metrics: plausible ones, which Prometheus disproves."""

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from kitlib.cluster.bound import Cluster
from kitlib.exercises.metric_series import Explosion, Ratio, Scraped
from kitlib.measure.selfhealing import probes
from kitlib.stacks import metrics as stack
from kitlib.stacks import prometheus

Answer = Callable[[Cluster], object]
NOTES = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080", "prometheus.io/interval": "1s"}
FAILED, ALL = (
    f'rate(http_request_duration_seconds_count{{route="/items"{code}}}[5s])' for code in (', code=~"5.."', "")
)


def _noted(cluster: Cluster, *, of_pod: bool, **changed: str) -> None:
    stack.install(cluster)
    exercise = Scraped()
    exercise.reset()
    manifests = exercise.given()
    deployment = probes.only(manifests)
    noted = deployment["spec"]["template"] if of_pod else deployment
    noted["metadata"]["annotations"] = NOTES | {f"prometheus.io/{key}": value for key, value in changed.items()}
    cluster.namespace(Scraped.namespace).apply(*manifests)


def _on_the_deployment(cluster: Cluster) -> None:
    _noted(cluster, of_pod=False)


def _of_another_port(cluster: Cluster) -> None:
    _noted(cluster, of_pod=True, port="80")


def _recorded(expression: str) -> Answer:
    def answer(cluster: Cluster) -> None:
        rules = {"groups": [{"name": "shop", "rules": [{"record": Ratio.record, "expr": expression}]}]}
        configuration = Ratio().given()
        prometheus.start(cluster.namespace(Ratio.namespace), configuration, yaml.safe_dump(rules))

    return answer


def _scraped(change: Mapping[str, Any]) -> Answer:
    def answer(cluster: Cluster) -> None:
        configuration = yaml.safe_load(Explosion().given())
        for job in configuration["scrape_configs"]:
            job.update(change if job["job_name"] == "load" else {})
        prometheus.start(cluster.namespace(Explosion.namespace), yaml.safe_dump(configuration))

    return answer


WRONG: dict[str, tuple[Answer, ...]] = {
    Scraped.name: (_on_the_deployment, _of_another_port),
    Ratio.name: (
        _recorded(f"sum({FAILED})"),
        _recorded(f"{FAILED} / {ALL}"),
        _recorded(f"sum({FAILED}) / (sum({ALL}) - sum({FAILED}))"),
        _recorded(f"vector({Ratio.failing[0]})"),
    ),
    Explosion.name: (
        _scraped({"sample_limit": Explosion.most}),
        _scraped({"metric_relabel_configs": [{"action": "labeldrop", "regex": "url"}]}),
    ),
}
