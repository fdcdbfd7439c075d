"""A Lambda function with a role, a log group and a recursion guard of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.encryption import grant_use_key
from components.iam import RoleArgs, Statement, policy_document, service_role
from components.packaging import ARCHITECTURE, RUNTIME, Archive

INSIGHTS_LOG_GROUP = "/aws/lambda-insights"
"""Where the Lambda Insights extension writes; its name is fixed (Lambda Insights, Required permissions)."""

LOG_GROUP_PREFIX = "/aws/lambda/"
"""What the names of the functions' log groups begin with."""

_NETWORK_ACTIONS: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)

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


class Function(pulumi.ComponentResource):
    """One function: its role may do what `FunctionArgs.statements` say, and no more.

    Attributes
    ----------
    function, role, policy, log_group
        The resources that others depend on.
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
        aws.lambda_.FunctionRecursionConfig(
            f"{name}-recursion",
            function_name=self.function.name,
            recursive_loop="Terminate",
            opts=self._child,
        )
        self.register_outputs({"functionName": self.function.name, "functionArn": self.function.arn})

    def _permissions(self, name: str, args: FunctionArgs) -> list[Statement]:
        account, runtime = Account(self), args.runtime
        return [
            *args.statements,
            *grant_use_key(runtime.kms_key_arn, account.region, ["lambda", *args.key_services]),
            _write_logs("WriteLogs", self.log_group.arn),
            _send_traces(account),
            *(_write_insights(account) if runtime.insights_layer_arn else []),
            *(_join_network(name, account) if runtime.network else []),
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
            layers=[runtime.layer_arn, *([runtime.insights_layer_arn] if runtime.insights_layer_arn else [])],
            memory_size=runtime.memory_mb,
            timeout=args.timeout_seconds,
            # Reserved, 0 would mean that it never runs.
            reserved_concurrent_executions=args.reserved_concurrency or None,
            kms_key_arn=runtime.kms_key_arn,
            environment=aws.lambda_.FunctionEnvironmentArgs(
                variables={
                    "POWERTOOLS_SERVICE_NAME": args.purpose,
                    "POWERTOOLS_METRICS_NAMESPACE": runtime.metrics_namespace,
                    "POWERTOOLS_LOG_LEVEL": runtime.log_level,
                    "STAGE": runtime.stage,
                    "DETAILED_TRACING": str(runtime.detailed_tracing).lower(),
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


def _write_logs(sid: str, log_group_arn: pulumi.Input[str]) -> Statement:
    return Statement(
        sid=sid,
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[pulumi.Output.concat(log_group_arn, ":log-stream:*")],
    )


def _write_insights(account: Account) -> list[Statement]:
    group = account.arn("logs", f"log-group:{INSIGHTS_LOG_GROUP}")
    # The extension makes the group, which all stacks of the account share, when it is not there.
    make_group = Statement(sid="MakeInsights", actions=["logs:CreateLogGroup"], resources=[group])
    return [make_group, _write_logs("WriteInsights", group)]


def _send_traces(account: Account) -> Statement:
    # X-Ray has no resource-level permission for these two (Service Authorization Reference, AWS X-Ray).
    return Statement(
        sid="SendTraces",
        actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        resources=["*"],
        conditions={"StringEquals": {"aws:RequestedRegion": account.region}},
    )


def _join_network(name: str, account: Account) -> list[Statement]:
    """Grant Lambda itself to put the function into its VPC, and deny it to the function's own code.

    The first is what AWS asks for (Lambda Developer Guide, Giving Lambda functions access to resources in a VPC): there
    is no interface yet that it could be bound to.
    """
    return [
        Statement(
            sid="JoinNetwork",
            actions=list(_NETWORK_ACTIONS),
            resources=["*"],
            conditions={"StringEquals": {"aws:RequestedRegion": account.region}},
        ),
        Statement(
            sid="CodeLeavesNetworkAlone",
            effect="Deny",
            actions=list(_NETWORK_ACTIONS),
            resources=["*"],
            # Pulumi adds a suffix to the function's name.
            conditions={"ArnLike": {"lambda:SourceFunctionArn": account.arn("lambda", f"function:{name}-*")}},
        ),
    ]
