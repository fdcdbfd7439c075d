"""The program's version. ``pyproject.toml``, which is in no function's archive, takes it from here."""

from typing import Final

VERSION: Final = "1.0.0"
