"""Entry of the policy pack: ``pulumi preview --policy-pack policy`` starts it."""

from __future__ import annotations

import sys
from pathlib import Path

# Pulumi runs the folder, not the package: put what the package is in on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

try:
    from pulumi_policy import EnforcementLevel, PolicyPack
except ModuleNotFoundError as error:
    sys.exit(
        f"The policy pack needs the package {error.name}, which {sys.executable} does not have: run `make setup`, "
        "which builds .venv with it, and then `pulumi preview --policy-pack policy`."
    )

from policy.guardrails import GUARDRAILS

PolicyPack("file-pipeline-guardrails", policies=[*GUARDRAILS], enforcement_level=EnforcementLevel.MANDATORY)
