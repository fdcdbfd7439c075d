"""Lambda on the emulator, which runs the real archives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local.cloud import Cloud
from local.services.base import Creator, Inputs, Made

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import EventSourceMappingConfigurationResponseTypeDef


def _layer(cloud: Cloud, inputs: Inputs) -> Made:
    version = cloud.lambda_.publish_layer_version(
        LayerName=inputs.physical_name("layerName"), Content={"ZipFile": Path(inputs.archive_path("code")).read_bytes()}
    )
    arn = version["LayerVersionArn"]
    return Made(id=arn, outputs={"arn": arn, "layerArn": version["LayerArn"], "version": str(version["Version"])})


def _function(cloud: Cloud, inputs: Inputs) -> Made:
    name = inputs.physical_name()
    function = cloud.lambda_.create_function(
        FunctionName=name,
        Role=inputs.text("role"),
        Runtime="python3.13",
        Handler=inputs.text("handler"),
        Code={"ZipFile": Path(inputs.archive_path("code")).read_bytes()},
        Layers=inputs.texts("layers"),
        MemorySize=inputs.integer("memorySize"),
        Timeout=inputs.integer("timeout"),
        Environment={"Variables": inputs.part("environment").mapping("variables")},
        LoggingConfig={"LogGroup": inputs.part("loggingConfig").text("logGroup")},
        KMSKeyArn=inputs.text("kmsKeyArn"),
    )
    if "reservedConcurrentExecutions" in inputs:
        reserved = inputs.integer("reservedConcurrentExecutions")
        cloud.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    arn = function["FunctionArn"]
    invoke_arn = f"arn:aws:apigateway:{cloud.region}:lambda:path/2015-03-31/functions/{arn}/invocations"
    return Made(id=name, outputs={"name": name, "arn": arn, "invokeArn": invoke_arn})


def _recursion(cloud: Cloud, inputs: Inputs) -> Made:
    name = inputs.text("functionName")
    cloud.lambda_.put_function_recursion_config(FunctionName=name, RecursiveLoop="Terminate")
    return Made(id=name, outputs={})


def _permission(cloud: Cloud, inputs: Inputs) -> Made:
    cloud.lambda_.add_permission(
        FunctionName=inputs.text("function"),
        StatementId=inputs.name,
        Action=inputs.text("action"),
        Principal=inputs.text("principal"),
        SourceArn=inputs.text("sourceArn"),
    )
    return Made(id=inputs.name, outputs={})


def _event_source(cloud: Cloud, inputs: Inputs) -> Made:
    create = _stream_source if "startingPosition" in inputs else _queue_source
    mapping = create(cloud, inputs)
    return Made(id=mapping["UUID"], outputs={"uuid": mapping["UUID"]})


def _queue_source(cloud: Cloud, inputs: Inputs) -> EventSourceMappingConfigurationResponseTypeDef:
    return cloud.lambda_.create_event_source_mapping(
        EventSourceArn=inputs.text("eventSourceArn"),
        FunctionName=inputs.text("functionName"),
        BatchSize=inputs.integer("batchSize"),
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": inputs.part("scalingConfig").integer("maximumConcurrency")},
    )


def _stream_source(cloud: Cloud, inputs: Inputs) -> EventSourceMappingConfigurationResponseTypeDef:
    filters = inputs.part("filterCriteria").parts("filters")
    on_failure = inputs.part("destinationConfig").part("onFailure")
    return cloud.lambda_.create_event_source_mapping(
        EventSourceArn=inputs.text("eventSourceArn"),
        FunctionName=inputs.text("functionName"),
        StartingPosition="TRIM_HORIZON",
        BatchSize=inputs.integer("batchSize"),
        ParallelizationFactor=inputs.integer("parallelizationFactor"),
        FilterCriteria={"Filters": [{"Pattern": entry.text("pattern")} for entry in filters]},
        FunctionResponseTypes=["ReportBatchItemFailures"],
        BisectBatchOnFunctionError=inputs.flag("bisectBatchOnFunctionError"),
        MaximumRetryAttempts=inputs.integer("maximumRetryAttempts"),
        MaximumRecordAgeInSeconds=inputs.integer("maximumRecordAgeInSeconds"),
        DestinationConfig={"OnFailure": {"Destination": on_failure.text("destinationArn")}},
    )


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:lambda/eventSourceMapping:EventSourceMapping": _event_source,
    "aws:lambda/function:Function": _function,
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": _recursion,
    "aws:lambda/layerVersion:LayerVersion": _layer,
    "aws:lambda/permission:Permission": _permission,
}
