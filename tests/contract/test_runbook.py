"""Alerts, the runbook and the faults of the game day belong together."""

import re

import pytest
import yaml

from kitlib.gameday import faults, runbook

TESTED = {
    case["alertname"]
    for test in yaml.safe_load((runbook.RULES.parent / "rules_test.yml").read_text())["tests"]
    for case in test.get("alert_rule_test", [])
    if case["exp_alerts"]
}


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    """The runbook is neither short of an alert, nor about one that is gone."""
    assert list(runbook.sections()) == list(runbook.alerts())


@pytest.mark.parametrize("name", runbook.alerts())
def test_an_alert_leads_to_what_to_do(name: str) -> None:
    """Its annotation points to its section, which says what it means, where to look and how to repair; promtool has seen it fire."""
    rule, text = runbook.alerts()[name], runbook.sections()[name]

    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
    assert re.findall(r"^\*\*(\w+):\*\*", text, re.MULTILINE) == ["Means", "Look", "Repair"]
    assert name in TESTED


def test_links_within_the_runbook_lead_somewhere() -> None:
    """Each names a section."""
    links = set(re.findall(r"\(#(\w+)\)", runbook.FILE.read_text()))

    assert links <= {title.lower() for title in runbook.sections()}


@pytest.mark.parametrize("fault", faults.ALL, ids=lambda fault: fault.name)
def test_a_fault_has_an_alert_of_its_own(fault: faults.Fault) -> None:
    """There is such a rule, it has exemplars where requests show the cause, and it reports no other fault of the same app."""
    twins = [other.name for other in faults.ALL if (other.alert, other.app) == (fault.alert, fault.app)]

    assert ("exemplars" in runbook.alerts()[fault.alert]["annotations"]) == (fault.told == "requests")
    assert twins == [fault.name]
