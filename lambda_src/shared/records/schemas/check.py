"""Checks: what `operate check` uploads to see that a stack works."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct


class Check(Struct, gc=False):
    """One line of a check's file. The check sends numbers from 1 on, and 0 to see it rejected."""

    check_id: Annotated[str, Meta(min_length=1, max_length=64)]
    number: Annotated[int, Meta(ge=1, le=1000)]


RECORD: Final = Check
