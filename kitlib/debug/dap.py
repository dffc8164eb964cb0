"""The Debug Adapter Protocol over a stream: messages with a length in front, requests and their responses, events.

Source: https://microsoft.github.io/debug-adapter-protocol/overview.  No thread is needed, because every wait is for one message.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol

from kitlib.errors import DebugError

Message = dict[str, Any]
END_OF_HEADER = b"\r\n\r\n"
LENGTH = "content-length"
SECONDS = 10.0
CHUNK = 1 << 16
KEPT = 20  # lines of the debugger's output, for an error


class Stream(Protocol):
    """The methods of a socket that the client uses."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of these bytes."""

    def recv(self, size: int, /) -> bytes:
        """Receive at most `size` bytes; none when the other side has closed the stream."""

    def settimeout(self, seconds: float, /) -> None:
        """Set how many seconds a `recv` waits before it raises TimeoutError."""

    def close(self) -> None:
        """Close the stream; the other side sees its end."""


def encode(message: Message) -> bytes:
    """A message as it goes over the wire."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return f"Content-Length: {len(body)}".encode() + END_OF_HEADER + body


class Decoder:
    """Cuts bytes, which come in pieces of any size, into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that these bytes complete.  Raises DebugError for bytes that do not follow the protocol."""
        self._rest += data
        while END_OF_HEADER in self._rest:
            header, _, after = self._rest.partition(END_OF_HEADER)
            length = _length(header)
            if len(after) < length:
                return
            self._rest = after[length:]
            yield json.loads(after[:length])


def _length(header: bytes) -> int:
    for line in header.decode("ascii", errors="replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == LENGTH and value.strip().isdigit():
            return int(value)
    raise DebugError(
        f"the other side does not speak the Debug Adapter Protocol: {header[:60]!r}", hint="is this Delve's port?"
    )


class Client:
    """One conversation.  Events that no call has waited for yet are kept in their order."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._decoder = Decoder()
        self._arrived: deque[Message] = deque()
        self._events: deque[Message] = deque()
        self._said: deque[str] = deque(maxlen=KEPT)
        self._sent = 0

    def request(self, command: str, arguments: Message | None = None, *, seconds: float = SECONDS) -> Message:
        """Send a request; returns the body of its response.  Raises DebugError when it is refused, or no response comes in time."""
        number = self.send(command, arguments)
        deadline = time.monotonic() + seconds
        while True:
            message = self._next(deadline, f"no response to {command}")
            if message["type"] == "response" and message["request_seq"] == number:
                return self._body(message)
            self._keep(message)

    def send(self, command: str, arguments: Message | None = None) -> int:
        """Send a request without waiting: some requests are answered only when others have followed."""
        self._sent += 1
        message = {"seq": self._sent, "type": "request", "command": command, "arguments": arguments or {}}
        try:
            self._stream.sendall(encode(message))
        except OSError as e:
            raise self._lost(f"{command} could not be sent: {e}") from e
        return self._sent

    def event(self, *names: str, seconds: float = SECONDS) -> Message:
        """The first event of one of these names, also one that has come already; as a whole.  Raises DebugError."""
        for event in self._events:
            if event["event"] in names:
                self._events.remove(event)
                return event
        deadline = time.monotonic() + seconds
        while True:
            message = self._next(deadline, f"no event {' or '.join(names)}")
            if message["type"] == "event" and message["event"] in names:
                return message
            self._keep(message)

    def said(self) -> list[str]:
        """The newest lines of output that came with events, such as a logpoint's."""
        return list(self._said)

    def close(self) -> None:
        """Close the stream without a word to the debugger."""
        self._stream.close()

    def _next(self, deadline: float, otherwise: str) -> Message:
        while not self._arrived:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._lost(f"{otherwise} within the time")
            self._stream.settimeout(left)
            try:
                data = self._stream.recv(CHUNK)
            except TimeoutError:
                continue
            except OSError as e:
                raise self._lost(f"{otherwise}: {e}") from e
            if not data:
                raise self._lost(f"{otherwise}: the debugger has closed the connection")
            self._arrived.extend(self._decoder.feed(data))
        return self._arrived.popleft()

    def _keep(self, message: Message) -> None:
        """Keep a message that no call waits for: an event for later; of the response to a `send`, only a refusal."""
        if message["type"] == "response":
            self._body(message)
        elif message["event"] == "output":
            self._said.extend(message["body"]["output"].splitlines())
        else:
            self._events.append(message)

    def _body(self, response: Message) -> Message:
        if not response["success"]:
            error = response.get("body", {}).get("error", {})
            reason = error.get("format") or response.get("message")
            raise DebugError(f"the debugger refuses {response['command']}: {reason}", observed=self.said()[-3:])
        return dict(response.get("body") or {})

    def _lost(self, what: str) -> DebugError:
        return DebugError(what, observed=self.said()[-5:], hint="look at the log of the debugger's container")
