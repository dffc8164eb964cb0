"""A credential helper that keeps passwords in memory, as ssh-agent keeps keys, and never on disk.

docker and crane run `docker-credential-NAME get|store|erase|list` and speak JSON with it
(https://github.com/docker/docker-credential-helpers#development).  The helper here is a few lines that pass the request to a socket
in a folder of its own; behind the socket is this process, for as long as the block runs.
"""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from kitlib.masking import redact

NAME = "kit-keeper"
NOT_FOUND = "credentials not found in native keychain"  # the message by which docker knows that there are none
HELPER = """\
#!{python} -I
import socket, sys
with socket.socket(socket.AF_UNIX) as keeper:
    keeper.connect({socket!r})
    keeper.sendall(sys.argv[1].encode() + b"\\n" + sys.stdin.buffer.read())
    keeper.shutdown(socket.SHUT_WR)
    code, _, answer = b"".join(iter(lambda: keeper.recv(65536), b"")).partition(b"\\n")
sys.stdout.buffer.write(answer)
sys.exit(int(code))
"""


class Keeper:
    """The kept credentials: server → user and secret."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, str]] = {}

    def answer(self, action: str, text: str) -> tuple[int, str]:
        """Exit code and output for one request of the protocol."""
        match action:
            case "store":
                entry = json.loads(text)
                redact.register(entry["Secret"])
                self._kept[entry["ServerURL"]] = entry["Username"], entry["Secret"]
                return 0, ""
            case "get" if text.strip() in self._kept:
                user, secret = self._kept[text.strip()]
                return 0, json.dumps({"ServerURL": text.strip(), "Username": user, "Secret": secret})
            case "erase" if self._kept.pop(text.strip(), None):
                return 0, ""
            case "list":
                return 0, json.dumps({server: user for server, (user, _) in self._kept.items()})
        return 1, NOT_FOUND


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        action, _, text = self.rfile.read().decode().partition("\n")
        code, answer = self.server.keeper.answer(action, text)  # type: ignore[attr-defined]
        self.wfile.write(f"{code}\n{answer}".encode())


@contextmanager
def kept() -> Iterator[Path]:
    """A folder with the helper, for PATH, while the block runs; config.json asks for it by {"credsStore": NAME}."""
    with TemporaryDirectory(prefix="kit-keeper-") as folder:
        at = str(Path(folder) / "socket")
        helper = Path(folder) / f"docker-credential-{NAME}"
        helper.write_text(HELPER.format(python=sys.executable, socket=at))
        helper.chmod(0o700)
        with socketserver.UnixStreamServer(at, _Handler) as server:
            server.keeper = Keeper()  # type: ignore[attr-defined]
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            try:
                yield Path(folder)
            finally:
                server.shutdown()
                thread.join()
