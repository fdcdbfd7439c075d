"""What a check finds: a part that is as it should be, one that is not, or one that the stack leaves out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from operate.command import explain
from operate.session import FaultError
from operate.stack_outputs import OutputsError

State: TypeAlias = Literal["ok", "failed", "left out"]

FAILED: Final = "failed"


class LeftOutError(Exception):
    """There is nothing to look at. The message says why."""


class Finding(NamedTuple):
    """What was found of one part.

    Parameters
    ----------
    part, state
        Which part, and how it is.
    detail
        What it is, or what is wrong with it.
    """

    part: str
    state: State
    detail: str


def examine(part: str, look: Callable[[], str]) -> Finding:
    """Look at a part.

    Parameters
    ----------
    part
        Which one.
    look
        Looks at it, and says what it is.

    Returns
    -------
    Finding
        An error of AWS is a part that is not as it should be.
    """
    try:
        return Finding(part, "ok", look())
    except LeftOutError as reason:
        return Finding(part, "left out", str(reason))
    except (FaultError, OutputsError) as error:
        return Finding(part, FAILED, str(error))
    except (ClientError, BotoCoreError) as error:
        return Finding(part, FAILED, explain(error))
