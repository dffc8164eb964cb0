"""Secrets never reach an output, a log, a report or a stored notebook.

Two things are masked: values that were learned at run time, because the kit read them from a Secret (learned.py), and text that looks
like a secret (patterns/).  It happens twice: in the kernel, before a message leaves it (`install`), and when a notebook is written
(`mask_notebook`).  Learned values live in this process' memory alone, never on disk.  docs/secrets.md says what cannot be masked.

    >>> mask("postgres://app:hunter2@db:5432/shop")
    'postgres://app:[masked]@db:5432/shop'
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping
from typing import Any

from kitlib.masking.learned import Learned
from kitlib.masking.patterns import MASK, mask_forms, sensitive
from kitlib.masking.pieces import Pieces

# Keys of Secrets whose values are not secret.
_PUBLIC = {"namespace", "ca.crt", "tls.crt", "service-ca.crt", "username"}
_IMAGE = re.compile(r"data:(?:image|font|audio|video|application)/[\w.+-]+(?:;charset=[\w-]+)?;base64,[A-Za-z0-9+/=]+")
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_STASH = f"\0image {secrets.token_hex(8)} "  # no text has it by chance
_MARKUP = ("text/html", "image/svg+xml")
# What a front end reads in the state of a widget to find its code.
_WIDGET = re.compile(
    r"_?(?:model|view)_(?:name|module|module_version)|model_id|comm_id|target_name|version_(?:major|minor)"
)
_ENVELOPE = ("output_type", "status", "execution_count", "comm_id", "target_name", "target_module")

_learned = Learned()
_told: set[tuple[str, str]] = set()


def register(value: str | bytes) -> None:
    """Mask this value, in every encoding in which it may travel, from now on.

    Ordinary words and values under 6 characters are not learned: they would take other text with them.
    """
    _learned.add(value.encode(errors="surrogateescape") if isinstance(value, str) else value)


def learn(data: Mapping[str, str], *, name: str = "") -> None:
    """Register the values of a Secret's `data`, base64 as the API gives them, except what is public by nature.

    name: the Secret's name, for a message, printed once, about each of its values that is masked only beside its key.
    """
    for key, encoded in data.items():
        if key in _PUBLIC:
            continue
        try:
            value = base64.b64decode("".join(encoded.split()), validate=True)
        except ValueError:  # not base64, as a client wrote it
            value = encoded.encode(errors="surrogateescape")
        why = _learned.add(value, key)
        if why and name and (name, key) not in _told:
            _told.add((name, key))
            _tell(
                f"the value of {key!r} in Secret {name!r} is {why}: it is masked only beside its key, not in other text"
            )


def reading(on: bool) -> None:
    """Whether the cell that runs reads Secrets by itself: then values masked beside their keys are also masked as whole lines."""
    _learned.reading = on


def forget() -> None:
    """Forget every learned value."""
    _learned.__init__()  # type: ignore[misc]
    _told.clear()


def mask(text: str, *, markup: bool = False) -> str:
    """The text without its secrets.  Idempotent; text without a secret comes back as it was.

    markup: HTML or SVG; a learned value that is also the name of a tag stays where it is one.
    """
    plain = _ANSI.sub("", text) if "\x1b" in text else text
    if plain != text:  # colours can cut a secret in two
        return _recoloured(text, plain, mask(plain, markup=markup))
    images: list[str] = []

    def stash(image: re.Match[str]) -> str:
        images.append(image[0])
        return f"{_STASH}{len(images) - 1}\0"

    hidden = _IMAGE.sub(stash, text) if "base64," in text else text
    masked = mask_forms(_learned.mask(hidden, markup=markup))
    return re.sub(rf"{_STASH}(\d+)\0", lambda m: images[int(m[1])], masked) if images else masked


def _recoloured(text: str, plain: str, masked: str) -> str:
    """The masked text with the colours of every line that holds no secret; a line that does has them at its end."""
    rows = [lines.split("\n") for lines in (text, plain, masked)]
    if not len(rows[0]) == len(rows[1]) == len(rows[2]):
        return masked
    return "\n".join(
        coloured if bare == shown else shown + "".join(_ANSI.findall(coloured))
        for coloured, bare, shown in zip(*rows, strict=True)
    )


def _tell(line: str) -> None:
    from kitlib.host.console import say

    say(line)


def mask_value(value: Any) -> Any:
    """A copy of JSON-like data without its secrets; what a key says about its value counts too.  Keys stay as they are."""
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
    original, pieces = session.send, Pieces(_mask_lines)

    def send(stream: Any, msg_or_type: Any, content: Any = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(msg_or_type, str):
            content = _mask_message(msg_or_type, content, _id(args[0] if args else kwargs.get("parent")), pieces)
        else:
            kind, cell = msg_or_type["msg_type"], msg_or_type.get("parent_header", {}).get("msg_id", "")
            msg_or_type = {**msg_or_type, "content": _mask_message(kind, msg_or_type["content"], cell, pieces)}
        return original(stream, msg_or_type, content, *args, **kwargs)

    send.masks = True  # type: ignore[attr-defined]
    session.send = send


def _id(parent: Any) -> str:
    """The id of the message that a message answers."""
    header = (parent or {}).get("header", parent or {})
    return str(header.get("msg_id", ""))


def _mask_message(kind: str, content: Any, cell: str, pieces: Pieces) -> Any:
    """The content of a message that is about to leave; of a stream, with what its cell printed before."""
    if kind == "stream":
        return {**content, "text": pieces.next(str(content.get("name", "")), _text(content["text"]), cell)}
    return _mask_content(kind, content)


def _mask_lines(text: str) -> str:
    return _learned.mask_lines(mask(text))


def _is_secret(parent: Mapping[Any, Any], key: Any) -> bool:
    value = parent[key]
    if not isinstance(key, str) or not isinstance(value, str):
        return False
    return sensitive(key, value) or (key == "value" and sensitive(str(parent.get("name", "")), value))


def _mask_data(parent: Mapping[Any, Any], key: Any) -> Any:
    value = parent[key]
    if isinstance(value, str) and (_WIDGET.fullmatch(str(key)) or value.startswith("IPY_MODEL_")):
        return value
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
        return {key: value if key in _ENVELOPE else mask_value(value) for key, value in content.items()}
    return content


def _mask_mime(mime: str, value: Any) -> Any:
    if mime == "text/plain":
        return _mask_lines(_text(value))
    if mime.startswith("text/") or mime in ("image/svg+xml", "application/javascript"):
        return mask(_text(value), markup=mime in _MARKUP)
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
