"""One program under Delve: attach, break, look, step, let go."""

from __future__ import annotations

import socket
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from kitlib import paths
from kitlib.debug import dap
from kitlib.debug.stopped import Frame, Stopped, Variable
from kitlib.errors import DebugError, UsageError

LOCAL = paths.ROOT / "goapp"
REMOTE = "/src"  # where the recipes build goapp, and so what its debug information calls the folder
FRAMES = 20
HELLO = {"adapterID": "go", "clientID": "kit", "pathFormat": "path", "supportsVariableType": True}
SECONDS = 20.0


class Session:
    """A debugger that is attached.  Leaving its block lets the program go on without it."""

    def __init__(self, client: dap.Client, *, local: Path = LOCAL, remote: str = REMOTE) -> None:
        self._client = client
        self._local, self._remote = local, remote
        self._files: set[str] = set()
        self._thread: int | None = None  # the goroutine that is stopped
        self._open = True

    def breakpoint(self, file: str, at: str | int, *, condition: str = "", log: str = "") -> int:
        """Stop before a line is executed; returns its number.

        file: below goapp.  at: the line's number, or a text that one line alone contains.  condition: a Go expression.  log: say
        this instead of stopping, with {expressions}.  It replaces the file's other breakpoints.  Raises DebugError with Delve's reason.
        """
        number = line_of(self._local / file, at) if isinstance(at, str) else at
        wanted = (
            {"line": number} | ({"condition": condition} if condition else {}) | ({"logMessage": log} if log else {})
        )
        (found,) = self._set(file, [wanted])
        if not found["verified"]:
            raise DebugError(f"no breakpoint at {file}:{number}: {found.get('message', 'it was not verified')}")
        self._files.add(file)
        return int(found["line"])

    def clear(self) -> None:
        """Remove all breakpoints."""
        for file in self._files:
            self._set(file, [])
        self._files.clear()

    def wait(self, seconds: float = SECONDS) -> Stopped:
        """The program as it is when it has stopped.  Raises DebugError when it does not, or has ended."""
        event = self._client.event("stopped", "terminated", seconds=seconds)
        if event["event"] == "terminated":
            raise DebugError("the program has ended", observed=self._client.said()[-5:])
        self._thread = int(event["body"].get("threadId") or 0)
        return self._look(event["body"]["reason"])

    def step(self, how: str = "next") -> Stopped:
        """Execute a line: `next` goes over a call, `stepIn` into it, `stepOut` to the caller.  The program as it is then."""
        self._client.request(how, {"threadId": self._stopped_thread()})
        return self.wait()

    def evaluate(self, expression: str, frame: Frame | None = None) -> Variable:
        """The value of a Go expression where the program is stopped.  Raises DebugError in Delve's words."""
        where = {"frameId": frame.id} if frame else {}
        found = self._client.request("evaluate", {"expression": expression, "context": "watch", **where})
        return Variable(expression, found["result"], found.get("type", ""), found.get("variablesReference", 0))

    def inside(self, variable: Variable) -> list[Variable]:
        """The fields or elements of a value; [] of one that has none."""
        if not variable.reference:
            return []
        found = self._client.request("variables", {"variablesReference": variable.reference})
        return [_variable(v) for v in found["variables"]]

    def assign(self, within: Variable, name: str, value: str) -> None:
        """Write a field or element of a value, in the program's memory.  value: a Go literal.  Raises DebugError in Delve's words."""
        fields = self.inside(within)
        # Delve shows what a pointer or expression leads to as one nameless field
        if all(field.name != name for field in fields):
            within = next((field for field in fields if field.reference), within)
            self.inside(within)
        words = {"variablesReference": within.reference, "name": name, "value": value}
        self._client.request("setVariable", words)

    def resume(self) -> None:
        """Let the program go on, with the breakpoints as they are."""
        self._client.request("continue", {"threadId": self._stopped_thread()})
        self._thread = None

    def said(self) -> list[str]:
        """The newest lines that Delve and its logpoints have written."""
        return self._client.said()

    def detach(self) -> None:
        """Remove the breakpoints, let the program go on, and disconnect.  A second call changes nothing."""
        if not self._open:
            return
        self._open = False
        try:
            self.clear()
            if self._thread is not None:
                self.resume()
            self._client.request("disconnect", {"terminateDebuggee": False})
        finally:
            self._client.close()

    def abandon(self) -> None:
        """Drop the connection, as a network failure would: breakpoints stay, and a stopped program stays stopped."""
        self._open = False
        self._client.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        try:
            self.detach()
        except DebugError:
            if kind is None:
                raise  # else the first failure is the one to raise

    def _set(self, file: str, breakpoints: list[dap.Message]) -> list[dict[str, Any]]:
        source = {"path": str(PurePosixPath(self._remote, file))}
        found = self._client.request("setBreakpoints", {"source": source, "breakpoints": breakpoints})
        return list(found["breakpoints"])

    def _look(self, reason: str) -> Stopped:
        where = {"threadId": self._thread, "startFrame": 0, "levels": FRAMES}
        frames = tuple(self._frame(f) for f in self._client.request("stackTrace", where)["stackFrames"])
        variables: list[Variable] = []
        for scope in self._client.request("scopes", {"frameId": frames[0].id})["scopes"] if frames else ():
            reference = {"variablesReference": scope["variablesReference"]}
            variables += [_variable(v) for v in self._client.request("variables", reference)["variables"]]
        return Stopped(reason, frames, tuple(variables), self._source(frames[0]) if frames else ())

    def _frame(self, found: dap.Message) -> Frame:
        path = found.get("source", {}).get("path", "")
        return Frame(found["id"], found["name"], path.removeprefix(f"{self._remote}/"), found["line"])

    def _source(self, frame: Frame) -> tuple[str, ...]:
        file = self._local / frame.file
        return tuple(file.read_text().splitlines()) if frame.file and file.is_file() else ()

    def _stopped_thread(self) -> int:
        if self._thread is None:
            raise UsageError("the program is not stopped", hint="set a breakpoint, and wait() for it")
        return self._thread


def attach(port: int, *, local: Path = LOCAL, remote: str = REMOTE, seconds: float = SECONDS) -> Session:
    """Attach to a Delve that listens on 127.0.0.1:port and has a program; the program goes on running.  Raises DebugError."""
    try:
        stream = socket.create_connection(("127.0.0.1", port), timeout=seconds)
    except OSError as e:
        raise DebugError(f"nothing listens on 127.0.0.1:{port} ({e})", hint="does the debugger's container run?") from e
    return over(stream, local=local, remote=remote, seconds=seconds)


def over(stream: dap.Stream, *, local: Path = LOCAL, remote: str = REMOTE, seconds: float = SECONDS) -> Session:
    """Attach over any stream that leads to Delve.  Raises DebugError, and closes the stream then."""
    client = dap.Client(stream)
    try:
        client.request("initialize", HELLO, seconds=seconds)
        client.send("attach", {"mode": "remote", "stopOnEntry": False})
        client.event("initialized", seconds=seconds)
        client.request("configurationDone", seconds=seconds)
    except BaseException:
        client.close()
        raise
    return Session(client, local=local, remote=remote)


def line_of(file: Path, text: str) -> int:
    """The number of the one line that contains a text.  Raises UsageError when there is none, or more than one."""
    found = [number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line]
    if len(found) != 1:
        raise UsageError(f"{len(found)} lines of {file.name} contain {text!r}", hint="name one line, by text or number")
    return found[0]


def _variable(found: dap.Message) -> Variable:
    return Variable(found["name"], found["value"], found.get("type", ""), found.get("variablesReference", 0))
