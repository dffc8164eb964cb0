"""Where a trace leads, and what becomes of an alert without one."""

from typing import Any

import pandas as pd
import pytest

from kitlib.gameday import trail
from kitlib.telemetry.spans import COLUMNS

START = pd.Timestamp("2026-01-01", tz="UTC")


def span(
    number: int, service: str, kind: str, begin: float, seconds: float, *, error: bool = False, to: str = ""
) -> dict[str, Any]:
    """The span of that number, whose parent is the one before it."""
    return {
        "trace_id": "t",
        "span_id": str(number),
        "parent_id": str(number - 1) if number else "",
        "depth": number,
        "service": service,
        "pod": f"{service}-1",
        "name": "GET",
        "kind": kind,
        "start": START + pd.Timedelta(seconds=begin),
        "seconds": seconds,
        "error": error,
        "code": 200.0,
        "attributes": {"server.address": to} if to else {},
    }


def chain(*, at: list[float], errors: int, last: int = 5, to: str = "backend") -> pd.DataFrame:
    """gateway → catalog → backend, so far as span `last`; at: seconds of each span; errors: the first so many have one."""
    who = ["gateway", "gateway", "catalog", "catalog", "backend"]
    spans = [
        span(n, who[n], "client" if n % 2 else "server", 0.001 * n, at[n], error=n < errors, to=to if n % 2 else "")
        for n in range(last)
    ]
    return pd.DataFrame(spans, columns=COLUMNS)


QUICK = [0.010, 0.008, 0.006, 0.004, 0.002]
CASES = {
    "an error begins in the backend": (chain(at=QUICK, errors=5), "backend"),
    "catalog is slow itself": (chain(at=[0.9, 0.89, 0.88, 0.004, 0.002], errors=0), "catalog"),
    "the backend holds it until catalog gives up": (chain(at=[2.0, 2.0, 2.0, 2.0, 1.99], errors=4), "backend"),
    "catalog calls what does not exist": (chain(at=QUICK, errors=4, last=4, to="backnd"), "catalog"),
    "catalog calls what exists and does not answer": (chain(at=QUICK, errors=4, last=4), "backend"),
    "an error begins in catalog": (chain(at=QUICK, errors=3), "catalog"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_trace_leads_to_the_service_at_fault(case: str) -> None:
    """The deepest error, whom it called, or the most time of its own."""
    spans, wanted = CASES[case]
    service, because = trail.culprit(spans, known=lambda name: name in ("gateway", "catalog", "backend"))

    assert service == wanted
    assert because


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ({"app": "backend", "pod": "backend-5d8f-x2x4q"}, "backend"),
        ({"app": "", "pod": "catalog-5d8f-x2x4q"}, "catalog"),
        ({"app": "gateway", "pod": ""}, "gateway"),
    ],
)
def test_an_alert_without_requests_names_somebody(labels: dict[str, str], wanted: str) -> None:
    """Its app, or the app whose pod it names."""
    service, _ = trail._named(pd.Series(labels))

    assert service == wanted


def test_a_trail_can_be_read() -> None:
    """As text and as HTML: alert, exemplar, trace, lines, and where it leads."""
    spans, _ = CASES["an error begins in the backend"]
    line = {"time": START, "pod": "backend-1", "level": "DEBUG", "said": "request <500>"}
    alert = pd.Series({"alert": "HighErrorRate", "summary": "half of them fail"})
    it = trail.Trail(
        alert, pd.Series({"trace_id": "t", "value": 0.5}), spans, pd.DataFrame([line]), "backend", "it is its own"
    )
    text, page = str(it), it._repr_mimebundle_()["text/html"]

    for shown in (text, page):
        assert [
            word for word in ("HighErrorRate", "trace t", "5 spans", "backend", "request") if word not in shown
        ] == []
    assert "&lt;500&gt;" in page
