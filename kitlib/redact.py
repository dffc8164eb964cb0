"""Secrets never reach an output, a log, a report or a stored notebook.

Two things are masked: values that were learned at run time, because the kit read them from a Secret, and text that
looks like a secret (kitlib/secretforms.py).  It happens twice: in the kernel, before a message leaves it (`install`),
and when a notebook is written (`mask_notebook`).  Learned values live in this process' memory alone, never on disk.

    >>> mask("postgres://app:hunter2@db:5432/shop")
    'postgres://app:[masked]@db:5432/shop'
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from kitlib.secretforms import MASK, mask_forms, sensitive

_MIN_LENGTH = 6  # shorter values are words that occur everywhere
# Keys of Secrets whose values are not secret.
_PUBLIC = {"namespace", "ca.crt", "tls.crt", "service-ca.crt", "username"}
_IMAGE = re.compile(r"data:(?:image|font|audio|video)/[\w.+-]+;base64,[A-Za-z0-9+/=]+")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class _Learned:
    """Values known to be secret, with the encodings in which they travel, as one pattern."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: bytes) -> None:
        text = value.decode(errors="replace").strip()
        if len(text) < _MIN_LENGTH or text in MASK:
            return
        self._forms |= {form for form in _encodings(text) if len(form) >= _MIN_LENGTH}
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def mask(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]


_learned = _Learned()


def register(value: str | bytes) -> None:
    """Mask this value, and its base64, URL and JSON forms, from now on.  Values under 6 characters are not learned."""
    _learned.add(value.encode() if isinstance(value, str) else value)


def learn(data: Mapping[str, str]) -> None:
    """Register the values of a Secret's `data`, base64 as the API gives them, except what is public by nature."""
    for key, encoded in data.items():
        if key not in _PUBLIC:
            register(base64.b64decode(encoded))


def forget() -> None:
    """Forget every learned value."""
    _learned.clear()


def mask(text: str) -> str:
    """The text without its secrets.  Idempotent; text without a secret comes back as it was."""
    plain = _ANSI.sub("", text)
    if plain != text:  # colours can cut a secret in two; a text that has one loses its colours
        masked = mask(plain)
        return text if masked == plain else masked
    images: list[str] = []

    def stash(image: re.Match[str]) -> str:
        images.append(image[0])
        return f"\0image {len(images) - 1}\0"

    text = mask_forms(_learned.mask(_IMAGE.sub(stash, text)))
    return re.sub(r"\0image (\d+)\0", lambda m: images[int(m[1])], text) if images else text


def mask_value(value: Any) -> Any:
    """A copy of JSON-like data without its secrets; what a key says about its value counts too."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list | tuple):
        return [mask_value(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {key: MASK if _is_secret(value, key) else _mask_data(value, key) for key in value}


def mask_notebook(nb: Any) -> Any:
    """Mask a notebook in place, and return it: outputs, error tracebacks, widget state and papermill's parameters.

    Sources stay as their author wrote them, but for the cell of parameters that papermill adds.
    """
    for cell in nb.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = mask(cell.source)
        if "outputs" in cell:
            cell.outputs = _join_streams(cell.outputs)
            for output in cell.outputs:
                _update(output, _mask_content(output.output_type, output))
    for name in ("papermill", "widgets", "kit"):
        if name in nb.metadata:
            _update(nb.metadata[name], mask_value(nb.metadata[name]))
    return nb


def mask_output(output: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of one output of a notebook without its secrets."""
    return dict(_mask_content(output["output_type"], output))


def install(shell: Any) -> None:
    """Mask what leaves the kernel of this IPython shell: text, displays, results, errors and widget messages.

    All of them pass through one session, that is why it is hooked and not each publisher.  Outside a kernel, and the
    second time, this does nothing.
    """
    session = getattr(getattr(shell, "kernel", None), "session", None)
    if session is None or getattr(session.send, "masks", False):
        return
    original = session.send

    def send(stream: Any, msg_or_type: Any, content: Any = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(msg_or_type, str):
            content = _mask_content(msg_or_type, content)
        else:
            msg_or_type = {**msg_or_type, "content": _mask_content(msg_or_type["msg_type"], msg_or_type["content"])}
        return original(stream, msg_or_type, content, *args, **kwargs)

    send.masks = True  # type: ignore[attr-defined]
    session.send = send


def _encodings(text: str) -> set[str]:
    """The value itself, quoted for JSON and for URLs, its lines if it is a key, and its base64."""
    forms = {text, json.dumps(text)[1:-1], quote(text), quote(text, safe="")}
    if "PRIVATE KEY" in text:
        forms |= {line.strip() for line in text.splitlines() if len(line) >= 16 and not line.startswith("-----")}
    return forms | _base64_forms(text.encode()) | _base64_forms(text.encode() + b"\n")


def _base64_forms(raw: bytes) -> set[str]:
    """Its base64, and what stays of it when the value is encoded as a part of something longer (`user:password`)."""
    forms = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    for shift in range(3):
        core = base64.b64encode(b"\0" * shift + raw).decode()[(0, 2, 3)[shift] :]
        spoiled = (0, 3, 2)[(shift + len(raw)) % 3]  # characters that depend on what follows, padding included
        core = core[: len(core) - spoiled]
        if len(core) >= 8:
            forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


def _is_secret(parent: Mapping[Any, Any], key: Any) -> bool:
    value = parent[key]
    if not isinstance(key, str) or not isinstance(value, str):
        return False
    return sensitive(key, value) or (key == "value" and sensitive(str(parent.get("name", "")), value))


def _mask_data(parent: Mapping[Any, Any], key: Any) -> Any:
    value = parent[key]
    if key in ("data", "stringData") and parent.get("kind") == "Secret" and isinstance(value, Mapping):
        return dict.fromkeys(value, MASK)
    return mask_value(value)


def _mask_content(kind: str, content: Any) -> Any:
    """The content of a message, or an output of a notebook, of this kind."""
    if kind == "stream":
        return {**content, "text": mask(_text(content["text"]))}
    if kind in ("display_data", "update_display_data", "execute_result"):
        return {**content, "data": {mime: _mask_mime(mime, value) for mime, value in content["data"].items()}}
    if kind in ("error", "execute_reply", "comm_open", "comm_msg"):
        return mask_value(content)
    return content


def _mask_mime(mime: str, value: Any) -> Any:
    if mime.startswith("text/") or mime in ("image/svg+xml", "application/javascript"):
        return mask(_text(value))
    return mask_value(value) if mime.endswith("json") else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "".join(value)


def _join_streams(outputs: list[Any]) -> list[Any]:
    """The outputs with neighbouring pieces of one stream joined: a flush can cut a secret in two."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text = _text(last.text) + _text(output.text)
        else:
            joined.append(output)
    return joined


def _update(node: Any, masked: Mapping[str, Any]) -> None:
    for key, value in masked.items():
        node[key] = value
