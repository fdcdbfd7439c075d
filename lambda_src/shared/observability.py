"""Logs, metrics and traces: one logger, one set of metrics and one tracer for the whole function."""

from __future__ import annotations

from typing import Final

from aws_lambda_powertools import Logger, Metrics, Tracer

REQUIRED: Final = ("POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL")
"""Environment variables that Powertools reads by itself, and does not insist on."""

logger = Logger(use_rfc3339=True, utc=True)
metrics = Metrics()
# Only the SDK is traced: patching every library that the tracer knows costs cold start.
tracer = Tracer(patch_modules=["botocore"])
