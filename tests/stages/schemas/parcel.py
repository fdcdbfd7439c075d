"""A schema of a company's own."""

from typing import Annotated

from msgspec import Meta, Struct


class Parcel(Struct, frozen=True, forbid_unknown_fields=True):
    parcel_id: Annotated[str, Meta(min_length=1)]
    grams: Annotated[int, Meta(ge=0)]


RECORD = Parcel
