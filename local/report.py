"""What the local cloud prints: progress, tables, and commands to paste. Colours only on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.limits import LIMITS, NOT_EMULATED, NOT_READ

_HIDDEN: Final = "(secret)"
_STYLES: Final = {"COMPLETED": "green", "SKIPPED": "yellow", "REJECTED": "yellow", "FAILED": "red"}


@contextmanager
def working(console: Console, text: str) -> Iterator[Callable[[str], None]]:
    """Show what is being done, and hand over what changes that; a line where there is no terminal."""
    if console.is_terminal:
        with console.status(text) as status:
            yield status.update
    else:
        console.print(Text(f"{text} …"))
        yield lambda _text: None


@dataclass(frozen=True, kw_only=True)
class FileRow:
    """A file's line in the table: how it ended, and whether that is right."""

    key: str
    status: str
    reason: str
    size: str
    records: str
    duration: str
    right: bool


@dataclass(frozen=True, kw_only=True)
class AnswerRow:
    """A request's line in the table: what was answered, and whether that is right."""

    request: str
    status: int
    answer: str
    right: bool


def print_files(console: Console, rows: Sequence[FileRow]) -> None:
    """Print how each file ended."""
    table = Table(title="Files", title_justify="left", title_style="bold")
    table.add_column("key", overflow="fold")
    table.add_column("status")
    table.add_column("reason", overflow="fold")
    table.add_column("size", justify="right")
    table.add_column("valid / rejected", justify="right")
    table.add_column("time", justify="right")
    for row in rows:
        status = Text(row.status, style=_STYLES.get(row.status, "red"))
        if not row.right:
            status.append(" (wrong)", style="bold red")
        table.add_row(Text(row.key), status, Text(row.reason), row.size, row.records, row.duration)
    console.print(table)


@dataclass(frozen=True, kw_only=True)
class DeliveryRow:
    """A finished file's line in the table of deliveries. The id is empty if nothing arrived."""

    key: str
    status: str
    delivery_id: str


def print_deliveries(console: Console, rows: Sequence[DeliveryRow]) -> None:
    """Print what the receiver took: credentials and signature were right."""
    table = Table(title="Deliveries, as the receiver took them", title_justify="left", title_style="bold")
    table.add_column("key", overflow="fold")
    table.add_column("status")
    table.add_column("delivery id", overflow="fold")
    for row in rows:
        delivery_id = Text(row.delivery_id) if row.delivery_id else Text("none arrived", style="bold red")
        table.add_row(Text(row.key), Text(row.status, style=_STYLES.get(row.status, "red")), delivery_id)
    console.print(table)


def print_rejects(console: Console, key: str, lines: Sequence[str]) -> None:
    """Print some rejected records of a file as they are published."""
    console.print(Text(f"Rejected records of {key}, as published:"))
    console.print("\n".join(f"  {line}" for line in lines), highlight=False, markup=False, soft_wrap=True)


def print_outputs(console: Console, outputs: Mapping[str, str]) -> None:
    """Print the stack's outputs."""
    table = Table(title="Outputs", title_justify="left", title_style="bold", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in sorted(outputs.items()):
        # As it is: an ARN's :secret: is no emoji.
        table.add_row(name, _HIDDEN if name.endswith("Password") else Text(value))
    console.print(table)


def print_answers(console: Console, answers: Sequence[AnswerRow]) -> None:
    """Print what the API answered."""
    table = Table(title="API, as the test user", title_justify="left", title_style="bold")
    table.add_column("request")
    table.add_column("status", justify="right")
    table.add_column("answer", overflow="fold")
    for answer in answers:
        status = Text(str(answer.status), style="green" if answer.right else "bold red")
        table.add_row(answer.request, status, Text(answer.answer))
    console.print(table)


def print_limits(console: Console, resources: Mapping[str, str]) -> None:
    """Print what the stack declares that the local cloud does not do, or does in part."""
    table = Table(title="Declared, but not or not fully emulated", title_justify="left", title_style="bold")
    table.add_column("type", overflow="fold")
    table.add_column("here")
    ignored = {kind: "; ".join(f"{name} {why}" for name, why in of.items()) for kind, of in NOT_READ.items()}
    for kind, reason in sorted([*NOT_EMULATED.items(), *LIMITS.items(), *ignored.items()]):
        if kind in resources.values():
            table.add_row(kind, reason)
    console.print(table)
