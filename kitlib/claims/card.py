"""How a verdict is laid out: the claim, what was measured, what was predicted, n; and all figures, folded.

Sign and word carry the verdict, and colour comes from the page, so that a card reads on light and on dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

BADGE = "border:2px solid currentColor;border-radius:1em;padding:.1em .7em;font-weight:bold;white-space:nowrap"
BOX = "border:1px solid currentColor;border-radius:.5em;padding:.7em 1em;max-width:48em"
SCROLL = "overflow-x:auto"


@dataclass(frozen=True)
class Table:
    """Rows of text under a title."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Card:
    """The texts of a card, in the order in which they are shown; "" and () are left out.

    lines: what stands below the badge, the most important first.  tables, notes: what is folded.
    """

    name: str
    badge: str
    says: str
    lines: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


def text(card: Card) -> str:
    """The card for a terminal: the folded parts stand below, indented."""
    says = [f"The claim: {card.says}"] if card.says else []
    head = [f"{card.name}: {card.badge}", *says, *card.lines]
    tables = [
        line for table in card.tables for line in [f"  {table.title}:", *(_line(table, row) for row in table.rows)]
    ]
    return "\n".join([*head, *tables, *(f"  {note}" for note in card.notes)])


def html(card: Card) -> str:
    """The card for a page."""
    says = f'<div style="font-style:italic;margin:0 0 .5em">{escape(card.says)}</div>' if card.says else ""
    first, *others = [escape(line) for line in card.lines] or [""]
    rest = "".join(f'<div style="margin-top:.35em">{line}</div>' for line in others)
    return (
        f'<div style="{BOX}">{says}<span style="{BADGE}">{escape(card.badge)}</span> <code>{escape(card.name)}</code>'
        f'<p style="margin:.6em 0 0">{first}</p>{rest}{_folded(card)}</div>'
    )


def _line(table: Table, row: Sequence[str]) -> str:
    """A row as text; of several columns, each cell has its column's name."""
    (first, *cells), columns = row, table.columns[1:]
    several = len(columns) > 1
    said = [f"{column} {cell}" if several else cell for column, cell in zip(columns, cells, strict=True) if cell]
    return f"    {first}: {', '.join(said)}"


def _folded(card: Card) -> str:
    tables = "".join(map(_table, card.tables))
    notes = "".join(f'<p style="margin:.4em 0 0">{escape(note)}</p>' for note in card.notes)
    if not tables and not notes:
        return ""
    return f'<details style="margin-top:.5em;font-size:.9em"><summary>Details</summary>{tables}{notes}</details>'


def _table(table: Table) -> str:
    """A table that a narrow page scrolls sideways."""
    head = "".join(f'<th scope="col" style="text-align:left">{escape(column)}</th>' for column in table.columns)
    rows = "".join(_row(row) for row in table.rows)
    caption = f'<caption style="text-align:left">{escape(table.title)}</caption>'
    return f'<div style="{SCROLL}"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(row: Sequence[str]) -> str:
    first, *others = row
    cells = "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in others)
    return f'<tr><th scope="row" style="text-align:left;font-weight:normal">{escape(first)}</th>{cells}</tr>'
