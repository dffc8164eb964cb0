"""The stack of the logs on the real cluster: what arrives, what it says when something is wrong, what is left of it."""

from collections.abc import Iterator

import pandas as pd
import pytest

from kitlib import images, wait
from kitlib.cluster import Cluster, Space
from kitlib.errors import ClusterError, SupplyError
from kitlib.exercises.mended import seen
from kitlib.kube import Object
from kitlib.measure import lines, logloss, panics, shipping
from kitlib.measure.pods import restarts
from kitlib.stacks import base
from kitlib.stacks import logs as stack
from kitlib.telemetry.explorer import Page, explorer
from kitlib.telemetry.logs import Logs, matching

COUNT = 1000


@pytest.fixture(scope="module")
def logs(cluster: Cluster) -> Iterator[Logs]:
    """The stack, installed twice in a row."""
    stack.install(cluster)
    yield stack.install(cluster)
    stack.remove(cluster)


def test_every_line_arrives_once_with_its_fields(cluster: Cluster, logs: Logs, space: Space) -> None:
    """None of the numbers is missing, none comes twice, none is without a field."""
    found = lines.arrived(logs, lines.write(space, cluster.image("alpine"), COUNT))

    assert found == {"lost": 0, "doubled": 0, "wrong": 0}


def test_a_panic_is_one_record(cluster: Cluster, logs: Logs, space: Space) -> None:
    """In whatever way the program ends, all of its last words are in one record."""
    found = dict(zip(panics.WAYS, panics.trials(logs, space, cluster.image("panics"), panics.WAYS), strict=True))

    assert found == {way: {"records": 1, "whole": 1} for way in panics.WAYS}


def test_a_killed_shipper_loses_nothing(cluster: Cluster, logs: Logs, space: Space) -> None:
    """It goes on from the position that it had noted, and what it sends twice is stored once."""
    found = logloss.trial(logs, space, cluster.image("alpine"), "shipper killed", COUNT)

    assert found == {"lost": 0, "doubled": 0, "wrong": 0}


def test_what_is_deleted_unread_is_lost(cluster: Cluster, logs: Logs, space: Space) -> None:
    """The measure of loss can say that lines are lost."""
    found = logloss.trial(logs, space, cluster.image("alpine"), logloss.UNREAD, COUNT)

    assert found["lost"] == COUNT


@pytest.mark.parametrize("configuration", ["filter alone", "input and filter"])
def test_a_part_of_a_pipeline_does_not_run(cluster: Cluster, logs: Logs, configuration: str) -> None:
    """Without an output, with or without an input, the shipper ends with an error."""
    with shipping.away(cluster):
        runs = shipping.alone(cluster, shipping.PARTS[configuration])

    assert logs
    assert not runs


def test_a_full_disk_is_named(logs: Logs) -> None:
    """The block that Elasticsearch puts on indices when its disk is full is one line, with the next step; lifted, nothing is wrong."""
    logs.settings(blocks={"read_only_allow_delete": True})
    try:
        (line,) = logs.troubles()
    finally:
        logs.settings(blocks={"read_only_allow_delete": None})

    assert "cannot be written to" in line
    assert "logs.retain(days)" in line
    assert logs.troubles() == []


def test_a_shard_without_a_place_is_named(logs: Logs) -> None:
    """An index that may be on no node makes Elasticsearch red: one line, with the next step; without it, nothing is wrong."""
    nowhere = {"index.routing.allocation.require._name": "nowhere"}
    logs.ask("PUT", "kit-nowhere?wait_for_active_shards=0", {"settings": nowhere})
    try:
        (line,) = logs.troubles()
    finally:
        logs.ask("DELETE", "kit-nowhere")

    assert "Elasticsearch is red" in line
    assert "_cluster/allocation/explain" in line
    assert logs.troubles() == []


def test_a_clock_that_is_ahead_is_named(logs: Logs) -> None:
    """A line of the future is one line of trouble, with the node whose clock is wrong."""
    index = f"kit-logs-{pd.Timestamp.now('UTC'):%Y.%m.%d}"
    ahead = pd.Timestamp.now("UTC") + pd.Timedelta(hours=1)
    document = {"@timestamp": ahead.isoformat(), "message": "early", "kubernetes": {"node": {"name": "fast-node"}}}
    logs.ask("PUT", f"{index}/_doc/early?refresh=true", document)
    try:
        (line,) = logs.troubles()
    finally:
        logs.ask("DELETE", f"{index}/_doc/early?refresh=true")

    assert "1 lines of fast-node are from the future" in line
    assert "NTP" in line
    assert logs.troubles() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"args": ["-e", "--no-such-flag"]}, "cluster.kube.logs("),  # ends with an error, over and over
        ({"resources": {"requests": {"memory": "16Mi"}, "limits": {"memory": "16Mi"}}}, "killed for its memory"),
    ],
)
def test_a_shipper_that_does_not_run_is_named(cluster: Cluster, logs: Logs, change: Object, said: str) -> None:
    """Crash-looping, or killed for its memory: one line, with the next step."""
    space = base.find(cluster, stack.SHIPPER)
    assert space
    shipping.change(cluster, {"containers": [{"name": shipping.NAME, **change}]})
    try:
        seen(space, stack.SHIPPER.instance, lambda pod: restarts(pod) > 0 and not shipping.ready(pod), seconds=60)
        (line,) = logs.troubles()
    finally:
        stack.install(cluster)

    assert said in line
    assert logs.troubles() == []


def test_elasticsearch_speaks_for_itself(logs: Logs) -> None:
    """What it refuses is an error in its own words."""
    with pytest.raises(ClusterError, match="no such index"):
        logs.ask("GET", "kit-nowhere/_search")


def test_the_explorer_finds_what_was_written(cluster: Cluster, logs: Logs, space: Space) -> None:
    """Headless, its page has the lines of the words that were asked for, counted and drawn."""
    count = 321  # no other test writes so many
    writer = lines.write(space, cluster.image("alpine"), count)
    lines.settle(logs, writer.query, count)
    page = Page(logs, {"text": f'"line 7 of {count}"', "namespace": space.name, "level": "INFO", "span": "15 minutes"})

    assert list(page.lines["message"].str.contains(f"line 7 of {count}")) == [True]
    assert page.total == 1
    assert "<svg" in page.html()


def test_lines_are_deleted_by_what_they_say(cluster: Cluster, logs: Logs, space: Space) -> None:
    """`delete` takes the lines that match, and no others."""
    writer = lines.write(space, cluster.image("alpine"), 20)
    lines.settle(logs, writer.query, 20)
    gone = logs.delete(matching(pod=writer.ref.name, app__n=7))

    assert gone == 1
    assert set(lines.numbers(logs, writer.query)) == set(range(1, 21)) - {7}


def test_live_the_explorer_searches_again(
    cluster: Cluster, logs: Logs, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With somebody to click: what is typed is searched for, and what cannot be asked is shown in place of lines."""
    monkeypatch.setenv("JPY_SESSION_NAME", "here")
    count = 123
    writer = lines.write(space, cluster.image("alpine"), count)
    lines.settle(logs, writer.query, count)
    box = explorer(logs, namespace=space.name)
    (text, *_), found = box.children[0].children, box.children[1]
    before = found.value
    text.value = f'"line 5 of {count}"'

    assert f"line {count} of {count}" in before
    assert f"line 5 of {count}" in found.value
    assert f"line {count} of {count}" not in found.value


def test_what_cannot_be_pulled_is_said(cluster: Cluster, logs: Logs) -> None:
    """Where images come from packages, Fluent Bit is refused by name, with the supply that has it."""
    assert logs
    if images.image("fluent-bit").available:
        stack.install(cluster, stack.FLUENT_BIT)
    else:
        with pytest.raises(SupplyError, match="fluent-bit"):
            stack.install(cluster, stack.FLUENT_BIT)


def test_removed_without_a_trace(cluster: Cluster, logs: Logs) -> None:
    """Nothing is left in the cluster, nor on the node."""
    assert logs
    stack.remove(cluster)
    left = [ref for it in (stack.STORE, stack.SHIPPER) for ref in base.left(cluster, it)]

    assert left == []
    assert stack.find(cluster) is None
    assert cluster.on_node("sh", "-c", f"ls -d {' '.join(stack.POSITIONS)} 2>/dev/null || true") == ""
    assert [v for v in cluster.kube.list("PersistentVolume") if wait.phase("Bound", "Released")(v)] == []
