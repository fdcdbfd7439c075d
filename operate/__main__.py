"""``python -m operate COMMAND``: see ``--help``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from operate import end, redeliver, redrive, reprocess, rotate_secret, status, why
from operate.command import FAILED, INTERRUPTED, USAGE, Command, UsageError
from operate.screen import Screen, flush_output
from operate.stack_outputs import FILE_VARIABLE, OutputsError, read_outputs

COMMANDS: Final[Sequence[Command]] = (
    status.COMMAND,
    why.COMMAND,
    redrive.COMMAND,
    reprocess.COMMAND,
    redeliver.COMMAND,
    end.COMMAND,
    rotate_secret.COMMAND,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 if all is well, 1 if something failed or needs attention, 2 if the command was not understood or the stack's
        outputs cannot be read, 130 if it was interrupted.
    """
    try:
        return _run(_parser().parse_args(arguments))
    finally:
        flush_output()


def _run(options: argparse.Namespace) -> int:
    screen = Screen(as_json=options.json)
    command: Command = options.chosen
    # Whoever stops it, it says how far it came and shows again what it took.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        outputs = read_outputs(options.outputs, options.stack)
        # Where the stack stands, whatever region the operator's own shell is set to.
        os.environ["AWS_DEFAULT_REGION"] = outputs.region
        return command.run(options, outputs, screen)
    except (OutputsError, UsageError) as error:
        screen.complain(f"{command.name}: {error}")
        return USAGE
    except (ClientError, BotoCoreError) as error:
        screen.complain(f"{command.name}: {error}")
        return FAILED
    except KeyboardInterrupt:
        screen.complain(f"interrupted: {command.interrupted}")
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m operate",
        description="Commands for a stack that stands. AWS is reached as the AWS CLI reaches it.",
        epilog="Exit status: 0 all is well, 1 something failed or needs attention, 2 not understood.",
    )
    common = argparse.ArgumentParser(add_help=False)
    source = common.add_mutually_exclusive_group()
    source.add_argument(
        "--outputs",
        type=Path,
        metavar="FILE",
        help=f"the stack's outputs as JSON, - for standard input; default: the file that {FILE_VARIABLE} names",
    )
    source.add_argument("--stack", metavar="NAME", help="the stack to ask `pulumi stack output` for; default: selected")
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        one = commands.add_parser(command.name, parents=[common], help=command.summary, description=command.summary)
        command.configure(one)
        one.set_defaults(chosen=command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
