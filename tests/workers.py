"""How the tests are spread over processes: those that share what takes long to build run in one of them."""

from __future__ import annotations

from typing import Final

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has no types

_STACKS_OF_THEIR_OWN: Final = ("test_brought.py", "test_commands.py", "test_drills.py")
_LOCAL: Final = "tests/local"
"""A folder in it, or what is in none, has one stack on one local cloud."""

_EVERY_STAGE: Final = ("tests/declared/test_declared.py", "tests/policy/test_program.py")


class SharedScheduling(LoadScopeScheduling):  # type: ignore[misc]  # the same
    """Gives a process all tests of a file, or of the files that share a stack."""

    def _split_scope(self, nodeid: str) -> str:
        """Name what a test shares, as xdist's own schedulers do."""
        path = nodeid.partition("::")[0]
        folder, _, file = path.rpartition("/")
        if path in _EVERY_STAGE:
            return "every stage"
        return folder if folder.startswith(_LOCAL) and file not in _STACKS_OF_THEIR_OWN else path
