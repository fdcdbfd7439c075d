"""Count anew what files and requests need: ``python -m tools.costs``; commit what it writes, and run ``make docs``."""

from __future__ import annotations

import argparse

from operate.capacity.measured import FILE, write
from operate.console import PlainConsole
from tools.costs.measure import measure


def main() -> None:
    """Measure on the local cloud, and write what was counted."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.costs",
        description=f"Count on the local cloud, what files and requests need; overwrites {FILE}.",
    )
    parser.parse_args()
    console = PlainConsole()
    write(measure(console))
    console.print(f"Written: {FILE}. `make docs` writes the documents from it.")


if __name__ == "__main__":
    main()
