"""Logs, metrics and traces: one logger and one set of metrics for the whole function, a tracer where a stage asks."""

from __future__ import annotations

import logging
import os
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.logging.types import LogRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

_Parameters = ParamSpec("_Parameters")
_Returned = TypeVar("_Returned")
_Event = TypeVar("_Event")

# Where the stage logs DEBUG, Lambda sets the root logger to it: the SDK would log signed requests and session tokens.
for _library in ("aws_lambda_powertools", "aws_xray_sdk", "boto3", "botocore", "urllib3"):
    logging.getLogger(_library).setLevel(logging.INFO)


class _Formatter(LambdaPowertoolsFormatter):
    """Leaves out what is the same in every line of a function: a file's line is a third shorter."""

    def serialize(self, log: LogRecord) -> str:
        return super().serialize({name: value for name, value in log.items() if name not in _LEFT_OUT})


_LEFT_OUT = frozenset({"function_arn", "function_memory_size", "location"})

logger = Logger(logger_formatter=_Formatter(use_rfc3339=True, utc=True))
# The stage's level, whatever Lambda's own filter is set to: Powertools alone would take that.
logging.getLogger(logger.service).setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"))

metrics = Metrics()
_VERSION = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
_BY_VERSION = os.environ.get("METRICS_BY_VERSION") == "true"
# A tracer loads X-Ray's SDK when it is made. Only botocore is patched: to patch all that the SDK knows takes longer.
_tracer = Tracer(patch_modules=["botocore"]) if os.environ.get("DETAILED_TRACING") == "true" else None


def measured(handler: Callable[[_Event, LambdaContext], _Returned]) -> Callable[[_Event, LambdaContext], _Returned]:
    """Write what a handler measures when it returns, each line with the function's version.

    The version is a property, which costs nothing. Where a release shifts step by step it is a dimension too, beside
    the metrics without one: alarms then tell the new version from the old.
    """

    @wraps(handler)
    def measure(event: _Event, context: LambdaContext) -> _Returned:
        metrics.add_metadata("version", _VERSION)
        if _BY_VERSION:
            metrics.add_dimensions(service=metrics.service, version=_VERSION)
        return handler(event, context)

    written: Callable[[_Event, LambdaContext], _Returned] = metrics.log_metrics(measure, capture_cold_start_metric=True)
    return written


def traced_handler(handler: Callable[_Parameters, _Returned]) -> Callable[_Parameters, _Returned]:
    """Trace a handler and its calls to AWS as subsegments, where the stage asks for it."""
    return _tracer.capture_lambda_handler(capture_response=False)(handler) if _tracer else handler


def traced(function: Callable[_Parameters, _Returned]) -> Callable[_Parameters, _Returned]:
    """Trace a function as a subsegment, where the stage asks for it."""
    return _tracer.capture_method(capture_response=False)(function) if _tracer else function
