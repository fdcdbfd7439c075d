"""Lambda on the emulator, which runs the real archives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs

if TYPE_CHECKING:
    from types_boto3_lambda.literals import RecursiveLoopType
    from types_boto3_lambda.type_defs import (
        CreateAliasRequestTypeDef,
        CreateEventSourceMappingRequestTypeDef,
        CreateFunctionRequestTypeDef,
        PublishLayerVersionRequestTypeDef,
    )


class InvocationError(RuntimeError):
    """A function that was invoked failed. The message holds what it answered."""


def _layer(cloud: Cloud, inputs: Inputs) -> Created:
    request = inputs.as_api("compatibleArchitectures", "compatibleRuntimes") | {
        "LayerName": inputs.physical_name("layerName"),
        "Content": {"ZipFile": Path(inputs.archive_path("code")).read_bytes()},
    }
    version = cloud.client("lambda").publish_layer_version(**cast("PublishLayerVersionRequestTypeDef", request))
    arn = version["LayerVersionArn"]
    return Created(id=arn, outputs={"arn": arn, "layerArn": version["LayerArn"], "version": str(version["Version"])})


def _function(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.physical_name()
    request = inputs.as_api(
        *("role", "runtime", "architectures", "handler", "description", "layers", "memorySize", "timeout"),
        *("loggingConfig", "tracingConfig", "snapStart", "vpcConfig"),
    )
    request |= {
        "FunctionName": name,
        "Code": {"ZipFile": Path(inputs.archive_path("code")).read_bytes()},
        "Environment": {"Variables": inputs.part("environment").mapping("variables")},
        "KMSKeyArn": inputs.text("kmsKeyArn"),
        "Publish": inputs.flag("publish"),
    }
    made = cloud.client("lambda").create_function(**cast("CreateFunctionRequestTypeDef", request))
    arn = made["FunctionArn"].removesuffix(f":{made['Version']}")
    if "reservedConcurrentExecutions" in inputs:
        reserved = inputs.integer("reservedConcurrentExecutions")
        cloud.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    return Created(id=name, outputs={"name": name, "arn": arn, "version": made["Version"]})


def _invocation(cloud: Cloud, inputs: Inputs) -> Created:
    name, version = inputs.text("functionName"), inputs.text("qualifier")
    result = invoke(cloud, name, version, inputs.text("input"))
    return Created(id=f"{name}_{version}", outputs={"result": result})


def invoke(cloud: Cloud, name: str, version: str, event: str) -> str:
    """Invoke a version of a function as Pulumi's provider does, and return its answer.

    Raises
    ------
    InvocationError
        If the function fails.
    """
    answer = cloud.client("lambda").invoke(FunctionName=name, Qualifier=version, Payload=event)
    result = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise InvocationError(f"version {version} of {name} failed: {result}")
    return result


def _alias(cloud: Cloud, inputs: Inputs) -> Created:
    request = inputs.as_api("functionName", "functionVersion", "name")
    arn = cloud.client("lambda").create_alias(**cast("CreateAliasRequestTypeDef", request))["AliasArn"]
    invoke_arn = f"arn:aws:apigateway:{cloud.region}:lambda:path/2015-03-31/functions/{arn}/invocations"
    return Created(id=arn, outputs={"arn": arn, "invokeArn": invoke_arn})


def _recursion(cloud: Cloud, inputs: Inputs) -> Created:
    name, answer = inputs.text("functionName"), cast("RecursiveLoopType", inputs.text("recursiveLoop"))
    cloud.client("lambda").put_function_recursion_config(FunctionName=name, RecursiveLoop=answer)
    return Created(id=name, outputs={})


def _permission(cloud: Cloud, inputs: Inputs) -> Created:
    cloud.client("lambda").add_permission(
        FunctionName=inputs.text("function"),
        Qualifier=inputs.text("qualifier"),
        StatementId=inputs.name,
        Action=inputs.text("action"),
        Principal=inputs.text("principal"),
        SourceArn=inputs.text("sourceArn"),
    )
    return Created(id=inputs.name, outputs={})


def _event_source(cloud: Cloud, inputs: Inputs) -> Created:
    request = inputs.as_api(
        *("eventSourceArn", "functionName", "batchSize", "functionResponseTypes", "scalingConfig"),
        *("startingPosition", "parallelizationFactor", "bisectBatchOnFunctionError", "maximumRetryAttempts"),
        *("maximumRecordAgeInSeconds", "filterCriteria"),
    )
    if "destinationConfig" in inputs:
        destination = inputs.part("destinationConfig").part("onFailure").text("destinationArn")
        request["DestinationConfig"] = {"OnFailure": {"Destination": destination}}
    mapping = cloud.client("lambda").create_event_source_mapping(
        **cast("CreateEventSourceMappingRequestTypeDef", request)
    )
    return Created(id=mapping["UUID"], outputs={"uuid": mapping["UUID"]})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:lambda/alias:Alias": _alias,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _event_source,
    "aws:lambda/function:Function": _function,
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": _recursion,
    "aws:lambda/invocation:Invocation": _invocation,
    "aws:lambda/layerVersion:LayerVersion": _layer,
    "aws:lambda/permission:Permission": _permission,
}
