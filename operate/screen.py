"""What a command prints: tables or JSON to standard output, progress and complaints to standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

_FILE_WIDTH: Final = 132
"""Columns of what goes to a file or a pipe, which have no width of their own."""

_CONTROLS: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What moves the cursor, clears the screen or turns the text around: uploaders choose keys."""

_STYLES: Final[Mapping[str, str]] = {
    "COMPLETED": "green",
    "SKIPPED": "yellow",
    "REJECTED": "yellow",
    "FAILED": "red",
    "sent": "green",
    "failed": "red",
}


class Screen:
    """The operator's screen. Colours only on a terminal.

    Parameters
    ----------
    as_json
        Whether results are printed as JSON, and tables not at all.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = _console(Console())
        self._err = _console(Console(stderr=True))

    def progress(self) -> Progress:
        """Return bars on standard error, which vanish when all is done; without a terminal there are none."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self._err, transient=True, disable=not self._err.is_terminal)

    def result(self, result: Mapping[str, object]) -> None:
        """Print the result, if JSON is wanted."""
        if self.as_json:
            sys.stdout.write(json.dumps(result, default=_plain) + "\n")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table, if JSON is not wanted; what is None stays empty, numbers stand right."""
        cells = [list(row) for row in rows]
        if self.as_json or not cells:
            return
        table = Table(title=_visible(title), title_justify="left", title_style="bold", show_header=any(columns))
        for number, column in enumerate(columns):
            numeric = bool(column) and all(isinstance(row[number], int) or row[number] is None for row in cells)
            table.add_column(column, overflow="fold", justify="right" if numeric else "left")
        for row in cells:
            table.add_row(*(_cell(value) for value in row))
        self._out.print(table)

    def say(self, line: str) -> None:
        """Print a line, if JSON is not wanted; never wrapped, so that it can be pasted."""
        if not self.as_json:
            self._out.print(_visible(line), highlight=False, markup=False, soft_wrap=True)

    def complain(self, line: str) -> None:
        """Print a line to standard error."""
        self._err.print(_visible(line), highlight=False, markup=False, soft_wrap=True)


def _console(console: Console) -> Console:
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    return console


def _cell(value: object) -> Text:
    text = "" if value is None else f"{value:,}" if isinstance(value, int) else _visible(str(value))
    return Text(text, style=_STYLES.get(text, ""))


def _visible(text: str) -> str:
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):  # DynamoDB's numbers
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
