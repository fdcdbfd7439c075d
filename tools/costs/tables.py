"""Tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; what is a number, or begins with a dollar sign, is aligned right."""
    cells = [list(row) for row in rows]
    right = [all(_is_number(row[place]) for row in cells) for place in range(len(columns))]
    marks = ["---:" if aligned else "---" for aligned in right]
    return ["| " + " | ".join(row) + " |" for row in [list(columns), marks, *cells]]


def _is_number(text: str) -> bool:
    return text.lstrip("$").replace(",", "").replace(".", "").rstrip("%").isdigit()
