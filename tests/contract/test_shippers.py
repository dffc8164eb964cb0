"""Two shippers, the same fields: Filebeat runs in the cluster tests; of Fluent Bit's configuration this is what can be checked without it.

Its YAML, its plugins' options by the names that its manual (4.2) has, that every filter and output gets what the input tags, and the
Lua filter, which is run.
"""

from fnmatch import fnmatch
from functools import reduce
from typing import Any

import lupa
import pytest
import yaml

from kitlib.kube import kustomize
from kitlib.measure.signals.lines import TYPED
from kitlib.stacks import logs as stack
from kitlib.telemetry import misfits
from kitlib.telemetry.logs import INDEX

FOLDER = kustomize.CLUSTER / "stacks" / stack.FLUENT_BIT.name
OPTIONS = {
    "tail": {
        *("tag", "path", "exclude_path", "multiline.parser", "db", "read_from_head", "refresh_interval", "rotate_wait"),
        "storage.type",
    },
    "multiline": {"match", "multiline.key_content", "multiline.parser", "flush_ms"},
    "kubernetes": {
        *("match", "kube_tag_prefix", "merge_log", "merge_log_key", "keep_log", "labels", "annotations", "buffer_size"),
    },
    "lua": {"match", "script", "call"},
    "es": {
        *(
            "match",
            "host",
            "port",
            "logstash_format",
            "logstash_prefix",
            "logstash_dateformat",
            "time_key",
            "time_key_nanos",
        ),
        *("suppress_type_name", "generate_id", "retry_limit", "trace_error"),
    },
}
TAG = "kube.var.log.containers.shop-1_kit-shop_goapp-0123.log"  # as tail makes it of a path
RECORD = {  # as the filters before the last one leave it (manual, filters/kubernetes)
    "log": '{"msg":"line 1","n":1}',
    "stream": "stdout",
    "app": {"msg": "line 1", "n": 1},
    "kubernetes": {
        "pod_name": "shop-1",
        "namespace_name": "kit-shop",
        "pod_id": "1234",
        "container_name": "goapp",
        "host": "node-1",
        "labels": {"tier": "web"},
    },
}


@pytest.fixture
def pipeline() -> dict[str, list[dict[str, Any]]]:
    """Inputs, filters and outputs."""
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load((FOLDER / "fluent-bit.yaml").read_text())["pipeline"]
    return found


def test_a_pipeline_has_all_three_parts(pipeline: dict[str, list[dict[str, Any]]]) -> None:
    """An input, filters and an output, all of plugins whose options are known."""
    plugins = [plugin for part in ("inputs", "filters", "outputs") for plugin in pipeline[part]]
    unknown = {p["name"]: sorted(p.keys() - {"name"} - OPTIONS[p["name"]]) for p in plugins}

    assert pipeline.keys() == {"inputs", "filters", "outputs"}
    assert unknown == {name: [] for name in OPTIONS}


def test_what_is_tagged_is_matched(pipeline: dict[str, list[dict[str, Any]]]) -> None:
    """The tag of a file's lines fits every filter and the output, and the prefix that the pod's name is read after."""
    (tail,) = pipeline["inputs"]
    prefix = next(f for f in pipeline["filters"] if f["name"] == "kubernetes")["kube_tag_prefix"]

    assert fnmatch(TAG, tail["tag"])
    assert all(fnmatch(TAG, p["match"]) for p in [*pipeline["filters"], *pipeline["outputs"]])
    assert TAG.startswith(prefix)


def test_lines_go_where_they_are_searched(pipeline: dict[str, list[dict[str, Any]]]) -> None:
    """To the stack's Elasticsearch, into indices of the kit's pattern."""
    (es,) = pipeline["outputs"]

    assert (es["host"], es["port"]) == (f"elasticsearch.{stack.STORE.instance}.svc", 9200)
    assert fnmatch(f"{es['logstash_prefix']}-2026.11.24", INDEX)


def test_both_shippers_give_the_same_fields() -> None:
    """The Lua filter, run on a record of the filters before it, makes the fields that the measure of Filebeat's lines demands."""
    code, _, record = _run(RECORD)
    fields = set(_flat(record))

    assert code == 1
    assert set(TYPED) <= fields
    assert record["message"] == RECORD["log"]


def test_a_record_without_a_pod_is_kept() -> None:
    """Before Kubernetes has told of its pod, a line is passed on as it is."""
    code, _, record = _run({"log": "early"})

    assert (code, record) == (0, {"log": "early"})


@pytest.mark.parametrize("app", [{"": 1}, {"a": {" ": 1}}, {"a": [{"\t": 1}]}])
def test_what_has_no_field_is_marked(app: dict[str, Any]) -> None:
    """A key without a name would cost the whole line in Elasticsearch: the line stays, as text alone, and the mark that is counted."""
    _, _, record = _run({**RECORD, "app": app})

    assert "app" not in record
    assert list(record["tags"].values()) == [misfits.ONLY_TEXT]
    assert record["message"] == RECORD["log"]


def test_levels_without_end_are_marked() -> None:
    """So would a thousand levels."""
    found = [_run({**RECORD, "app": _nested(levels)})[2] for levels in (100, 600)]

    assert ["app" in record for record in found] == [True, False]


def _nested(levels: int) -> dict[str, Any]:
    return reduce(lambda inner, _: {"a": inner}, range(levels), {"a": 1})


def test_filebeat_marks_what_is_counted() -> None:
    """The tag of its configuration is the one that `troubles` looks for, and what Elasticsearch rejects goes where it looks."""
    filebeat = yaml.safe_load((FOLDER.parent / stack.SHIPPER.name / "filebeat.yml").read_text())
    (tags,) = (p["add_tags"]["tags"] for p in filebeat["processors"] if "add_tags" in p)
    (decode,) = (p["decode_json_fields"] for p in filebeat["processors"] if "decode_json_fields" in p)

    assert tags == [misfits.ONLY_TEXT]
    assert decode["when.and"][1] == {"not.contains.tags": misfits.ONLY_TEXT}
    assert filebeat["output.elasticsearch"]["non_indexable_policy.dead_letter_index.index"] == misfits.REJECTED
    assert fnmatch(misfits.REJECTED, INDEX)


def _run(record: dict[str, Any]) -> tuple[int, float, dict[str, Any]]:
    lua = lupa.LuaRuntime()
    lua.execute((FOLDER / "fields.lua").read_text())
    code, timestamp, found = lua.globals().fields(TAG, 1.5, lua.table_from(record, recursive=True))
    return code, timestamp, _python(found)


def _python(value: Any) -> Any:
    return {key: _python(v) for key, v in value.items()} if lupa.lua_type(value) == "table" else value


def _flat(record: dict[str, Any], prefix: str = "") -> list[str]:
    return [
        name
        for key, value in record.items()
        for name in (_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"])
    ]
