"""Runs the program with Pulumi's test mocks in place of the engine."""

from __future__ import annotations

import asyncio
import logging
import runpy
import warnings
from collections.abc import Callable
from typing import cast

import pulumi
from pulumi.runtime import config as runtime_config
from pulumi.runtime import mocks as runtime_mocks
from pulumi.runtime.stack import Stack

from components import settings
from local.stack_config import ROOT, StackConfig
from tools import schemas


def run_program(
    config: StackConfig,
    mocks: pulumi.runtime.Mocks,
    monitor: runtime_mocks.MockMonitor,
    *,
    preview: bool = False,
    logger: logging.Logger | None = None,
    program: Callable[[], object] | None = None,
) -> dict[str, object]:
    """Run a program for a stack, each resource that it declares going to `mocks`.

    Parameters
    ----------
    config
        The stack's config.
    mocks, monitor
        What answers for the engine and its providers.
    preview
        Whether the program sees a preview.
    logger
        Where the program's own messages go; None: to the root logger.
    program
        What declares the resources; None: ``__main__.py``.

    Returns
    -------
    dict
        The stack's outputs.
    """
    _ensure_event_loop()
    pulumi.runtime.settings.ROOT.set(None)  # or the outputs of the run before would be this one's too
    pulumi.runtime.set_mocks(
        mocks, project=config.project, stack=config.stage, preview=preview, logger=logger, monitor=monitor
    )
    runtime_config.set_all_config(dict(config.values))
    exported: dict[str, object] = {}

    def declare() -> pulumi.Output[None]:
        with warnings.catch_warnings():
            # Importing pulumi_aws.s3 warns of classes in it that are not used here.
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="pulumi_aws")
            (program or _run_main)()
        stack = cast("Stack", pulumi.runtime.settings.get_root_resource())
        stack.register_outputs(stack.outputs)  # as Pulumi does when it runs a program itself
        return pulumi.Output.all(**stack.outputs).apply(exported.update)

    # Waits until every resource is registered and every output known.
    finish: Callable[[], None] = pulumi.runtime.test(declare)  # type: ignore[no-untyped-call]  # Pulumi's is untyped
    finish()
    return exported


def _run_main() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


def check_settings(config: StackConfig) -> None:
    """Read a stack's settings, and load the schemas that they name, as the program does.

    Raises
    ------
    SettingsError
        If any is wrong.
    """
    pulumi.runtime.settings.configure(pulumi.runtime.settings.Settings(project=config.project, stack=config.stage))
    runtime_config.set_all_config(dict(config.values))
    schemas.check(settings.load())


def _ensure_event_loop() -> None:
    """Have a current event loop, which Pulumi's mocks ask for: Python 3.12 makes one under protest, 3.14 none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            asyncio.get_event_loop()
        except RuntimeError:
            asyncio.set_event_loop(asyncio.new_event_loop())
