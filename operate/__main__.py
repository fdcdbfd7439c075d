"""``python -m operate COMMAND``: see ``--help``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from operate import redeliver, rotate_secret
from operate.stack_outputs import OutputsError, read_outputs

_FAILED = 1
_USAGE = 2
_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 if all is done, 1 if something failed or is left, 2 if the command was not understood or the stack's outputs
        cannot be read, 130 if it was interrupted.
    """
    options = _parser().parse_args(arguments)
    try:
        outputs = read_outputs(options.outputs, options.stack)
        if options.command == "redeliver":
            return redeliver.run(outputs, dry_run=options.dry_run, as_json=options.json)
        return rotate_secret.run(outputs, as_json=options.json)
    except OutputsError as error:
        sys.stderr.write(f"{options.command}: {error}\n")
        return _USAGE
    except (ClientError, BotoCoreError) as error:
        sys.stderr.write(f"{options.command}: {error}\n")
        return _FAILED
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: what was not sent is still in the queue\n")
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operate", description="Commands for a stack that stands.")
    common = argparse.ArgumentParser(add_help=False)
    source = common.add_mutually_exclusive_group()
    source.add_argument("--outputs", type=Path, metavar="FILE", help="the stack's outputs as JSON; - is standard input")
    source.add_argument("--stack", help="the stack to ask `pulumi stack output` for; default: the selected one")
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    commands = parser.add_subparsers(dest="command", required=True)
    again = commands.add_parser("redeliver", parents=[common], help="send the delivery's dead letters again")
    again.add_argument("--dry-run", action="store_true", help="list the dead letters, and leave them")
    commands.add_parser("rotate-secret", parents=[common], help="make a new password and signing key")
    return parser


if __name__ == "__main__":
    sys.exit(main())
