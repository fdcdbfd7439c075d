"""What the AWS SDK and moto do anew for each client and each key is done once in a process of the tests."""

from __future__ import annotations

from functools import cache

import botocore.loaders
import pytest
from moto.kms.utils import generate_private_key


def keep_what_is_made(patch: pytest.MonkeyPatch) -> None:
    """Keep the services' descriptions, megabytes of JSON, and the private key that moto makes for every KMS key."""
    loader = botocore.loaders.JSONFileLoader()
    load = cache(loader.load_file)
    patch.setattr(botocore.loaders.JSONFileLoader, "load_file", lambda _self, path: load(path))
    patch.setattr("moto.kms.models.generate_private_key", cache(generate_private_key))
