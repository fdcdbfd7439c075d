"""The one mocks harness: what the program declares for a stage of the tests."""

from __future__ import annotations

import gc
import json
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import hypothesis
import pulumi
import pytest
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]  # it has no types
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs

from local.program import run_program
from local.stack_config import StackConfig
from tests.declared_stack import Declared, DeclaredStack, Json
from tests.stage_files import StageFiles, stage_config
from tests.workers import SharedScheduling

if TYPE_CHECKING:
    from google.protobuf import empty_pb2  # type: ignore[import-untyped]  # it has no types
    from pulumi.runtime.proto import resource_pb2

hypothesis.settings.register_profile(
    "suite",
    # A busy machine is no finding, and what is found is found in every run alike.
    deadline=None,
    derandomize=True,
)
hypothesis.settings.load_profile("suite")

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-central-1"
PASSWORD: Final = "Generated-by-the-provider-0123456789"
"""What the provider answers when the program asks for a random password of letters and digits."""

USER_PASSWORD: Final = "Generated-for-the-test-user-0123456789"
"""The same, for one with symbols in it."""

CLIENT_SECRET: Final = "Generated-for-the-programs-0123456789"
"""What Cognito answers as a client's secret."""

_LOCAL: Final = Path(__file__).with_name("local")

HOST_LAYER: Final = {"layerPlatform": "host"}
"""The layer itself is built in its own tests: others need no other platform's wheels."""


class _Recorder(MockMonitor):
    """Notes each registration with its options, which the mocks themselves are not told."""

    def __init__(self, mocks: pulumi.runtime.Mocks, stack: DeclaredStack) -> None:
        super().__init__(mocks)
        self._stack = stack
        self._lock = threading.Lock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine does it, with the types of all ancestors but the stack; the mocks' own has one."""
        above = parent.split("::")[2] if parent else ""
        chain = type_ if above in {"", _STACK_TYPE} else f"{above}${type_}"
        return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{chain}::{name}"

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:  # noqa: N802 - Pulumi's name
        response: resource_pb2.RegisterResourceResponse = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != _STACK_TYPE:
            inputs = pulumi.runtime.rpc.deserialize_properties(request.object)
            with self._lock:
                self._stack.resources.append(
                    Declared(
                        urn=response.urn,
                        type=request.type,
                        name=request.name,
                        inputs=cast("Mapping[str, Json]", inputs),
                        options={k: v for k, v in MessageToDict(request).items() if k not in _NOT_OPTIONS},
                        provider=request.provider,
                        protect=request.protect,
                        retain_on_delete=request.retainOnDelete,
                        ignore_changes=list(request.ignoreChanges),
                        dependencies=list(request.dependencies),
                        sources={name: list(of.urns) for name, of in request.propertyDependencies.items()},
                    )
                )
        return response

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> empty_pb2.Empty:  # noqa: N802 - Pulumi's name
        if request.urn.split("::")[2] == _STACK_TYPE:
            self._stack.engine_outputs.update(pulumi.runtime.rpc.deserialize_properties(request.outputs))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


_STACK_TYPE: Final = "pulumi:pulumi:Stack"

_NOT_OPTIONS: Final = frozenset(
    {
        *("type", "name", "custom", "object", "propertyDependencies"),
        # How this SDK talks to the engine, and where in the code it does.
        *("acceptSecrets", "acceptResources", "supportsPartialValues", "supportsResultReporting", "aliasSpecs"),
        *("version", "packageRef", "pluginDownloadURL", "sourcePosition", "stackTrace", "parentStackTraceHandle"),
    }
)


class _Mocks(pulumi.runtime.Mocks):
    """Answers like AWS: names and ARNs for what is made; in a preview, only what was put in.

    No answer is marked as secret: what has to be secret must be so by the program itself.
    """

    def __init__(self, stack: DeclaredStack, *, preview: bool) -> None:
        self._stack = stack
        self._preview = preview

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, object]]:
        inputs = dict(args.inputs)
        if self._preview:
            return "", inputs
        service = args.typ.split(":")[1].partition("/")[0]
        name = str(inputs.get("name") or inputs.get("bucket") or args.name)
        if args.typ == "aws:lambda/alias:Alias":
            name = f"{inputs['functionName']}:{name}"
        arn = f"arn:aws:s3:::{name}" if service == "s3" else f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"
        made = {"arn": arn, "name": name, "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}", "keyId": name}
        made |= {
            "version": "7",
            "streamArn": f"{arn}/stream",
            "invokeArn": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
            "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{name}",
            "apiEndpoint": f"https://{name}.execute-api.{REGION}.amazonaws.com",
            "clientSecret": CLIENT_SECRET,
            "endpoint": f"cognito-idp.{REGION}.amazonaws.com/{name}",
        }
        return name, {**made, **{key: pulumi.runtime.rpc.unwrap_rpc_secret(value) for key, value in inputs.items()}}

    def call(self, args: MockCallArgs) -> tuple[dict[str, object], list[tuple[str, str]]]:
        answers: dict[str, dict[str, object]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:index/getPartition:getPartition": {"partition": "aws"},
            "aws:index/getRegion:getRegion": {"region": REGION},
            "aws:secretsmanager/getRandomPassword:getRandomPassword": {
                "randomPassword": PASSWORD if args.args.get("excludePunctuation") else USER_PASSWORD
            },
        }
        self._stack.asked.append((args.token, args.provider))
        return answers[args.token], []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the local cloud, and put it first, the drills before all: the longest of them should lead."""
    for item in items:
        if _LOCAL in item.path.parents:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: (_LOCAL not in item.path.parents, item.path.stem != "test_drills"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> SharedScheduling:
    return SharedScheduling(config, log)


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One more than there are cores: what is tested on the local cloud waits for most of its time."""
    return (yield) + 1


def pytest_collection_finish() -> None:
    """Have the garbage collector look less often, and not at what was imported: a third of the time would go there."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def run(config: StackConfig, *, preview: bool = False, program: Callable[[], object] | None = None) -> DeclaredStack:
    """Run the program, or another one, with a config and return what it declares."""
    stack = DeclaredStack(stage=config.stage)
    mocks = _Mocks(stack, preview=preview)
    with pytest.MonkeyPatch.context() as patch:
        # Pulumi notes for each resource where in the code it is declared: with pytest's own frames, half of the time.
        patch.setattr(sys, "tracebacklimit", 1, raising=False)
        stack.outputs.update(run_program(config, mocks, _Recorder(mocks, stack), preview=preview, program=program))
    return stack


def declare(stage: str, *, preview: bool = False, overrides: Mapping[str, object] | None = None) -> DeclaredStack:
    """What the program declares for a stage of the tests. It is not run twice for the same."""
    return _declare(stage, json.dumps(overrides or {}, sort_keys=True), preview=preview)


@cache
def _declare(stage: str, overrides: str, *, preview: bool) -> DeclaredStack:
    return run(stage_config(stage, {**HOST_LAYER, **json.loads(overrides)}), preview=preview)


@pytest.fixture(scope="session")
def _stage_files() -> Iterator[StageFiles]:
    files = StageFiles()
    sys.addaudithook(files.watch)
    yield files
    files.allowed = True  # the hook itself stays for as long as the process does


@pytest.fixture(autouse=True)
def _read_no_stage_file(request: pytest.FixtureRequest, _stage_files: StageFiles) -> None:
    _stage_files.allowed = request.node.get_closest_marker("stage_files") is not None


@pytest.fixture(scope="session")
def dev() -> DeclaredStack:
    return declare("dev")


@pytest.fixture(scope="session")
def prod() -> DeclaredStack:
    return declare("prod")


@pytest.fixture(scope="session", params=["dev", "prod"])
def stack(request: pytest.FixtureRequest) -> DeclaredStack:
    """Each stage that is deployed to AWS."""
    declared: DeclaredStack = request.getfixturevalue(request.param)
    return declared
