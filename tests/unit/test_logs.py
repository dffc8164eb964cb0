"""What is asked of the log store, and what becomes of its answers, without one."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kitlib.cluster import podproxy
from kitlib.errors import ClusterError, SupplyError
from kitlib.kube.connection import Answer
from kitlib.supply.packages import jars
from kitlib.telemetry import logs
from kitlib.views import explorer

SPACE: Any = None
GREEN = Answer(200, {}, {"status": "green"})

LINES = pd.DataFrame(
    {
        "time": pd.to_datetime(["2026-01-01T10:00:00Z", "2026-01-01T10:00:01Z"]),
        "pod": ["shop-1", "shop-2"],
        "level": ["ERROR", None],
        "message": ["<b>no price</b>", "panic: nil map\n\tmain.go:7"],
    }
)


def test_everything_given_must_hold() -> None:
    """Words, exact fields and a span become one query; what is not given is not asked."""
    since = pd.Timestamp("2026-01-01", tz="UTC")
    found = logs.matching("no price", namespace="shop", since=since, app__n=0)["bool"]

    assert found["filter"] == [
        {"term": {"kubernetes.namespace": "shop"}},
        {"term": {"app.n": 0}},
        {"range": {"@timestamp": {"gte": "2026-01-01T00:00:00+00:00"}}},
    ]
    assert found["must"][0]["simple_query_string"]["query"] == "no price"
    assert logs.matching() == {"bool": {"filter": [], "must": []}}


def test_a_daily_index_has_a_day() -> None:
    """The end of its name, midnight UTC."""
    assert logs.day("kit-logs-2026.11.24") == pd.Timestamp("2026-11-24", tz="UTC")


def test_lines_for_bulk() -> None:
    """An order and a document a line, each line ended."""
    assert logs.lines([{"n": 1}], "kit-logs-x") == b'{"index": {"_index": "kit-logs-x"}}\n{"n": 1}\n'


def test_the_explorers_table_shows_text_as_text() -> None:
    """What a program wrote is never markup, and a line without a level has an empty place."""
    found = explorer.table(LINES)

    assert "&lt;b&gt;no price&lt;/b&gt;" in found
    assert "None" not in found
    assert found.count("<tr>") == 1 + len(LINES)


def test_the_histogram_is_a_bar_a_level() -> None:
    """Levels are stacked and named."""
    time = pd.Timestamp("2026-01-01", tz="UTC")
    rows = [(time, "INFO", 3), (time, "ERROR", 1), (time + pd.Timedelta(seconds=15), "INFO", 2)]
    found = explorer.bars(pd.DataFrame(rows, columns=["time", "level", "lines"]), 15, "six lines")

    assert "<svg" in found
    assert {"INFO", "ERROR"} <= {level for level in explorer.COLOURS if level in found}
    assert "six lines" in found


@pytest.mark.parametrize("refusals", [0, 1, 3])
def test_an_index_that_is_being_made_is_waited_for(refusals: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that Elasticsearch refuses for the moment is sent again until it is answered."""
    answers = iter([Answer(503, {}, {"error": "all shards failed"})] * refusals + [Answer(200, {}, {"count": 7})])
    monkeypatch.setattr(podproxy, "request", lambda *words, **_: GREEN if "health" in words[3] else next(answers))

    assert logs.Logs(SPACE).ask("POST", "kit-logs-*/_count", {"query": {}}) == {"count": 7}


def test_an_index_that_stays_unavailable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Elasticsearch's words, once its time is over."""
    refused = Answer(503, {}, {"error": {"reason": "all shards failed"}})
    monkeypatch.setattr(logs, "BEING_MADE", 0)
    monkeypatch.setattr(podproxy, "request", lambda *_, **__: refused)
    monkeypatch.setattr(logs.Logs, "troubles", lambda _: ["index kit-logs-x is red"])

    with pytest.raises(ClusterError, match=r"(?s)all shards failed.*is red"):
        logs.Logs(SPACE).ask("POST", "kit-logs-*/_count", {"query": {}})


@pytest.mark.parametrize("change", ["content", "missing", "more"])
def test_archives_must_be_those_of_the_checksums(change: str, tmp_path: Path) -> None:
    """Another content, a missing file, a file too many: each is an error that names it."""
    (tmp_path / "a.jar").write_bytes(b"a")
    checksums = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a.jar\n"
    jars.verify(tmp_path, checksums)
    name = "a.jar" if change != "more" else "b.jar"
    if change == "missing":
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(b"b")
    with pytest.raises(SupplyError) as caught:
        jars.verify(tmp_path, checksums)

    assert caught.value.observed == (name,)
