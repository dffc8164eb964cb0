"""What the kit's formulas assume of the stack of the metrics is what its configuration says."""

from typing import Any

import pandas as pd
import yaml

from kitlib.dashboards.definitions import SCRAPE
from kitlib.kube import kustomize
from kitlib.measure.signals import alerting

FOLDER = kustomize.CLUSTER / "stacks" / "metrics"
PROMETHEUS, RULES = (
    yaml.safe_load((FOLDER / "prometheus" / name).read_text()) for name in ("prometheus.yml", "rules.yml")
)
ROUTE = yaml.safe_load((FOLDER / "alertmanager" / "alertmanager.yml").read_text())["route"]
BY_NAME: dict[str, Any] = {
    r.get("alert") or r["record"]: {**r, "group": g["name"]} for g in RULES["groups"] for r in g["rules"]
}


def _seconds(text: str) -> float:
    return float(pd.Timedelta(text).total_seconds())


def test_the_formula_of_an_alert_has_the_configured_numbers() -> None:
    """Interval of pods, interval of rules, `for`, and Alertmanager's wait."""
    (pods,) = (job for job in PROMETHEUS["scrape_configs"] if job["job_name"] == "pods")
    alert = BY_NAME[alerting.ALERT]

    assert _seconds(pods["scrape_interval"]) == alerting.INTERVAL
    assert _seconds(PROMETHEUS["global"]["evaluation_interval"]) == alerting.EVALUATION
    assert _seconds(alert["for"]) == alerting.FOR
    assert _seconds(ROUTE["group_wait"]) == alerting.GROUP_WAIT


def test_an_alert_waits_for_the_rule_that_records() -> None:
    """They are in two groups, each with a turn of its own; Alertmanager has one group per instance of goapp."""
    alert, records = BY_NAME[alerting.ALERT], BY_NAME[alerting.RECORDS]

    assert records["record"] in alert["expr"]
    assert records["group"] != alert["group"]
    assert {"namespace", "app"} <= set(ROUTE["group_by"])


def test_dashboards_reckon_with_the_longest_interval() -> None:
    """So that each window holds four scrapes of whatever it is of."""
    intervals = [_seconds(job["scrape_interval"]) for job in PROMETHEUS["scrape_configs"] if "scrape_interval" in job]

    assert max([_seconds(PROMETHEUS["global"]["scrape_interval"]), *intervals]) == SCRAPE
