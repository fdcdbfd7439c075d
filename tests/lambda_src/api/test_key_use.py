"""What the function itself asks of KMS is what its role may ask: nothing but cursors, by their encryption context."""

from __future__ import annotations

from typing import cast

from tests.conftest import DeclaredStack, dig
from tests.lambda_src.api.conftest import Api
from tests.lambda_src.conftest import Calls


def test_cursors_are_encrypted_for_what_the_role_may_encrypt_for(api: Api, dev: DeclaredStack, calls: Calls) -> None:
    for number in range(2):
        api.post("/validate", {"data": [{"shipment_id": f"SHP-{number}"}]})
    calls.made.clear()
    calls.parameters.clear()

    first = api.get("/files", status="VALIDATED", limit=1)
    assert api.get("/files", status="VALIDATED", limit=1, cursor=first.body["cursor"]).status == 200

    seal = dev.one("RolePolicy", "-api-policy").statements()["Seal"]
    allowed = cast("dict[str, str]", dig(dict(seal), "Condition", "StringEquals"))
    asked = {
        operation: cast("dict[str, str]", dig(parameters, "EncryptionContext"))
        for operation, parameters in zip(calls.made, calls.parameters, strict=True)
        if operation in {"Encrypt", "Decrypt"}
    }
    assert {f"kms:{operation}" for operation in asked} == set(cast("list[str]", seal["Action"]))
    for context in asked.values():
        named = {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
        assert allowed.items() <= named.items()
