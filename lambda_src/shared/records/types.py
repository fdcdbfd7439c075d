"""Types for the fields of a schema, beside those that msgspec brings: an exact, bounded amount of money."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from typing import Self

_JSON_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NO_AMOUNT: Final = "should be a number, such as 1234.50"
_MAX_FLOAT: Final = Decimal(sys.float_info.max)


class Money(Decimal):
    """An exact, bounded amount: read and published with all its digits, and never a float in between.

    A subclass sets other bounds. JSON may hold it as a number or as a text; a CSV cell is such a text.

    Attributes
    ----------
    minimum, maximum
        The smallest and the largest amount.
    places
        The maximum number of decimal places.
    """

    minimum: ClassVar[Decimal] = Decimal("-999999999999.9999")
    maximum: ClassVar[Decimal] = Decimal("999999999999.9999")
    places: ClassVar[int] = 4

    def __new__(cls, value: str | int | Decimal) -> Self:
        """Check an amount; raises ValueError if it is no number, out of bounds, or has too many decimal places."""
        if isinstance(value, str) and not _JSON_NUMBER.fullmatch(value):
            raise ValueError(_NO_AMOUNT)
        number = read_number(value) if isinstance(value, str) else Decimal(value)
        if not number.is_finite():
            raise ValueError(_NO_AMOUNT)
        exponent = int(number.as_tuple().exponent)
        if not cls.minimum <= number <= cls.maximum:
            raise ValueError(f"should be from {cls.minimum} to {cls.maximum}")
        if -exponent > cls.places:
            raise ValueError(f"should have at most {cls.places} decimal places")
        # Without an exponent, which few expect in a sum: 1E+2 is published as 100.
        return super().__new__(cls, f"{number:f}" if exponent > 0 else number)


def read_number(text: str) -> Decimal:
    """Read a number with all its digits; raises ValueError if it is too large for a float, and so for many readers."""
    try:
        number = Decimal(text)
    except ArithmeticError as error:  # an exponent beyond any
        raise ValueError("number out of range") from error
    if number.copy_abs() > _MAX_FLOAT:
        raise ValueError("number out of range")
    return number


def read_custom(kind: type, value: object) -> object:
    """Read a value of a type that msgspec does not know; raises ValueError if it is none."""
    if kind is object:  # anything, as in JSON
        return value
    if not issubclass(kind, Money):
        # How a hook tells msgspec that it does not know the type.
        raise NotImplementedError(f"{kind.__name__} is no type of a schema's field")
    if isinstance(value, kind):  # read before, where a row becomes a record
        return value
    if value is None:
        raise ValueError("expected a number, got null")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(_NO_AMOUNT)  # noqa: TRY004 - msgspec names the field of a ValueError
    return kind(value)


def render_custom(value: object) -> Decimal:
    """Return an amount as msgspec renders it: any other value is of no type that a schema may have."""
    if not isinstance(value, Money):
        # The same, of a hook that encodes.
        raise NotImplementedError(f"{type(value).__name__} is no type of a schema's field")
    return Decimal(value)
