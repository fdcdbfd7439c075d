"""``python -m operate COMMAND``: see ``--help``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

from botocore.exceptions import BotoCoreError, ClientError
from cyclopts import CycloptsError, Group, Parameter

from operate.check.command import check
from operate.command import ATTENTION, INTERRUPTED, OK, USAGE, UsageError, command_line, explain, explain_usage
from operate.console import Console, flush_output
from operate.end import end
from operate.limits import show_limits
from operate.redrive import redrive
from operate.releases.release import release
from operate.releases.rollback import rollback
from operate.reprocess import reprocess
from operate.rotate_secret import rotate_secret
from operate.session import FaultError, Session
from operate.show import show
from operate.stack_outputs import OutputsError, read_outputs
from operate.status import status

_HELP: Final = "Commands for a deployed stack. They use the same AWS credentials as the AWS CLI."
_EPILOGUE: Final = (
    "Exit status: 0 all is well, 1 something failed or needs attention, 2 wrong arguments, 130 interrupted."
)
_STACK: Final = Group("Stack", sort_key=1)

APP: Final = command_line("python -m operate", _HELP, _EPILOGUE)
for _command in (status, check, redrive, reprocess, end, release, rollback, rotate_secret):
    APP.command(_command)
APP.command(show, alias="why")
APP.command(show_limits, name="limits")
APP.meta.suppress_keyboard_interrupt = False  # `main` says what is left


@APP.meta.default
def _run(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    outputs: Annotated[Path | None, Parameter(group=_STACK, allow_leading_hyphen=True)] = None,
    stack: Annotated[str | None, Parameter(group=_STACK)] = None,
    json: Annotated[bool, Parameter(group=_STACK)] = False,
) -> int:
    """Run one command.

    Parameters
    ----------
    tokens
        The command and its arguments.
    outputs
        The stack's outputs as JSON, - for standard input; default: the file that PIPELINE_OUTPUTS names.
    stack
        The stack to ask `pulumi stack output` for; default: the one that is selected.
    json
        Print the result as JSON.
    """
    if not tokens:
        raise UsageError("give a COMMAND: --help lists them")
    if outputs and stack:
        raise UsageError("give --outputs or --stack, not both")
    command, bound, injected = APP.parse_args(tokens)
    if "session" not in injected:  # help
        command(*bound.args, **bound.kwargs)
        return OK
    session = Session(outputs=read_outputs(outputs, stack), console=Console(as_json=json))
    answer: int = command(*bound.args, **bound.kwargs, session=session)
    return answer


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns
    -------
    int
        0 if all is well, 1 if something failed or needs attention, 2 if the command was not understood or the stack's
        outputs cannot be read, 130 if it was interrupted.
    """
    console = Console(as_json=False)
    # Whoever stops it, it says how far it came and makes visible again what it received.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return APP.meta(arguments) or OK
    except (CycloptsError, OutputsError, UsageError) as error:
        console.error(explain_usage(error))
        return USAGE
    except FaultError as error:
        console.error(str(error))
        return ATTENTION
    except (ClientError, BotoCoreError) as error:
        console.error(explain(error))
        return ATTENTION
    except KeyboardInterrupt as stop:
        console.error(f"Interrupted: {str(stop) or 'nothing is lost, run it again to go on'}")
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
        flush_output()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
