"""JSON as RFC 8259 has it, and with nothing in it that two readers could take for different things."""

from __future__ import annotations

import json
from collections import Counter
from typing import NoReturn

from api.errors import invalid

_MAX_SHOWN = 60
_SURROGATE = "\\ud"
"""What each begins with; Python's parser lets half a pair pass, which no other takes."""


def parse(text: str) -> dict[str, object]:
    """Parse a JSON object.

    Raises
    ------
    ApiError
        If it is not JSON, not an object, nested too deeply, or has NaN, Infinity, a lone surrogate or a name
        twice in one object.
    """
    try:
        value: object = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
        if _SURROGATE in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise invalid(
            f"the body is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at character {error.pos}"
        ) from error
    except UnicodeEncodeError as error:
        raise invalid("the body has a lone surrogate, which is no text") from error
    except RecursionError as error:
        raise invalid("the body is nested too deeply") from error
    except ValueError as error:  # Python reads no integer of more than 4,300 digits
        raise invalid("the body has a number that is too long") from error
    if not isinstance(value, dict):
        raise invalid("the body is not a JSON object")
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise invalid(f"the body has {twice[:_MAX_SHOWN]!r} twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise invalid(f"the body has {name}, which is not JSON")
