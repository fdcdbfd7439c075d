"""What the local cloud prints: progress, tables, and commands to paste. Colours only on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.text import Text

from local.limits import LIMITS, NOT_EMULATED, NOT_READ
from operate.console import STYLES, make_table

_HIDDEN: Final = "(secret)"


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
    size: int | None
    records: str
    duration_ms: int | None
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
    columns = ("key", "status", "reason", "bytes", "valid / rejected", "ms")
    table = [(row.key, _status(row), row.reason, row.size, row.records, row.duration_ms) for row in rows]
    console.print(make_table("Files", columns, table))


def _status(row: FileRow) -> Text:
    wrong = (" (wrong)", "bold red") if not row.right else ""
    return Text.assemble((row.status, STYLES.get(row.status, "red")), wrong)


@dataclass(frozen=True, kw_only=True)
class DeliveryRow:
    """A finished file's line in the table of deliveries. The id is empty if nothing arrived."""

    key: str
    status: str
    delivery_id: str


def print_deliveries(console: Console, rows: Sequence[DeliveryRow]) -> None:
    """Print what the receiver took: credentials and signature were right."""
    missing = Text("none arrived", style="bold red")
    table = [(row.key, row.status, row.delivery_id or missing) for row in rows]
    console.print(make_table("Deliveries, as the receiver took them", ("key", "status", "delivery id"), table))


def print_rejects(console: Console, key: str, lines: Sequence[str]) -> None:
    """Print some rejected records of a file as they are published."""
    console.print(Text(f"Rejected records of {key}, as published:"))
    console.print("\n".join(f"  {line}" for line in lines), highlight=False, markup=False, soft_wrap=True)


def print_outputs(console: Console, outputs: Mapping[str, str]) -> None:
    """Print the stack's outputs."""
    rows = [
        (name, _HIDDEN if name.endswith(("Password", "Secret")) else value) for name, value in sorted(outputs.items())
    ]
    console.print(make_table("Outputs", ("", ""), rows))


def print_answers(console: Console, answers: Sequence[AnswerRow]) -> None:
    """Print what the API answered."""
    rows = [
        (one.request, Text(str(one.status), style="green" if one.right else "bold red"), one.answer) for one in answers
    ]
    console.print(make_table("API, as the test user", ("request", "status", "answer"), rows))


def print_limits(console: Console, resources: Mapping[str, str]) -> None:
    """Print what the stack declares that the local cloud does not do, or does in part."""
    ignored = {kind: "; ".join(f"{name} {why}" for name, why in of.items()) for kind, of in NOT_READ.items()}
    limits = sorted([*NOT_EMULATED.items(), *LIMITS.items(), *ignored.items()])
    rows = [(kind, reason) for kind, reason in limits if kind in resources.values()]
    console.print(make_table("Declared, but not or not fully emulated", ("type", "here"), rows))
