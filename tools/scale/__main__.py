"""Play the burst anew that the model is checked against: ``python -m tools.scale``; commit what it writes."""

from __future__ import annotations

import msgspec

from operate.console import PlainConsole
from tools.scale.burst import FILE, measure

if __name__ == "__main__":
    console = PlainConsole()
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(measure(console)), indent=0) + b"\n")
    console.print(f"Written: {FILE}. `make docs` writes the documents from it.")
