"""The stages of the tests; a team's own stage files are left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import yaml

from local.stack_config import ROOT, StackConfig

STAGES: Final = Path(__file__).with_name("stages")
"""The stages of the tests: copies of those that are shipped, and `prod-…` for each way to depart from `prod`.

A stage of the tests holds only what it sets differently, if its name begins with another's; null takes out what the
other sets. The stage files of the project are a team's own: whatever valid settings they hold, these tests pass.
"""


def stages() -> list[str]:
    """Every stage of the tests."""
    return sorted(path.name.split(".")[1] for path in STAGES.glob("Pulumi.*.yaml"))


def stage_config(stage: str, overrides: Mapping[str, object] | None = None) -> StackConfig:
    """The config of a stage of the tests."""
    base, departs, _ = stage.partition("-")
    if not departs:
        return StackConfig.load(stage, overrides, folder=STAGES)
    own: dict[str, dict[str, object]] = yaml.safe_load((STAGES / f"Pulumi.{stage}.yaml").read_text())
    return replace(StackConfig.load(base, {**own["config"], **(overrides or {})}, folder=STAGES), stage=stage)


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
