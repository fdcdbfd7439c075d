"""Write every generated part of the documents and of the package: ``python -m tools.docs``."""

from __future__ import annotations

from tools.docs.generated import generated
from tools.docs.package import SCHEMA, package_schema

if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text)
    SCHEMA.write_text(package_schema())  # of the arguments as they were just written
