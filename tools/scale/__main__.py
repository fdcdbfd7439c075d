"""Play the burst anew that the model is checked against: ``python -m tools.scale``; commit what it writes."""

from __future__ import annotations

import argparse

import msgspec

from operate.console import PlainConsole
from tools.scale.burst import FILE, measure


def main() -> None:
    """Play a burst on the local cloud, and write how deep the intake was."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.scale",
        description=f"Play a burst on the local cloud, in about a minute, to check the model by; overwrites {FILE}.",
    )
    parser.parse_args()
    console = PlainConsole()
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(measure(console)), indent=0) + b"\n")
    console.print(f"Written: {FILE}. `make docs` writes the documents from it.")


if __name__ == "__main__":
    main()
