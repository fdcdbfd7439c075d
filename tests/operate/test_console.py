"""The tables of the operator's commands and of the local cloud."""

from __future__ import annotations

import io
from typing import Literal

from rich.console import Console
from rich.text import Text

from operate.console import make_table


def printed(columns: tuple[str, ...], rows: list[tuple[object, ...]], *, terminal: bool = False) -> str:
    colours: Literal["standard"] | None = "standard" if terminal else None
    console = Console(file=io.StringIO(), width=100, force_terminal=terminal, color_system=colours)
    console.print(make_table("Title", columns, rows))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_numbers_are_aligned_right_and_nothing_is_an_empty_cell() -> None:
    *_, first, second, _ = printed(("key", "bytes"), [("a", 1234567), ("b", None)]).splitlines()

    assert first == "│ a   │ 1,234,567 │"
    assert second == "│ b   │           │"


def test_a_table_without_names_of_columns_has_no_head() -> None:
    assert "┃" not in printed(("", ""), [("name", "value")])
    assert "┃" in printed(("name", ""), [("name", "value")])


def test_states_have_colours_on_a_terminal_and_a_cell_may_have_its_own() -> None:
    green, red = "\x1b[32m", "\x1b[31m"

    assert f"{green}COMPLETED" in printed(("status",), [("COMPLETED",)], terminal=True)
    assert f"{red}COMPLETED" in printed(("status",), [(Text("COMPLETED", "red"),)], terminal=True)
    assert "\x1b[" not in printed(("status",), [("COMPLETED",)])


def test_a_value_cannot_move_the_cursor() -> None:
    assert "a\\x1b[2J" in printed(("key",), [("a\x1b[2J",)])
