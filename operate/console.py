"""What a command prints: tables or JSON to standard output, progress and errors to standard error."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Final

import rich.console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

_FILE_WIDTH: Final = 132
"""Columns of what goes to a file or a pipe, which have no width of their own."""

_CONTROLS: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What moves the cursor, clears the screen or turns the text around: uploaders choose keys."""

STYLES: Final[Mapping[str, str]] = {
    "COMPLETED": "green",
    "SKIPPED": "yellow",
    "REJECTED": "yellow",
    "FAILED": "red",
    "sent": "green",
    "ok": "green",
    "failed": "red",
}


class PlainConsole(rich.console.Console):
    """A console that prints what it is given: an ARN's ``:secret:`` is no emoji, and a key's ``[b]`` no style.

    A reader that has seen enough, such as ``head``, ends neither the command nor its work.

    Parameters
    ----------
    stderr
        Whether it prints to standard error.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, emoji=False, markup=False, highlight=False)
        if not self.is_terminal:
            self.width = _FILE_WIDTH

    def on_broken_pipe(self) -> None:
        """Print no more."""
        self.quiet = True
        _print_no_more(self.file)


def flush_output() -> None:
    """Print what is still held back; nobody may read it any more."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _print_no_more(sys.stdout)


def _print_no_more(file: IO[str]) -> None:
    with Path(os.devnull).open("w") as nowhere, contextlib.suppress(io.UnsupportedOperation):
        os.dup2(nowhere.fileno(), file.fileno())


class Console:
    """Where a command prints. Colours only on a terminal.

    Parameters
    ----------
    as_json
        Whether results are printed as JSON, and tables not at all.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = PlainConsole()
        self._err = PlainConsole(stderr=True)

    def progress(self) -> Progress:
        """Return progress bars on standard error, removed when all is done; without a terminal there are none."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self._err, transient=True, disable=not self._err.is_terminal)

    def result(self, result: Mapping[str, object]) -> None:
        """Print the result, if JSON is wanted."""
        if self.as_json:
            self._out.out(json.dumps(result, default=_plain))

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table as `make_table` makes it, if JSON is not wanted and there is a row."""
        cells = [list(row) for row in rows]
        if cells and not self.as_json:
            self._out.print(make_table(title, columns, cells))

    def say(self, line: str) -> None:
        """Print a line, if JSON is not wanted; never wrapped, so that it can be pasted."""
        if not self.as_json:
            self._out.print(_visible(line), soft_wrap=True)

    def error(self, line: str) -> None:
        """Print a line to standard error."""
        self._err.print(_visible(line), soft_wrap=True)


def make_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Make a table; None is an empty cell, numbers are aligned right, and without names of columns there is no head."""
    table = Table(title=_visible(title), title_justify="left", title_style="bold", show_header=any(columns))
    for number, column in enumerate(columns):
        numeric = bool(column) and all(isinstance(row[number], int) or row[number] is None for row in rows)
        table.add_column(column, overflow="fold", justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    text = "" if value is None else f"{value:,}" if isinstance(value, int) else _visible(str(value))
    return Text(text, style=STYLES.get(text, ""))


def _visible(text: str) -> str:
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):  # DynamoDB's numbers
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
