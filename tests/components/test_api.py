"""The HTTP API and its users: routes, tokens, throttles, CORS, sign-in."""

from __future__ import annotations

import json

import pytest

from components.settings import SettingsError
from tests.conftest import ACCOUNT, REGION, USER_PASSWORD, declare
from tests.declared_stack import DeclaredStack, texts

USER_ROUTES = {"POST /validate", "POST /process", "POST /uploads", "GET /files", "GET /files/{id+}"}


def test_every_route_but_health_needs_a_token_of_the_pool(stack: DeclaredStack) -> None:
    authorizer = stack.one("Authorizer")
    pool, client = stack.one("UserPool"), stack.one("UserPoolClient")
    routes = {route.text("routeKey"): route for route in stack.all("Route")}

    assert set(routes) == {*USER_ROUTES, "GET /health"}
    assert routes["GET /health"].text("authorizationType") == "NONE"
    for key in USER_ROUTES:
        assert routes[key].text("authorizationType") == "JWT"
        assert routes[key].text("authorizerId") == authorizer.text("name")
    assert authorizer.text("authorizerType") == "JWT"
    assert authorizer.inputs["identitySources"] == ["$request.header.Authorization"]
    assert authorizer.part("jwtConfiguration") == {
        "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{pool.name}",
        "audiences": [client.name],
    }


def test_the_function_is_called_by_this_api_alone(stack: DeclaredStack) -> None:
    integration, permission = stack.one("Integration"), stack.one("Permission")
    api = stack.one("Api")

    assert integration.text("payloadFormatVersion") == "2.0"
    assert integration.text("integrationType") == "AWS_PROXY"
    assert f"file-pipeline-{stack.stage}-api:live/invocations" in integration.text("integrationUri")
    assert permission.text("principal") == "apigateway.amazonaws.com"
    assert permission.text("sourceArn") == f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.text('name')}/*"


def test_the_function_answers_before_the_gateway_gives_up(stack: DeclaredStack) -> None:
    timeout = stack.one("Function", "-api").number("timeout")

    assert timeout * 1000 < stack.one("Integration").number("timeoutMilliseconds") <= 30_000


def test_the_stage_throttles_and_is_there_last(stack: DeclaredStack) -> None:
    declared = stack.one("Stage")
    rates = {"dev": (10, 20), "prod": (100, 200)}[stack.stage]
    settings = declared.part("defaultRouteSettings")

    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == rates
    assert settings["detailedMetricsEnabled"] is False
    assert (declared.text("name"), declared.inputs["autoDeploy"]) == ("$default", True)
    needed = {route.urn for route in stack.all("Route")} | {stack.one("Permission").urn}
    assert needed <= set(declared.dependencies)


def test_each_route_without_an_authorizer_has_a_throttle_of_its_own(stack: DeclaredStack) -> None:
    """Its cost is anybody's to make: what all routes together may take is a hundred times as much."""
    declared = stack.one("Stage")
    limits = {
        str(entry["routeKey"]): (entry["throttlingRateLimit"], entry["throttlingBurstLimit"])
        for entry in declared.parts("routeSettings")
    }
    is_open = {route.text("routeKey") for route in stack.all("Route") if route.inputs.get("authorizerId") is None}

    assert is_open == set(limits) == {"GET /health"}
    assert set(limits.values()) == {(5, 10)}


def test_the_throttle_of_open_routes_is_a_setting() -> None:
    (entry,) = (
        declare("dev", overrides={"apiOpenThrottleRate": 1, "apiOpenThrottleBurst": 2})
        .one("Stage")
        .parts("routeSettings")
    )

    assert (entry["throttlingRateLimit"], entry["throttlingBurstLimit"]) == (1, 2)


def test_concurrency_is_reserved_for_the_api_alone_and_only_if_asked_for(stack: DeclaredStack) -> None:
    def reserved(declared: DeclaredStack) -> dict[str, object]:
        return {
            function.name.rpartition("-")[2]: function.inputs.get("reservedConcurrentExecutions")
            for function in declared.all("Function")
        }

    assert reserved(stack) == {"ingest": None, "api": None, "reconcile": None}
    asked = declare("prod", overrides={"apiReservedConcurrency": 50, "deliveryEndpoint": "https://example.com/"})
    assert reserved(asked) == {"ingest": None, "api": 50, "reconcile": None, "forward": None, "delivery": None}


def test_access_logs_say_who_asked_what_and_what_was_answered(stack: DeclaredStack) -> None:
    logs = stack.one("Stage").part("accessLogSettings")
    group = stack.one("LogGroup", "-access-logs")
    form = logs["format"]
    assert isinstance(form, str)

    assert json.loads(form) == {
        "requestId": "$context.requestId",
        "ip": "$context.identity.sourceIp",
        "time": "$context.requestTime",
        "method": "$context.httpMethod",
        "route": "$context.routeKey",
        "status": "$context.status",
        "protocol": "$context.protocol",
        "length": "$context.responseLength",
        "error": "$context.error.message",
        "integrationError": "$context.integrationErrorMessage",
    }
    assert group.text("name") == f"/aws/vendedlogs/file-pipeline-{stack.stage}-api-access"
    assert group.number("retentionInDays") == {"dev": 7, "prod": 365}[stack.stage]


def test_browsers_may_call_from_anywhere_in_dev_and_from_nowhere_in_prod(
    dev: DeclaredStack, prod: DeclaredStack
) -> None:
    cors = dev.one("Api").part("corsConfiguration")

    assert cors["allowOrigins"] == ["*"]
    assert cors["allowMethods"] == ["GET", "POST", "PUT", "DELETE"]
    assert {"Authorization", "Content-Type", "X-Api-Key"} <= set(texts(cors["allowHeaders"]))
    assert cors["maxAge"] == 3600
    assert prod.one("Api").inputs.get("corsConfiguration") is None


def test_browsers_may_call_from_configured_origins() -> None:
    origin = "https://app.example.com"
    configured = declare("prod", overrides={"apiCorsOrigins": [origin]})

    assert configured.one("Api").part("corsConfiguration")["allowOrigins"] == [origin]


def test_the_pool_is_as_strict_as_its_stage(stack: DeclaredStack) -> None:
    pool = stack.one("UserPool")
    production = stack.stage == "prod"

    assert pool.inputs["aliasAttributes"] == pool.inputs["autoVerifiedAttributes"] == ["email"]
    assert pool.part("passwordPolicy") == {
        "minimumLength": 12 if production else 8,
        "requireLowercase": True,
        "requireUppercase": True,
        "requireNumbers": True,
        "requireSymbols": True,
        "temporaryPasswordValidityDays": 3,
    }
    assert pool.part("accountRecoverySetting") == {"recoveryMechanisms": [{"name": "verified_email", "priority": 1}]}
    assert pool.part("adminCreateUserConfig") == {"allowAdminCreateUserOnly": production}
    assert pool.inputs.get("userPoolAddOns") == ({"advancedSecurityMode": "AUDIT"} if production else None)
    assert len(stack.all("RiskConfiguration")) == (1 if production else 0)
    assert pool.text("userPoolTier") == ("PLUS" if production else "ESSENTIALS")
    assert pool.text("deletionProtection") == ("ACTIVE" if production else "INACTIVE")
    assert (pool.protect, pool.retain_on_delete) == (production, production)


RANGES = ["203.0.113.0/24", "2001:db8::/32"]


@pytest.mark.parametrize(("mode", "action"), [("audit", "NO_ACTION"), ("enforced", "BLOCK")])
def test_threat_protection_blocks_only_where_it_is_enforced(mode: str, action: str) -> None:
    """Programs sign in again and again, from anywhere, and that may look like an attack: to be audited first."""
    declared = declare("prod", overrides={"threatProtection": mode})
    pool, risk = declared.one("UserPool"), declared.one("RiskConfiguration")

    assert pool.part("userPoolAddOns") == {"advancedSecurityMode": mode.upper()}
    assert pool.text("userPoolTier") == "PLUS"
    assert risk.text("userPoolId") == pool.name
    assert risk.part("compromisedCredentialsRiskConfiguration") == {"actions": {"eventAction": action}}
    assert risk.part("accountTakeoverRiskConfiguration") == {
        "actions": {level: {"eventAction": action, "notify": False} for level in ("highAction", "mediumAction")}
    }
    assert risk.inputs.get("riskExceptionConfiguration") is None
    assert risk.retain_on_delete, "the pool outlives the stack, and so does this"


@pytest.mark.parametrize("mode", ["audit", "enforced"])
def test_threat_protection_skips_the_addresses_that_config_names(mode: str) -> None:
    overrides = {"threatProtection": mode, "threatProtectionSkippedRanges": RANGES}
    risk = declare("prod", overrides=overrides).one("RiskConfiguration")

    assert risk.part("riskExceptionConfiguration") == {"skippedIpRangeLists": RANGES}


def test_threat_protection_that_is_off_costs_nothing() -> None:
    declared = declare("prod", overrides={"threatProtection": "off"})

    assert declared.one("UserPool").text("userPoolTier") == "ESSENTIALS"
    assert declared.one("UserPool").inputs.get("userPoolAddOns") is None
    assert not declared.all("RiskConfiguration")


def test_the_client_has_no_secret_and_short_tokens(stack: DeclaredStack) -> None:
    client = stack.one("UserPoolClient")

    assert client.inputs["generateSecret"] is False
    assert set(texts(client.inputs["explicitAuthFlows"])) == {
        *("ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")
    }
    validity = [client.number(f"{kind}Validity") for kind in ("accessToken", "idToken", "refreshToken")]
    assert validity == [60, 60, 30]
    assert client.part("tokenValidityUnits") == {"accessToken": "minutes", "idToken": "minutes", "refreshToken": "days"}
    assert client.text("preventUserExistenceErrors") == "ENABLED"


def test_how_long_tokens_and_temporary_passwords_are_valid_are_settings() -> None:
    declared = declare("dev", overrides={"tokenMinutes": 5, "refreshTokenDays": 1, "temporaryPasswordDays": 7})
    client = declared.one("UserPoolClient")

    validity = [client.number(f"{kind}Validity") for kind in ("accessToken", "idToken", "refreshToken")]
    assert validity == [5, 5, 1]
    assert declared.one("UserPool").part("passwordPolicy")["temporaryPasswordValidityDays"] == 7


def test_groups(stack: DeclaredStack) -> None:
    assert {group.text("name") for group in stack.all("UserGroup")} == {"readers", "writers"}


def test_a_test_user_in_dev_alone_and_its_password_nowhere_in_clear(dev: DeclaredStack, prod: DeclaredStack) -> None:
    user = dev.one("User")

    assert USER_PASSWORD in str(user.inputs["password"])
    assert "4dabf18193072939515e22adb298388d" in str(user.inputs["password"]), "not marked as a secret"
    for resource in dev.resources:
        if resource.urn != user.urn:
            assert USER_PASSWORD not in str(resource.inputs), resource.name
    assert "password" in user.ignore_changes
    assert dev.one("UserInGroup").text("groupName") == "writers"
    assert not prod.all("User")
    assert "testUserPassword" not in prod.outputs


def test_a_test_user_is_refused_where_data_is_kept() -> None:
    with pytest.raises(SettingsError, match="testUser = true: only in a stage that keeps no data"):
        declare("prod", overrides={"testUser": True})


def test_an_origin_with_a_wildcard_in_it_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"apiCorsOrigins\[0\].*an HTTP API knows no"):
        declare("dev", overrides={"apiCorsOrigins": ["https://*.example.com"]})


def test_the_api_role_may_do_exactly_this(stack: DeclaredStack) -> None:
    prefix = f"file-pipeline-{stack.stage}"
    bucket = f"arn:aws:s3:::{prefix}-landing"
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:{prefix}-catalog-table"
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:{prefix}-encryption-key"
    logs = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:/aws/lambda/{prefix}-api:log-stream:*"
    statements = stack.one("RolePolicy", "-api-policy").statements()

    granted = {sid: (set(texts(s["Action"])), set(texts(s["Resource"]))) for sid, s in statements.items()}

    assert granted == {
        "ReadCatalogItems": (
            {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"},
            {table, f"{table}/index/by-bucket", f"{table}/index/by-status"},
        ),
        "PutOwnItems": ({"dynamodb:PutItem"}, {table}),
        "PublishApiResults": (
            {"s3:PutObject"},
            {f"{bucket}/{prefix}/record_type=*/day=*/api-*" for prefix in ("processed", "rejected")},
        ),
        "SignUploads": ({"s3:PutObject"}, {f"{bucket}/uploads/*"}),
        "SignRejects": ({"s3:GetObject"}, {f"{bucket}/rejected/*"}),
        "UseKey": ({"kms:Decrypt", "kms:GenerateDataKey"}, {key}),
        "WriteLogs": ({"logs:CreateLogStream", "logs:PutLogEvents"}, {logs}),
        "SendTraces": ({"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, {"*"}),
    }
    assert statements["PutOwnItems"]["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["api/*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
