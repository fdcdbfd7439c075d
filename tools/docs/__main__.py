"""Write every generated part of the documents: ``python -m tools.docs``."""

from __future__ import annotations

from tools.docs.generated import generated

if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text)
