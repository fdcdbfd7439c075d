"""One file for each AWS service: how a declared resource is made on the emulator."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Final

from local.services.base import Creator

CREATORS: Final[Mapping[str, Creator]] = {
    kind: creator
    for service in pkgutil.iter_modules(__path__)
    for kind, creator in getattr(import_module(f"{__name__}.{service.name}"), "CREATORS", {}).items()
}
"""Resource type → what makes one, from the ``CREATORS`` of each file."""
