import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kitlib.debug import dap, ide
from kitlib.debug.session import line_of, over
from kitlib.debug.stopped import Frame, Stopped, Variable
from kitlib.errors import DebugError, UsageError

EVENT = {"seq": 1, "type": "event", "event": "initialized"}


def test_a_message_survives_any_cut() -> None:
    """Two messages, fed byte by byte, come out as they went in; lengths count bytes and not letters."""
    wanted = [EVENT, {"seq": 2, "type": "event", "event": "output", "body": {"output": "Größe → 2\n"}}]
    decoder = dap.Decoder()
    wire = b"".join(map(dap.encode, wanted))

    assert [m for i in range(len(wire)) for m in decoder.feed(wire[i : i + 1])] == wanted
    assert list(dap.Decoder().feed(wire)) == wanted


def test_other_headers_are_no_harm() -> None:
    """A Content-Type beside the length, and a length in other letters, are read over."""
    body = json.dumps(EVENT).encode()
    wire = b"Content-Type: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    assert list(dap.Decoder().feed(wire)) == [EVENT]


def test_another_protocol_is_refused() -> None:
    """What answers in HTTP is no debugger, and the error quotes it."""
    with pytest.raises(DebugError, match=r"HTTP/1\.1 400"):
        list(dap.Decoder().feed(b"HTTP/1.1 400 Bad Request\r\n\r\n"))


@contextmanager
def _server(*answers: dict[str, Any]) -> Iterator[socket.socket]:
    """A stream to a debugger that says this, in this order, after the first request, and then closes."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        theirs.recv(1 << 16)
        theirs.sendall(b"".join(map(dap.encode, answers)))
        theirs.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield ours
    finally:
        thread.join()
        ours.close()
        theirs.close()


def _response(number: int, command: str, **more: Any) -> dict[str, Any]:
    return {"type": "response", "request_seq": number, "command": command, "success": True} | more


def test_events_wait_for_who_wants_them() -> None:
    """An event that comes before the response is kept, and output is kept for errors."""
    said = {"type": "event", "event": "output", "body": {"output": "hello\n"}}
    with _server(said, EVENT, _response(1, "threads", body={"threads": []})) as stream:
        client = dap.Client(stream)
        answer = client.request("threads")

        assert answer == {"threads": []}
        assert client.event("initialized", seconds=1)["event"] == "initialized"
        assert client.said() == ["hello"]


def test_a_refusal_is_an_error_with_its_reason() -> None:
    """The debugger's own words, also for what was sent without waiting for the response."""
    refused = _response(1, "attach", success=False, body={"error": {"format": "no debugger found"}})
    with _server(refused) as stream:
        client = dap.Client(stream)
        client.send("attach")
        with pytest.raises(DebugError, match="no debugger found"):
            client.event("initialized", seconds=1)


def test_silence_has_an_end() -> None:
    """Nothing in time, and a connection that is closed, are errors that say which message was missed."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client = dap.Client(ours)
        with pytest.raises(DebugError, match="no event stopped within the time"):
            client.event("stopped", seconds=0.05)
        theirs.close()
        with pytest.raises(DebugError, match="no event stopped: the debugger has closed"):
            client.event("stopped", seconds=1)


def test_a_failed_attach_closes_the_stream() -> None:
    """Nothing stays open when the other side is no debugger."""
    with _server(_response(1, "initialize", success=False, message="not here")) as stream:
        with pytest.raises(DebugError, match="not here"):
            over(stream)

        assert stream.fileno() == -1


STOPPED = Stopped(
    "breakpoint",
    tuple(Frame(i, f"f{i}", "a<b>.go", 2) for i in range(6)),
    (Variable("id", "2", "int"), Variable("long", "x" * 200, "string")),
    ("package a", "\tfunc <b>() {", "}"),
)


def test_a_stopped_program_is_shown() -> None:
    """The arrow is at the line, the outer callers are counted, long values are cut, and no source can inject HTML."""
    text, html = str(STOPPED), STOPPED._repr_mimebundle_()["text/html"]

    assert "  →   2      func <b>() {" in text
    assert Variable("m", "", "*kit.local/goapp/internal/items.Memory").kind == "*items.Memory"
    assert "… and 2 more below" in text
    assert "x" * 200 not in text + html
    assert "<b>" not in html
    assert STOPPED.variable("id") == Variable("id", "2", "int")
    assert STOPPED.variable("gone") is None


def test_a_line_is_named_by_its_text(tmp_path: Any) -> None:
    """One line that contains the text is found; none, or more than one, is an error."""
    file = tmp_path / "a.go"
    file.write_text("one\ntwo\ntwo\n")

    assert line_of(file, "one") == 1
    for text in ("two", "three"):
        with pytest.raises(UsageError, match=r"lines of a\.go"):
            line_of(file, text)


@pytest.mark.parametrize(
    ("old", "new"), [('"go"', '"python"'), ('"port": 40000', '"port": "40000"'), ('"to"', '"into"'), ("}", "")]
)
def test_a_wrong_launch_json_is_refused(old: str, new: str) -> None:
    """Another debugger, a port as text, an unknown key, no JSON at all."""
    right = ide.launch_json(40000)
    ide.check(right)

    with pytest.raises(UsageError, match=r"launch\.json"):
        ide.check(right.replace(old, new))
