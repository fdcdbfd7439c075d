"""The stack ``local``, on an emulator of its own."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.logging import RichHandler

from local.cloud import Cloud
from local.deploy import deploy
from local.emulator import Emulator, running
from local.program import check_settings
from local.report import working
from local.stack_config import StackConfig
from operate.stack_outputs import FILE_VARIABLE

STAGE: Final = "local"


@dataclass(frozen=True, kw_only=True)
class LocalStack:
    """A stack on an emulator.

    Parameters
    ----------
    project
        The project.
    emulator, cloud
        What it runs on, and its administrator.
    outputs
        What the stack exports.
    outputs_file
        Where they are written, as ``pulumi stack output --json`` prints them; gone with the emulator.
    resources
        Type of each resource that it declares, by name.
    """

    project: str
    emulator: Emulator
    cloud: Cloud
    outputs: Mapping[str, str]
    outputs_file: Path
    resources: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which AWS SDKs and ``python -m operate`` reach the stack."""
        return {**self.emulator.environment(), FILE_VARIABLE: str(self.outputs_file)}


@contextmanager
def local_stack(
    console: Console,
    *,
    preferred_port: int = 0,
    overrides: Mapping[str, object] | None = None,
    keep_state: bool = False,
    folder: Path | None = None,
    verbose: bool = False,
) -> Iterator[LocalStack]:
    """Start an emulator, build the stack on it, and stop the emulator in the end.

    Parameters
    ----------
    console
        Where the progress is shown.
    preferred_port
        The port to take if it is free. 0: any free one.
    overrides
        Settings on top of the stage's file.
    keep_state
        Whether the emulator keeps what it holds when it is restarted.
    folder
        Where the stage's file is; None: this project.
    verbose
        Whether all that the program says is shown, or its warnings alone.

    Raises
    ------
    SettingsError
        If a setting is wrong; nothing is started then.
    """
    config = StackConfig.load(STAGE, overrides, folder=folder)
    check_settings(config)
    with ExitStack() as resources:
        with working(console, "Starting the local cloud"):
            emulator = resources.enter_context(
                running(config.values["aws:region"], preferred_port=preferred_port, keep_state=keep_state)
            )
        console.print(f"Local cloud at {emulator.endpoint}, IAM and TLS enforced")
        cloud = Cloud.of(emulator)
        with working(console, "Building the stack") as show:
            deployment = deploy(
                config,
                cloud,
                on_resource=lambda count: show(f"Building the stack: {count} resources declared"),
                logger=_console_logger(console, logging.INFO if verbose else logging.WARNING),
            )
        console.print(f"Stack {STAGE!r} built: {len(deployment.resources)} resources declared")
        outputs_file = emulator.log.with_name("outputs.json")
        outputs_file.write_text(json.dumps(dict(deployment.outputs)))
        yield LocalStack(
            project=config.project,
            emulator=emulator,
            cloud=cloud,
            outputs=deployment.outputs,
            outputs_file=outputs_file,
            resources=deployment.resources,
        )


def _console_logger(console: Console, level: int) -> logging.Logger:
    """Show the program's own messages on the console."""
    logger = logging.Logger("program", level)  # noqa: LOG001 - of this console alone, not of the process
    logger.addHandler(RichHandler(console=console, show_time=False, show_level=False, show_path=False))
    return logger
