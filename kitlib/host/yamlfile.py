"""YAML files of sections and entries, such as the register of claims: each entry with its place, or one line that says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from kitlib.errors import InputError
from kitlib.host import textfile


class Entry(NamedTuple):
    """where: 'claims.yaml, line 12 (2.2-size)'.  values: the mapping, with an id that is text."""

    section: str
    where: str
    values: dict[str, Any]


def entries(file: Path, sections: Sequence[str], *, error: type[InputError] = InputError) -> Iterator[Entry]:
    """All entries of a file in the order of `sections`; the first section is required.  Raises `error` with file and line."""
    text = textfile.read(file, error=error)
    with _explained(text, file.name, textfile.restore(file), error):
        yield from _entries(text, file.name, sections)


def documents(text: str, name: str, hint: str, *, error: type[InputError] = InputError) -> list[Any]:
    """The documents of a text, without the empty ones.  name: of the file, and hint: the next step, for `error`, which gives the line."""
    with _explained(text, name, hint, error):
        found = list(yaml.load_all(text, _Loader))
    return [document for document in found if document is not None]


@contextmanager
def _explained(text: str, name: str, hint: str, error: type[InputError]) -> Iterator[None]:
    """Raise `error`, with file and line, for a text that is not YAML as it should be."""
    try:
        yield
    except _Refused as e:
        place = f"{name}, line {e.line}" if e.line else name
        raise error(f"{place}: {e.message}", hint=e.hint or hint) from None
    except yaml.YAMLError as e:
        raise error(f"{_place(e, text, name)} is not YAML: {_problem(e)}", hint=hint) from e
    except RecursionError:
        raise error(f"{name} is not YAML that can be read: it is nested too deeply", hint=hint) from None


def check_type(
    value: object, wanted: type | tuple[type, ...], what: str, *, error: type[InputError] = InputError
) -> None:
    """Check that a value is of the type that its key asks for.  Raises `error`."""
    # YAML's true is an int to Python, and must not pass for a number
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise error(f"{what} is {value!r}, a {type(value).__name__}", hint="quote it, if text is meant")


def _entries(text: str, name: str, wanted: Sequence[str]) -> Iterator[Entry]:
    loader = _Loader(text)  # complains of characters that YAML does not allow
    try:
        sections = _sections(loader.get_single_node(), wanted)
        for section in (s for s in wanted if s in sections):
            for item in sections[section]:
                line = item.start_mark.line + 1
                values = loader.construct_object(item, deep=True)
                if not isinstance(values, dict) or not isinstance(values.get("id"), str):
                    raise _Refused(line, f"an entry of {section} is a mapping with an id, which is text")
                yield Entry(section, f"{name}, line {line} ({textfile.one_line(values['id'])})", values)
    finally:
        loader.dispose()


def _sections(root: yaml.Node | None, wanted: Sequence[str]) -> dict[str, list[yaml.Node]]:
    """The lists of the file by name."""
    order = ", then ".join(wanted)
    if not isinstance(root, yaml.MappingNode):
        what = "is empty" if root is None else f"is a {type(root).__name__.removesuffix('Node').lower()}"
        raise _Refused(0, f"{what}, where sections are needed", order)
    _unique(root)
    sections = {str(key.value): node for key, node in root.value}
    if not {wanted[0]} <= sections.keys() <= set(wanted):
        raise _Refused(0, f"has the sections {', '.join(sections)}", order)
    for section, node in sections.items():
        if not isinstance(node, yaml.SequenceNode):
            raise _Refused(node.start_mark.line + 1, f"{section} is not a list of entries")
    return {section: list(node.value) for section, node in sections.items()}


class _Refused(Exception):
    """YAML that such a file does not have; the file's name is added further up.  line: 0 for the whole file."""

    def __init__(self, line: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key given twice, of which PyYAML would keep the last in silence, and a scalar that is not what it looks like."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        _unique(node)
        return super().construct_mapping(node, deep=deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A date such as 2026-13-45 or an integer such as 0b2 is a ValueError to PyYAML."""
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as e:
            raise _Refused(node.start_mark.line + 1, f"{node.value!r}: {textfile.one_line(str(e))}") from e


def _unique(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise _Refused(line, "a key is text, not a list or a mapping")
        if key.value in seen:
            raise _Refused(line, f"the key {key.value!r} is given twice")
        seen.add(key.value)


def _place(error: yaml.YAMLError, text: str, name: str) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and (mark := error.problem_mark or error.context_mark):
        return f"{name}, line {mark.line + 1}"
    if isinstance(error, yaml.reader.ReaderError):
        return f"{name}, line {text.count(chr(10), 0, error.position) + 1}"
    return name


def _problem(error: yaml.YAMLError) -> str:
    """PyYAML's own words, without the lines of the file that it quotes."""
    if isinstance(error, yaml.MarkedYAMLError):
        return textfile.one_line(", ".join(part for part in (error.context, error.problem) if part))
    if isinstance(error, yaml.reader.ReaderError):
        return f"the character {chr(error.character)!r} is not allowed"
    return textfile.one_line(str(error))
