"""Shipments: what a carrier reports of a parcel."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1, max_length=256)]


class Shipment(Struct, omit_defaults=True, gc=False):
    """One report on one shipment. Fields that are not named here are dropped."""

    shipment_id: Annotated[str, Meta(min_length=1, max_length=64)]
    status: Text
    timestamp: Annotated[datetime, Meta(tz=True)]
    carrier: Text | None = None
    origin: Text | None = None
    destination: Text | None = None
    weight_kg: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    pieces: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None


RECORD: Final = Shipment
