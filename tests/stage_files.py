"""Keeps tests from reading a team's own stage files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local.stack_config import ROOT


@dataclass
class StageFiles:
    """The project's own stage files.

    Parameters
    ----------
    allowed
        Whether they may be opened.
    """

    allowed: bool = True

    def watch(self, event: str, arguments: tuple[object, ...]) -> None:
        """Complain of whoever opens one: an audit hook, which Python calls before it opens any file."""
        if event == "open" and not self.allowed and isinstance(arguments[0], str):
            path = Path(arguments[0])
            if path.match("Pulumi.*.yaml") and path.absolute().parent == ROOT:
                raise AssertionError(f"{path.name} is a team's own: read tests/stages, or mark the test stage_files")
