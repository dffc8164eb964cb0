"""A command's two streams until it ends, kept apart: stdout is data, and both together are what a terminal shows."""

from __future__ import annotations

import codecs
import os
import selectors
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

CHUNK = 1 << 16


@dataclass
class Said:
    """data: stdout.  text: both streams in the order in which they came.  late: the command was killed because its time was over."""

    _data: list[str] = field(default_factory=list)
    _text: list[str] = field(default_factory=list)
    late: bool = False

    @property
    def data(self) -> str:
        """Everything that came on stdout."""
        return "".join(self._data)

    @property
    def text(self) -> str:
        """Both streams, in the order in which they came."""
        return "".join(self._text)

    def add(self, text: str, *, data: bool) -> None:
        """Append what came on one stream.  data: it came on stdout."""
        self._text.append(text)
        if data:
            self._data.append(text)


class _Lines:
    """Cuts a stream of bytes into lines; a line that is rewritten by carriage returns is one line, as it was last."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._rest = ""
        self._on_line = on_line

    def feed(self, chunk: bytes, *, final: bool = False) -> str:
        """The chunk as text; each line that ends in it is handed on."""
        text = self._decode(chunk, final)
        *whole, rest = (self._rest + text).split("\n")
        self._rest = (
            rest if rest.endswith("\r") else rest.rpartition("\r")[2]
        )  # earlier versions of a rewritten line are dropped
        for line in whole:
            self._on_line(line.rstrip().rpartition("\r")[2])
        if final and self._rest:
            self._on_line(self._rest.rstrip().rpartition("\r")[2])
        return text


def read(process: subprocess.Popen[bytes], on_line: Callable[[str], None] | None, timeout: float | None) -> Said:
    """Read until the process ends, which is not when its last child closes the streams; kill it when so many seconds have passed."""
    said, ended = Said(), _end(process)
    deadline = None if timeout is None else time.monotonic() + timeout
    with selectors.DefaultSelector() as selector, ended:
        selector.register(ended, selectors.EVENT_READ)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, _Lines(on_line or (lambda _: None)))
        running = True
        while running:
            ready = [
                key for key, _ in selector.select(None if deadline is None else max(deadline - time.monotonic(), 0))
            ]
            if not ready:
                said.late, deadline = True, None
                process.kill()
            running = all(key.data is not None for key in ready)
            for key in ready if running else list(selector.get_map().values()):
                if key.data is not None and not _pass_on(process, key, said, drain=not running):
                    selector.unregister(key.fileobj)
    process.wait()
    return said


def _pass_on(process: subprocess.Popen[bytes], key: selectors.SelectorKey, said: Said, *, drain: bool) -> bool:
    """Take one chunk, or all that is there (drain); False when the stream is at its end, or no more of it is wanted."""
    while True:
        try:
            chunk = os.read(key.fd, CHUNK)
        except BlockingIOError:
            chunk = b""
        said.add(key.data.feed(chunk, final=not chunk), data=key.fileobj is process.stdout)
        if not chunk or not drain:
            return bool(chunk)


def _end(process: subprocess.Popen[bytes]) -> IO[bytes]:
    """A file that can be read as soon as the process has ended."""
    reader, writer = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(writer)

    threading.Thread(target=wait, daemon=True).start()
    return os.fdopen(reader, "rb", buffering=0)
