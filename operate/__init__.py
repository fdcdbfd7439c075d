"""Commands for the operator of a deployed stack: ``python -m operate``."""

import sys
from pathlib import Path

# The catalog and the events are the functions' own: their code is a root of its own here, as it is in Lambda.
sys.path.append(str(Path(__file__).resolve().parents[1] / "lambda_src"))
