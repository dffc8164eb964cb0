"""Wrong answers to the exercises of 4.2-metrics: plausible ones, which Prometheus disproves."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from kitlib.cluster.bound import Cluster
from kitlib.exercises.metric_series import Explosion, Ratio, Scraped
from kitlib.stacks import prometheus
from tests.notebooks.answers.shell import Bash, applied

Answer = Callable[[Cluster], object]
NOTES = {
    "prometheus.io/scrape": "true",
    "prometheus.io/port": "8080",
    "prometheus.io/path": "/metrics",
    "prometheus.io/interval": "1s",
}
IN_PLACE = f"kubectl -n kit-{Scraped.namespace}"
ON_THE_DEPLOYMENT = applied(
    Scraped.name,
    Scraped.namespace,
    f"{IN_PLACE} annotate deployment scraped {' '.join(f'{key}={value}' for key, value in NOTES.items())}",
)
FAILED, ALL = (
    f'rate(http_request_duration_seconds_count{{route="/items"{code}}}[5s])' for code in (', code=~"5.."', "")
)


def _noted(notes: Mapping[str, str]) -> Bash:
    """The exercise's file, with these annotations in the pod template."""
    patch = json.dumps({"spec": {"template": {"metadata": {"annotations": notes}}}})
    return applied(Scraped.name, Scraped.namespace, f"{IN_PLACE} patch deployment scraped -p '{patch}'")


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
    Scraped.name: (
        ON_THE_DEPLOYMENT,
        _noted(NOTES | {"prometheus.io/port": "80"}),
        _noted({key: value for key, value in NOTES.items() if key != "prometheus.io/interval"}),
    ),
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
