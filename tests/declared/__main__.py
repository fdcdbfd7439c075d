"""Write anew what the program declares for every stage of the tests: ``python -m tests.declared``."""

from __future__ import annotations

import logging

from tests.declared.snapshot import FOLDER, path_of, snapshot
from tests.stage_files import stages


def main() -> None:
    """Write a file for each stage, and remove those of stages that are gone."""
    logging.disable()  # what the program says to its operator
    written = {path_of(stage): snapshot(stage) for stage in stages()}
    for path in FOLDER.glob("*.yaml"):
        if path not in written:
            path.unlink()
    for path, text in written.items():
        path.write_text(text)


if __name__ == "__main__":
    main()
