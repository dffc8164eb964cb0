"""What the load generator wrote, read back."""

import base64
from typing import Any

import pytest

from kitlib.errors import UsageError
from kitlib.workloads.traffic import COLUMNS, LIMIT, open_loop, read

HEADERS = base64.b64encode(b"X-Served-By: gateway-1, catalog-2\r\nX-Version: 7\r\n\r\n").decode()


def _line(moment: int, code: int, error: str = "", headers: str = HEADERS) -> str:
    return f'{moment},{code},1500000,0,20,"{error}",,,0,GET,http://web/items,{headers}'


def test_each_line_is_a_request_in_the_order_of_sending() -> None:
    """Times are in seconds from the first request, whatever the order of the answers."""
    frame = read("\n".join([_line(3_000_000_000, 200), _line(1_000_000_000, 503)]))

    assert list(COLUMNS) == list(frame.columns)
    assert list(frame["at"]) == [0.0, 2.0]
    assert list(frame["code"]) == [503, 200]
    assert list(frame["ok"]) == [False, True]
    assert list(frame["latency"]) == [0.0015, 0.0015]
    assert list(frame["served_by"]) == ["gateway-1, catalog-2"] * 2
    assert list(frame["version"]) == ["7"] * 2


def test_a_request_without_an_answer_says_why() -> None:
    """Code 0, not ok, and the client's own words; commas in them do not break the line."""
    frame = read(_line(1, 0, "dial tcp: connection refused, twice", ""))

    assert list(frame[["code", "ok", "error"]].itertuples(index=False, name=None)) == [
        (0, False, "dial tcp: connection refused, twice")
    ]


def test_messages_between_the_lines_are_left_out() -> None:
    """vegeta's own warnings are no requests; no output gives an empty frame with its columns."""
    assert len(read(f"2026/01/01 12:00:00 warming up\n{_line(1, 200)}\n")) == 1
    assert list(COLUMNS) == list(read("").columns)


@pytest.mark.parametrize(("rate", "seconds"), [(0, 10), (100, LIMIT)])
def test_more_than_a_log_can_hold_is_refused(rate: int, seconds: int) -> None:
    """Before anything is sent."""
    nowhere: Any = None
    with pytest.raises(UsageError, match="requests"), open_loop(nowhere, "http://web/", rate=rate, seconds=seconds):
        pass
