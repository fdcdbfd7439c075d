"""Logs, metrics and traces: one logger, one set of metrics and one tracer for the whole function."""

from __future__ import annotations

import logging
import os

from aws_lambda_powertools import Logger, Metrics, Tracer

# Where the stage logs DEBUG, Lambda sets the root logger to it: the SDK would log signed requests and session tokens.
for _library in ("aws_lambda_powertools", "aws_xray_sdk", "boto3", "botocore", "urllib3"):
    logging.getLogger(_library).setLevel(logging.INFO)

logger = Logger(use_rfc3339=True, utc=True)
# The stage's level, whatever Lambda's own filter is set to: Powertools alone would take that.
logging.getLogger(logger.service).setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"))

metrics = Metrics()
# Only the SDK is traced: patching every library that the tracer knows costs cold start.
tracer = Tracer(patch_modules=["botocore"])
