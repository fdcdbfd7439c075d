"""Write every generated part of the documents and of the package: ``python -m tools.docs``."""

from __future__ import annotations

from tools.docs.generated import generated
from tools.docs.package import ARGUMENTS, arguments_source

if __name__ == "__main__":
    ARGUMENTS.write_text(arguments_source())  # what follows is made of it
    for path, text in generated().items():
        path.write_text(text)
