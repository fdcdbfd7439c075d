"""Logs, metrics and traces: one logger and one set of metrics for the whole function, a tracer where a stage asks."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.logging.types import LogRecord

_Parameters = ParamSpec("_Parameters")
_Returned = TypeVar("_Returned")

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
# A tracer loads X-Ray's SDK when it is made. Only botocore is patched: to patch all that the SDK knows takes longer.
_tracer = Tracer(patch_modules=["botocore"]) if os.environ.get("DETAILED_TRACING") == "true" else None


def traced_handler(handler: Callable[_Parameters, _Returned]) -> Callable[_Parameters, _Returned]:
    """Trace a handler and its calls to AWS as subsegments, where the stage asks for it."""
    return _tracer.capture_lambda_handler(capture_response=False)(handler) if _tracer else handler


def traced(function: Callable[_Parameters, _Returned]) -> Callable[_Parameters, _Returned]:
    """Trace a function as a subsegment, where the stage asks for it."""
    return _tracer.capture_method(capture_response=False)(function) if _tracer else function
