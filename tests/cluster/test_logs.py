"""The stack of the logs on the real cluster: what arrives, what it says when something is wrong, what is left of it."""

import base64
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import pytest

from kitlib.cluster import podproxy
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ClusterError, SupplyError
from kitlib.exercises.mended import seen
from kitlib.kube import kustomize, wait
from kitlib.kube.client import Object
from kitlib.measure.signals import lines, logloss, panics, shipping
from kitlib.measure.workloads.pods import restarts
from kitlib.stacks import base
from kitlib.stacks import logs as stack
from kitlib.supply import images
from kitlib.telemetry import polling, watermarks
from kitlib.telemetry.logs import Logs, Query, matching
from kitlib.views.explorer import Page, explorer
from tests.cluster import settings

COUNT = 1000


def _nested(depth: int, word: str) -> str:
    return '{"a":' * depth + f'"{word}"' + "}" * depth


# A line by a word that it alone has.  What is not a value of its field's type, or one that is too long, or one field too many.
WRONG_TYPE = {
    "okword": '{"status":"okword"}',
    "lateword": '{"time":"lateword"}',
    "clock": '{"time":"10:00","word":"clock"}',
    "boolword": '{"status":true,"word":"boolword"}',
    "hugeword": '{"n":99999999999999999999999999,"word":"hugeword"}',
    "longfield": '{"other":"' + "x" * 40_000 + '","word":"longfield"}',
    "longlevel": '{"level":"' + "y" * 40_000 + '","word":"longlevel"}',
    "manyfields": '{"word":"manyfields",' + ",".join(f'"f{i}":{i}' for i in range(600)) + "}",
}
NO_FIELDS = {  # Elasticsearch takes no such field
    "emptykey": '{"":1,"word":"emptykey"}',
    "blankkey": '{"a":{" ":1},"word":"blankkey"}',
    "deepest": _nested(1500, "deepest"),
}
FITS = {
    "plainword": '{"msg":"plainword"}',
    "msgobject": '{"msg":{"x":"msgobject"}}',
    "pathobject": '{"path":{"x":"pathobject"}}',
    "statusobject": '{"status":{"x":"statusobject"}}',
    "arrayword": '{"path":["arrayword",{"x":[1,{"y":2}]}]}',
    "dotted": '{"a.b":1,"a":2,"word":"dotted"}',
    "undotted": '{"a":{"b":"undotted"}}',
    "twice": '{"msg":"one","msg":"twice"}',
    "collide": '{"log":1,"host":"h","agent":[1],"kubernetes":2,"message":{"m":1},"stream":3,"tags":4,'
    '"@timestamp":"x","_id":5,"word":"collide"}',
    "firstnumber": '{"kind":1,"word":"firstnumber"}',
    "thentext": '{"kind":"thentext"}',
    "thenobject": '{"kind":{"of":"thenobject"}}',
    "nulls": '{"msg":null,"status":null,"word":"nulls"}',
    "deepish": _nested(60, "deepish"),
    "inner": '{"msg":"{\\"word\\":\\"inner\\"}"}',
    "brokenjson": '{"msg":"brokenjson"',
    "trailing": '{"msg":"x"} trailing',
    "toplist": '["toplist"]',
    "badbytes": '{"msg":"badbytes \xff\xfe"}',
    "splitword": "z" * 20_000 + " splitword",
}
ODD = {**FITS, **WRONG_TYPE, **NO_FIELDS}


@pytest.fixture(scope="module")
def logs(cluster: Cluster) -> Iterator[Logs]:
    """The stack, installed twice in a row."""
    stack.install(cluster)
    yield stack.install(cluster)
    stack.remove(cluster)


def test_every_setting_arrives(cluster: Cluster, logs: Logs) -> None:
    """Each option and variable of each manifest is one of the process that runs."""
    assert logs
    assert [settings.lost(cluster, settings.manifests(it)) for it in (stack.STORE, stack.SHIPPER)] == [{}, {}]


def test_the_running_store_has_every_setting_of_its_manifest(logs: Logs) -> None:
    """Asked for its settings, Elasticsearch says what the manifest says, watermarks included; so does Java of its heap."""
    (manifest,) = (m for m in kustomize.render({"resources": ["stacks/logs"]}) if m["kind"] == "StatefulSet")
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    wanted = {entry["name"]: entry["value"] for entry in container["env"]}
    options = wanted.pop("ES_JAVA_OPTS").split()
    (node,) = logs.ask("GET", "_nodes/settings,jvm?flat_settings=true")["nodes"].values()
    all_of_them = logs.ask("GET", "_cluster/settings?include_defaults=true&flat_settings=true")["defaults"]

    assert wanted
    assert {name: node["settings"].get(name) for name in wanted} == wanted
    assert {name: all_of_them.get(name) for name in wanted if name.startswith("cluster.routing")} == {
        name: value for name, value in wanted.items() if name.startswith("cluster.routing")
    }
    assert set(options) <= set(node["jvm"]["input_arguments"])
    assert node["jvm"]["mem"]["heap_max_in_bytes"] == 512 << 20


def test_the_running_shipper_has_its_output(cluster: Cluster, logs: Logs) -> None:
    """Asked for its state, Filebeat says where it sends lines, and by how much it waits for more of them."""
    assert logs
    namespace = base.find(cluster, stack.SHIPPER)
    assert namespace
    (pod,) = cluster.kube.list("Pod", namespace.name)
    said = podproxy.request(namespace, pod["metadata"]["name"], 5066, "state", method="GET", body=None, seconds=10).body

    assert said["output"]["name"] == "elasticsearch"
    assert said["queue"]["name"] == "mem"


def test_every_line_arrives_once_with_its_fields(cluster: Cluster, logs: Logs, namespace: Namespace) -> None:
    """None of the numbers is missing, none comes twice, none is without a field."""
    found = lines.arrived(logs, lines.write(namespace, cluster.image("alpine"), COUNT))

    assert found == {"lost": 0, "doubled": 0, "wrong": 0}


def test_a_panic_is_one_record(cluster: Cluster, logs: Logs, namespace: Namespace) -> None:
    """In whatever way the program ends, all of its last words are in one record."""
    found = dict(zip(panics.WAYS, panics.trials(logs, namespace, cluster.image("panics"), panics.WAYS), strict=True))

    assert found == {way: {"records": 1, "whole": 1} for way in panics.WAYS}


def test_a_killed_shipper_loses_nothing(cluster: Cluster, logs: Logs, namespace: Namespace) -> None:
    """It goes on from the position that it had noted, and what it sends twice is stored once."""
    found = logloss.trial(logs, namespace, cluster.image("alpine"), "shipper killed", COUNT)

    assert found == {"lost": 0, "doubled": 0, "wrong": 0}


def test_what_is_deleted_unread_is_lost(cluster: Cluster, logs: Logs, namespace: Namespace) -> None:
    """The measure of loss can say that lines are lost."""
    found = logloss.trial(logs, namespace, cluster.image("alpine"), logloss.UNREAD, COUNT)

    assert found["lost"] == COUNT


@pytest.mark.parametrize("configuration", ["filter alone", "input and filter"])
def test_a_part_of_a_pipeline_does_not_run(cluster: Cluster, logs: Logs, configuration: str) -> None:
    """Without an output, with or without an input, the shipper ends with an error."""
    with shipping.away(cluster), shipping.alone(cluster, shipping.PARTS[configuration]) as runs:
        assert not runs

    assert logs


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


def test_a_disk_with_little_room_is_named(logs: Logs) -> None:
    """A watermark that the node's disk is below is one line, with what is free, what was set, and the next step."""
    marks = {f"{watermarks.PREFIX}{stage}": value for stage, value in {**watermarks.declared(), "low": "900tb"}.items()}
    logs.ask("PUT", "_cluster/settings", {"transient": marks})
    try:
        (line,) = logs.troubles()
    finally:
        logs.ask("PUT", "_cluster/settings", {"transient": dict.fromkeys(marks)})

    assert "below its low watermark of 900tb" in line
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
    namespace = base.find(cluster, stack.SHIPPER)
    assert namespace
    shipping.change(cluster, {"containers": [{"name": shipping.NAME, **change}]})
    try:
        seen(namespace, stack.SHIPPER.instance, lambda pod: restarts(pod) > 0 and not shipping.ready(pod), seconds=60)
        (line,) = logs.troubles()
    finally:
        stack.install(cluster)

    assert said in line
    assert logs.troubles() == []


@pytest.fixture
def index(logs: Logs) -> Iterator[str]:
    """Today's index, which is removed after the test: what odd lines made of its fields is no other test's."""
    name = f"kit-logs-{pd.Timestamp.now('UTC'):%Y.%m.%d}"
    yield name
    logs.ask("DELETE", name)


@pytest.mark.usefixtures("index")
def test_a_line_is_found_whatever_it_says(cluster: Cluster, logs: Logs, namespace: Namespace) -> None:
    """Every line is found once by its words, with its pod; what its fields could not take is counted by `troubles`."""
    writer = _wrote(cluster, namespace, ODD)
    lines.settle(logs, writer, len(ODD))
    found = {word: logs.count(matching(word, namespace=namespace.name)) for word in ODD}
    told = logs.troubles()
    as_text = [len(WRONG_TYPE), len(NO_FIELDS)]
    logs.delete(writer)

    assert found == dict.fromkeys(ODD, 1)
    assert [int(line.split()[0]) for line in told] == as_text
    assert "app.status" in told[0]
    assert "app.time" in told[0]
    assert all("search for their words" in line for line in told)
    assert logs.troubles() == []


@pytest.mark.usefixtures("index")
def test_a_field_that_fits_is_a_field(cluster: Cluster, logs: Logs, namespace: Namespace) -> None:
    """Beside lines that do not fit, fields of the same names have the values and types of those that do."""
    good = {
        "good": '{"word":"good","status":503,"path":"/items","seconds":0.5,"n":9007199254740993,"a.b":"x","level":"INFO"}'
    }
    writer = _wrote(cluster, namespace, ODD | good)
    lines.settle(logs, writer, len(ODD) + 1)
    of = {"namespace": namespace.name}
    ranged = {
        "bool": {"filter": [writer, {"range": {"app.status": {"gte": 500}}}, {"range": {"app.seconds": {"lt": 1}}}]}
    }
    found = [
        logs.count(matching("good", app__status=503, app__path="/items", app__n=9007199254740993, **of)),
        logs.count(matching("good", **{"app__a.b": "x"}, **of)),
        logs.count(matching(app__path__x="pathobject", **of)),
        logs.count(ranged),
    ]
    logs.delete(writer)

    assert found == [1, 1, 1, 1]


def test_what_elasticsearch_rejects_is_kept(cluster: Cluster, logs: Logs, namespace: Namespace, index: str) -> None:
    """A line that no mapping takes goes to an index of its own, as text, and is reported; `retain` removes it with its day."""
    lines.settle(logs, _wrote(cluster, namespace, {"first": "first"}), 1)
    _fields(logs, index, limit=1, ignore_dynamic_beyond_limit=False)
    try:
        _wrote(cluster, namespace, {"unheardof": '{"word":"unheardof","new":1}'})
        polling.until(lambda: logs.count(matching("unheardof")), lambda count: count == 1, failure=str, seconds=30)
        told = [line for line in logs.troubles() if "rejected" in line]
    finally:
        _fields(logs, index, limit=500, ignore_dynamic_beyond_limit=True)
    now = pd.Timestamp.now("UTC")
    logs.retain(1, today=now + pd.Timedelta(days=1))
    kept = logs.count(matching("unheardof"))
    logs.retain(1, today=now + pd.Timedelta(days=3))
    lines.settle(logs, _wrote(cluster, namespace, {"last": "last"}), 1)

    assert len(told) == 1
    assert "error.message" in told[0]
    assert kept == 1
    assert logs.count(matching("unheardof")) == 0
    assert logs.troubles() == []


def _fields(logs: Logs, index: str, **total: Any) -> None:
    logs.ask("PUT", f"{index}/_settings", {"index": {"mapping": {"total_fields": total}}})


def _wrote(cluster: Cluster, namespace: Namespace, said: Mapping[str, str]) -> Query:
    """A pod that has written these lines; the query that finds them."""
    name = f"odd-{secrets.token_hex(3)}"
    text = base64.b64encode("".join(line + "\n" for line in said.values()).encode("latin-1")).decode()
    data = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"lines": text}}
    pod = lines.pod(name, cluster.image("alpine"), ["sh", "-c", "base64 -d /lines/lines"])
    pod["spec"]["volumes"] = [{"name": "lines", "configMap": {"name": name}}]
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "lines", "mountPath": "/lines"}]
    namespace.apply(data, pod)
    wait.until(cluster.kube, "Pod", name, namespace.name, done=wait.phase("Succeeded"), what="done")
    return matching(namespace=namespace.name, pod=name)


def test_elasticsearch_speaks_for_itself(logs: Logs) -> None:
    """What it refuses is an error in its own words."""
    with pytest.raises(ClusterError, match="no such index"):
        logs.ask("GET", "kit-nowhere/_search")


def test_the_explorer_finds_what_was_written(cluster: Cluster, logs: Logs, namespace: Namespace) -> None:
    """Headless, its page has the lines of the words that were asked for, counted and drawn."""
    count = 321  # no other test writes so many
    writer = lines.write(namespace, cluster.image("alpine"), count)
    lines.settle(logs, writer.query, count)
    page = Page(
        logs, {"text": f'"line 7 of {count}"', "namespace": namespace.name, "level": "INFO", "span": "15 minutes"}
    )

    assert list(page.lines["message"].str.contains(f"line 7 of {count}")) == [True]
    assert page.total == 1
    assert "<svg" in page.html()


def test_lines_are_deleted_by_what_they_say(cluster: Cluster, logs: Logs, namespace: Namespace) -> None:
    """`delete` takes the lines that match, and no others."""
    writer = lines.write(namespace, cluster.image("alpine"), 20)
    lines.settle(logs, writer.query, 20)
    gone = logs.delete(matching(pod=writer.ref.name, app__n=7))

    assert gone == 1
    assert set(lines.numbers(logs, writer.query)) == set(range(1, 21)) - {7}


def test_live_the_explorer_searches_again(
    cluster: Cluster, logs: Logs, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a live notebook, typed words are searched for, and the error of an invalid search is shown in place of lines."""
    monkeypatch.setenv("JPY_SESSION_NAME", "here")
    count = 123
    writer = lines.write(namespace, cluster.image("alpine"), count)
    lines.settle(logs, writer.query, count)
    box = explorer(logs, namespace=namespace.name)
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
