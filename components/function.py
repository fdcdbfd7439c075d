"""A Lambda function with a role, a log group and a recursion guard of its own, called by its alias alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.encryption import grant_use_key
from components.function_permissions import join_network, send_traces, write_insights, write_logs
from components.iam import RoleArgs, Statement, policy_document, service_role
from components.packaging import ARCHITECTURE, RUNTIME, Archive

LOG_GROUP_PREFIX = "/aws/lambda/"
"""What the names of the functions' log groups begin with."""

ALIAS: Final = "live"
"""The alias that queues, the stream, the schedule and the API call: it moves to a new version when that has started."""

CHECK_EVENT: Final = {"check": "start"}
"""What a new version is invoked with before the alias moves: it answers when it could start, and does nothing else."""

LogLevel: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """Where in a VPC functions run.

    Parameters
    ----------
    subnet_ids, security_group_ids
        Their subnets and their security groups.
    """

    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_ids: Sequence[pulumi.Input[str]]


@dataclass(frozen=True, kw_only=True)
class RuntimeArgs:
    """What the functions of a pipeline have in common.

    Parameters
    ----------
    layer_arn
        The layer of third-party packages, as `components.packaging.build_layer` makes it.
    kms_key_arn
        The key of logs and environment variables.
    stage
        The stage, which logs and catalog items name.
    metrics_namespace
        The CloudWatch namespace of the functions' own metrics.
    memory_mb
        Memory of each function, in MB.
    log_level
        Least severe level that is logged.
    detailed_tracing
        Whether each call to AWS is traced as a subsegment: cold starts then load X-Ray's SDK.
    log_retention_days
        Days that logs are kept; one of those that CloudWatch Logs takes.
    insights_layer_arn
        The versioned ARN of the Lambda Insights extension. Empty: no Insights.
    shifts
        Whether CodeDeploy moves the alias step by step, and metrics are kept by version too. Otherwise the update moves
        it at once.
    role
        What a company asks of every role.
    network
        Where in a VPC the functions run. None: in no VPC.
    """

    layer_arn: pulumi.Input[str]
    kms_key_arn: pulumi.Input[str]
    stage: str
    metrics_namespace: str
    memory_mb: int = 1024
    log_level: LogLevel = "INFO"
    detailed_tracing: bool = False
    log_retention_days: int = 365
    insights_layer_arn: str = ""
    shifts: bool = False
    role: RoleArgs = field(default_factory=RoleArgs)
    network: NetworkArgs | None = None


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    """What one function is.

    Parameters
    ----------
    purpose
        What it does, in a word: the folder of its handler.
    runtime
        What it has in common with the pipeline's other functions.
    code
        Its own code, as `components.packaging.build_function` makes it.
    statements
        What its role may do, beside using the key, writing its own logs and sending its traces.
    environment
        Its environment variables, beside those that every function gets.
    key_services
        The services that use the key in its name. Lambda, which keeps its environment, always does.
    timeout_seconds
        Its time-out.
    snap_start
        Whether it starts from a snapshot of its published version (SnapStart).
    reserved_concurrency
        Executions that the account keeps for it, and the most that it gets. 0: it shares with all others.
    """

    purpose: str
    runtime: RuntimeArgs
    code: Archive
    statements: Sequence[Statement] = ()
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    key_services: Sequence[str] = ()
    timeout_seconds: int = 120
    reserved_concurrency: int = 0
    snap_start: bool = False


class Function(pulumi.ComponentResource):
    """One function: its role may do what `FunctionArgs.statements` say, and no more.

    Attributes
    ----------
    function, role, policy, log_group
        The resources that others depend on.
    name, arn
        The function's name and its ARN, without a version.
    alias
        What calls the function calls: a published version that answered `CHECK_EVENT`.
    """

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Function", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.log_group = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"{LOG_GROUP_PREFIX}{name}",
            kms_key_id=args.runtime.kms_key_arn,
            retention_in_days=args.runtime.log_retention_days,
            opts=self._child,
        )
        self.role = service_role(name, "lambda", args.runtime.role, self._child)
        self.policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=self.role.id,
            policy=policy_document(self._permissions(name, args)),
            opts=self._child,
        )
        self.function = self._function(name, args)
        self.name, self.arn = self.function.name, self.function.arn
        self.alias = self._alias(name, args.runtime)
        aws.lambda_.FunctionRecursionConfig(
            f"{name}-recursion",
            function_name=self.function.name,
            recursive_loop="Terminate",
            opts=self._child,
        )
        self.register_outputs({"functionName": self.function.name, "functionArn": self.function.arn})

    def _alias(self, name: str, runtime: RuntimeArgs) -> aws.lambda_.Alias:
        """Declare the check of each new version, and the alias that moves to it after."""
        check = aws.lambda_.Invocation(
            f"{name}-check",
            function_name=self.function.name,
            # A version is another resource: it is invoked once, and an error of the function fails the update.
            qualifier=self.function.version,
            input=json.dumps(CHECK_EVENT),
            opts=self._child,
        )
        return aws.lambda_.Alias(
            f"{name}-alias",
            name=ALIAS,
            function_name=self.function.name,
            function_version=self.function.version,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[check],
                # What CodeDeploy moves is its own: the program says where the alias begins.
                ignore_changes=["functionVersion", "routingConfig"] if runtime.shifts else None,
            ),
        )

    def _permissions(self, name: str, args: FunctionArgs) -> list[Statement]:
        account, runtime = Account(self), args.runtime
        return [
            *args.statements,
            *grant_use_key(runtime.kms_key_arn, account.region, ["lambda", *args.key_services]),
            write_logs("WriteLogs", self.log_group.arn),
            send_traces(account),
            *(write_insights(account) if runtime.insights_layer_arn else []),
            *(join_network(name, account) if runtime.network else []),
        ]

    def _function(self, name: str, args: FunctionArgs) -> aws.lambda_.Function:
        runtime = args.runtime
        return aws.lambda_.Function(
            name,
            description=f"{args.purpose} function of {name.removesuffix(f'-{args.purpose}')}",
            role=self.role.arn,
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            handler=f"{args.purpose}.handler.handler",
            code=pulumi.FileArchive(args.code.path),
            source_code_hash=args.code.sha256_base64,
            # Each change of code or configuration is a version: what runs is never half of both.
            publish=True,
            layers=[runtime.layer_arn, *([runtime.insights_layer_arn] if runtime.insights_layer_arn else [])],
            memory_size=runtime.memory_mb,
            timeout=args.timeout_seconds,
            # Reserved, 0 would mean that it never runs.
            reserved_concurrent_executions=args.reserved_concurrency or None,
            kms_key_arn=runtime.kms_key_arn,
            snap_start=aws.lambda_.FunctionSnapStartArgs(apply_on="PublishedVersions") if args.snap_start else None,
            environment=aws.lambda_.FunctionEnvironmentArgs(
                variables={
                    "POWERTOOLS_SERVICE_NAME": args.purpose,
                    "POWERTOOLS_METRICS_NAMESPACE": runtime.metrics_namespace,
                    "POWERTOOLS_LOG_LEVEL": runtime.log_level,
                    "STAGE": runtime.stage,
                    "DETAILED_TRACING": str(runtime.detailed_tracing).lower(),
                    "METRICS_BY_VERSION": str(runtime.shifts).lower(),
                    **args.environment,
                }
            ),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="JSON",
                log_group=self.log_group.name,
                # Powertools filters by the stage's level. Lambda's own filter stays below it: it takes metrics, which
                # are log lines without a level, for INFO, and would drop them.
                application_log_level="DEBUG" if runtime.log_level == "DEBUG" else "INFO",
                # At INFO, Lambda logs the start and the end of each invocation: a third of what a file logs, and
                # what metrics say too. At WARN, those that failed.
                system_log_level="INFO" if runtime.log_level == "DEBUG" else "WARN",
            ),
            vpc_config=aws.lambda_.FunctionVpcConfigArgs(
                subnet_ids=list(runtime.network.subnet_ids), security_group_ids=list(runtime.network.security_group_ids)
            )
            if runtime.network
            else None,
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
            # The first invocation must find its permissions and its log group.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.policy, self.log_group]),
        )
