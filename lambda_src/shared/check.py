"""The check event: a new version answers it when it could start, before anything else calls it."""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

KEY: Final = "check"
"""The only key of a check event: no event of a queue, a stream, a schedule or the API has this one alone."""

_Event = TypeVar("_Event", bound="Mapping[str, object]")


def answers_check(
    load: Callable[[], object] = lambda: None,
) -> Callable[
    [Callable[[_Event, LambdaContext], Mapping[str, object]]],
    Callable[[_Event, LambdaContext], Mapping[str, object]],
]:
    """Have a handler answer the check event, and nothing else happen: no metric, no call of AWS.

    That it answers proves that its modules could be imported, that its environment is whole and right, and that its
    schemas can be loaded.

    Parameters
    ----------
    load
        Loads what the handler otherwise loads when it is first needed.
    """

    def decorate(
        handler: Callable[[_Event, LambdaContext], Mapping[str, object]],
    ) -> Callable[[_Event, LambdaContext], Mapping[str, object]]:
        @wraps(handler)
        def answer(event: _Event, context: LambdaContext) -> Mapping[str, object]:
            if event.keys() != {KEY}:
                return handler(event, context)
            load()
            return {KEY: "passed", "version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")}

        return answer

    return decorate
