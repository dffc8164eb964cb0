"""Kibana's saved objects: each reference leads somewhere, and every field that they name is one that lines have."""

import json
import re
from typing import Any

from kitlib.stacks import kibana
from kitlib.stacks import logs as stack
from kitlib.telemetry.logs import INDEX

OBJECTS: list[dict[str, Any]] = [json.loads(line) for line in kibana.OBJECTS.read_text().splitlines()]


def _of(kind: str) -> list[dict[str, Any]]:
    return [o for o in OBJECTS if o["type"] == kind]


def _known(properties: dict[str, Any], prefix: str = "") -> set[str]:
    names = {prefix + name for name in properties}
    return names.union(*(_known(p.get("properties", {}), f"{prefix}{name}.") for name, p in properties.items()))


def test_every_reference_leads_to_an_object() -> None:
    """By type and id, within the file."""
    there = {(o["type"], o["id"]) for o in OBJECTS}
    named = {(r["type"], r["id"]) for o in OBJECTS for r in o["references"]}

    assert named <= there
    assert {kind for kind, _ in there} == {"index-pattern", "search", "dashboard"}


def test_the_data_view_is_of_the_kits_indices() -> None:
    """Over the time that lines have."""
    (view,) = _of("index-pattern")

    assert view["attributes"]["title"] == INDEX
    assert view["attributes"]["timeFieldName"] == "@timestamp"


def test_searches_name_fields_that_lines_have() -> None:
    """Columns and queries alike."""
    known = _known(json.loads(stack.TEMPLATE.read_text())["template"]["mappings"]["properties"])
    columns = {column for o in _of("search") for column in o["attributes"]["columns"]}
    sources = [json.loads(o["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"]) for o in _of("search")]
    asked = {field for source in sources for field in re.findall(r"([\w.@]+):", source["query"]["query"])}

    assert asked
    assert columns | asked <= known


def test_the_dashboard_shows_every_search() -> None:
    """A panel for each reference, and a reference for each search."""
    (dashboard,) = _of("dashboard")
    panels = json.loads(dashboard["attributes"]["panelsJSON"])
    names = {f"{p['panelIndex']}:{p['panelRefName']}" for p in panels}

    assert names == {r["name"] for r in dashboard["references"]}
    assert {r["id"] for r in dashboard["references"]} == {o["id"] for o in _of("search")}
