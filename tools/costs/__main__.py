"""Count anew what files and requests need: ``python -m tools.costs``; commit what it writes, and run ``make docs``."""

from __future__ import annotations

from operate.capacity.measured import FILE, write
from operate.console import PlainConsole
from tools.costs.measure import measure

if __name__ == "__main__":
    console = PlainConsole()
    write(measure(console))
    console.print(f"Written: {FILE}. `make docs` writes the documents from it.")
