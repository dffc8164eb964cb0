"""Grafana's dashboards and data sources: made of the kit's definitions, asking stacks that exist, each panel in a place of its own."""

import itertools
import json
import re
from typing import Any

import pytest
import yaml

from kitlib.cluster.bound import Cluster
from kitlib.dashboards import ALL, Panel, grafana, red
from kitlib.dashboards.definitions import SCRAPE, UNITS
from kitlib.errors import SupplyError
from kitlib.kube import kustomize
from kitlib.stacks import base, logs, metrics, traces
from kitlib.stacks import grafana as stack
from kitlib.supply import images

SOURCES = {
    source["uid"]: source
    for source in yaml.safe_load((grafana.FOLDER.parent / "datasources.yml").read_text())["datasources"]
}
PANELS = [panel for dashboard in ALL.values() for panel in dashboard.panels]


def _committed(name: str) -> Any:
    return json.loads((grafana.FOLDER / f"{name}.json").read_text())


RULES = grafana.FOLDER.parents[1] / "metrics" / "prometheus" / "rules.yml"
STACKS = (metrics.STORE.name, logs.STORE.name, traces.MEMORY.name)


def _services() -> set[str]:
    """Every port of every Service of the stacks, as a URL."""
    found = [
        m for name in STACKS for m in kustomize.render({"resources": [f"stacks/{name}"]}) if m["kind"] == "Service"
    ]
    return {
        f"http://{m['metadata']['name']}.{m['metadata']['namespace']}.svc:{port['port']}"
        for m in found
        for port in m["spec"]["ports"]
    }


@pytest.mark.parametrize("name", grafana.rendered())
def test_a_dashboard_is_what_the_definitions_say(name: str) -> None:
    """Each committed file is the one that `python -m kitlib.dashboards` makes; there is no other, and Grafana is given all."""
    files = yaml.safe_load((grafana.FOLDER.parent / "kustomization.yaml").read_text())["configMapGenerator"][-1][
        "files"
    ]

    assert (grafana.FOLDER / name).read_text() == grafana.rendered()[name]
    assert sorted(f"dashboards/{file.name}" for file in grafana.FOLDER.iterdir()) == files
    assert f"dashboards/{name}" in files


@pytest.mark.parametrize("name", ALL)
def test_every_panel_has_a_place_and_a_source(name: str) -> None:
    """No two panels overlap or share an id, and each asks a data source that is provisioned."""
    panels = _committed(name)["panels"]
    places = [
        {(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])}
        for p in (it["gridPos"] for it in panels)
    ]
    asked = {target["datasource"]["uid"] for panel in panels for target in panel.get("targets", [])}

    assert [a & b for a, b in itertools.combinations(places, 2) if a & b] == []
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert asked == {"kit-prometheus"} <= SOURCES.keys()


def test_sources_are_stacks() -> None:
    """One a stack, at a port of a Service of it; Grafana knows the interval of scrapes, and exemplars lead to traces."""
    prometheus = SOURCES["kit-prometheus"]["jsonData"]

    assert {source["type"] for source in SOURCES.values()} == {"prometheus", "elasticsearch", "jaeger"}
    assert {source["url"] for source in SOURCES.values()} <= _services()
    assert prometheus["timeInterval"] == f"{SCRAPE}s"
    assert [to["datasourceUid"] for to in prometheus["exemplarTraceIdDestinations"]] == ["kit-jaeger"]


@pytest.mark.parametrize("panel", PANELS, ids=lambda p: p.title)
def test_a_panel_can_be_read(panel: Panel) -> None:
    """It has a unit that the notebook can write, a sentence, and no variable is left when its queries are filled in."""
    assert panel.unit in UNITS
    assert panel.about.endswith(".")
    assert panel.queries
    assert all("$" not in query.filled() for query in panel.queries)


def test_it_is_refused_where_it_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, before anything is done."""
    monkeypatch.setenv("KIT_SUPPLY", "packages")

    assert images.image("grafana").stack == stack.STACK.name
    with pytest.raises(SupplyError, match="needs grafana"):
        base.install(Cluster(None, None), stack.STACK)  # type: ignore[arg-type]


def test_dashboard_and_rules_count_the_same_requests() -> None:
    """What an alert says of a service is what its dashboard shows: both leave out probes, scrapes and faults."""
    assert set(re.findall(r'route!~"[^"]*"', RULES.read_text())) == {red.ASKED}
