"""KMS on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs


def _key(cloud: Cloud, inputs: Inputs) -> Created:
    kms = cloud.client("kms")
    key = kms.create_key(Description=inputs.text("description", ""), Policy=inputs.text("policy"))["KeyMetadata"]
    if inputs.flag("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=inputs.integer("rotationPeriodInDays"))
    return Created(id=key["KeyId"], outputs={"keyId": key["KeyId"], "arn": key["Arn"]})


def _alias(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.text("name")
    cloud.client("kms").create_alias(AliasName=name, TargetKeyId=inputs.text("targetKeyId"))
    return Created(id=name, outputs={"arn": cloud.arn("kms", name)})


CREATORS: Final[Mapping[str, Creator]] = {"aws:kms/key:Key": _key, "aws:kms/alias:Alias": _alias}
