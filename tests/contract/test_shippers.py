"""Two shippers, the same fields: Filebeat runs in the cluster tests; of Fluent Bit's configuration this is what can be checked without it.

Its YAML, its plugins' options by the names that its manual (4.2) has, that every filter and output gets what the input tags, the rules
for lines that belong together, by the steps that Fluent Bit takes, and the Lua filter, which is run.
"""

import re
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


FLUSH = 500  # ms: Fluent Bit refuses to start with less (flb_ml_auto_flush_init)
START = "start_state"  # its name for the state before a record
PANICS = {  # what Go 1.27 writes to stderr, from cluster/images/panics
    "two lines": "panic: no price\n\tfor the lamp\n\ngoroutine 1 [running]:\nmain.init.func3()\n\t/src/main.go:15 +0x46\n"
    "main.main()\n\t/src/main.go:30 +0x1f0",
    "deadlock": "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\nmain.init.func4()\n"
    "\t/src/main.go:16 +0x25\nmain.main()\n\t/src/main.go:30 +0x1f0",
    "goroutine": "panic: runtime error: index out of range [3] with length 2 [recovered, repanicked]\n\ngoroutine 19 [running]:\n"
    "sync.(*WaitGroup).Go.func1.1()\n\t/go/src/sync/waitgroup.go:251 +0x45\npanic({0x67b758?, 0x9db1c23a000?})\n"
    "\t/go/src/runtime/panic.go:859 +0x125\nmain.items(...)\n\t/src/main.go:19\n"
    "created by sync.(*WaitGroup).Go in goroutine 1\n\t/go/src/sync/waitgroup.go:238 +0x7d",
}
Rules = list[dict[str, str]]


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


def test_the_multiline_filter_starts(pipeline: dict[str, list[dict[str, Any]]]) -> None:
    """Its parser is defined in the same file, and it flushes no more often than Fluent Bit allows."""
    found = next(plugin for plugin in pipeline["filters"] if plugin["name"] == "multiline")

    assert found["multiline.parser"] == _parser()["name"]
    assert found["flush_ms"] >= FLUSH


def test_both_shippers_have_one_rule_for_lines_that_belong_together() -> None:
    """Fluent Bit's pattern for a line that goes on with a record is Filebeat's, and it keeps the two streams apart, as Filebeat does."""
    *_, stderr = yaml.safe_load((FOLDER.parent / stack.SHIPPER.name / "filebeat.yml").read_text())["filebeat.inputs"]
    (rule,) = (parser["multiline"] for parser in stderr["parsers"] if "multiline" in parser)
    more = [r["regex"] for r in _parser()["rules"] if r["state"] != START]

    assert more == [f"/{rule['pattern']}/"]
    assert (rule["negate"], rule["match"]) == (False, "after")
    assert _parser()["key_group"] == "stream"


@pytest.mark.parametrize("way", PANICS)
def test_a_panic_is_one_record(way: str) -> None:
    """By the rules, all of a panic is one record, and the ordinary lines around it are records of their own."""
    text = PANICS[way]
    lines = ["before", *text.splitlines(), "after", "later"]

    assert _joined(lines, _parser()["rules"]) == ["before", text, "after", "later"]


def test_rules_that_join_nothing_are_noticed() -> None:
    """Without the second rule every line would be a record."""
    first, _ = _parser()["rules"]
    lines = PANICS["deadlock"].splitlines()

    assert _joined(lines, [first, {**first, "state": "more", "regex": "/^never$/"}]) == lines


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


def _parser() -> dict[str, Any]:
    """The multiline parser that the configuration defines."""
    (found,) = yaml.safe_load((FOLDER / "fluent-bit.yaml").read_text())["multiline_parsers"]
    return dict(found)


def _joined(lines: list[str], rules: Rules) -> list[str]:
    """The records that Fluent Bit makes of lines of one stream (flb_ml_rule_process): a line goes on with the record, or begins one.

    A line that fits neither is not covered: here, any line can begin a record.
    """
    records: list[str] = []
    state = ""
    for line in lines:
        more = next((r for r in rules if START != r["state"] == state and _fits(r, line)), None)
        rule = more or next(r for r in rules if r["state"] == START and _fits(r, line))
        records = [*records[:-1], f"{records[-1]}\n{line}"] if more else [*records, line]
        state = rule["next_state"]
    return records


def _fits(rule: dict[str, str], line: str) -> bool:
    return re.search(rule["regex"].removeprefix("/").removesuffix("/"), line) is not None


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
