"""Cells that read Secrets by commands of their own: the values are learned before the command prints them.

What a kernel reads through the kit is learned there (kube/client.py).  A `kubectl` in a cell passes the kit by.  So the text of a cell is
looked at before it runs: if it starts a process that may print a Secret, the Secrets of the kit's cluster are listed once, and
once more afterwards, for those that the cell itself made.  No other cell costs a request.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from typing import Any

import urllib3.exceptions

from kitlib.errors import KitError
from kitlib.host import identity
from kitlib.kube.connection import Connection, StatusError, access
from kitlib.masking import redact

SECONDS = 2.0  # that a cell waits for the list at most
PATH = "/api/v1/secrets"
_STARTS = re.compile(
    r"^\s*(?:[\w, ]+=\s*)?!|^\s*%%?(?:bash|sh|script|system|sx|cmd)\b|\b(?:subprocess|Popen|os\.(?:system|popen)|get_ipython)\b",
    re.MULTILINE,
)
_READS = re.compile(r"secrets?\b|\b(?:env|printenv|environ|exec|attach|logs|base64)\b", re.IGNORECASE)
_LITERAL = re.compile(
    r"--from-literal[= ]\s*(?P<quote>[\"']?)(?P<key>[\w.-]+)=(?P<inner>[\"']?)(?P<value>[^\s\"'{}$]+)(?P=inner)(?P=quote)(?=\s|$)"
)


def install(shell: Any) -> None:
    """Look at each cell of this kernel.  Outside a kernel, and the second time, this does nothing."""
    if getattr(shell, "kernel", None) is None or getattr(shell, "kit_reads", False):
        return
    shell.kit_reads = True
    shell.events.register("pre_run_cell", before)
    shell.events.register("post_run_cell", after)


def before(info: Any) -> None:
    """Learn what the cell can print.  info: IPython's, with the cell's text."""
    text = str(info.raw_cell or "")
    redact.reading(reads(text))
    if reads(text):
        redact.learn(dict(_literals(text)))
        learn()


def after(result: Any) -> None:
    """Learn what the cell has made; of a display that comes later, only what was learned is masked."""
    if reads(str(getattr(result.info, "raw_cell", None) or "")):
        learn()
    redact.reading(False)


def reads(text: str) -> bool:
    """Whether a cell starts a process that may print a value of a Secret."""
    return bool(_STARTS.search(text) and _READS.search(text))


def learn(seconds: float = SECONDS) -> None:
    """List the Secrets of the kit's cluster.  Without a cluster nothing happens; one that does not answer in time is not waited for."""
    if not _bound():
        return
    asking = threading.Thread(target=_ask, args=(seconds,), daemon=True)
    asking.start()
    asking.join(seconds)


def _bound() -> bool:
    try:
        return identity.kubeconfig().exists()
    except (KitError, OSError):
        return False  # a wrong setting, which each call of the kit reports


def _ask(seconds: float) -> None:
    try:
        answer = Connection(access(identity.kubeconfig())).json("GET", PATH, seconds=seconds)
        for secret in answer["items"]:
            redact.learn(secret.get("data") or {})
    except (KitError, StatusError, urllib3.exceptions.HTTPError, OSError, ValueError, LookupError, TypeError):
        return  # the command itself will say that the cluster does not answer


def _literals(text: str) -> Iterator[tuple[str, str]]:
    """Key and value, as a Secret has them, of each `--from-literal` in the text; one with a variable in it is not known yet."""
    for found in _LITERAL.finditer(text):
        yield found["key"], base64.b64encode(found["value"].encode()).decode()
