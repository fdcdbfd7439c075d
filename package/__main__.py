"""What Pulumi runs to ask for the package's schema, and to create its component."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from package.provider import serve

if __name__ == "__main__":
    serve(sys.argv[1:])
