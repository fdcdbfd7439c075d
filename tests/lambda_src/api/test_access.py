"""Who may do what, and what is answered where nothing works."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.settings import WrongEnvironmentError
from shared.version import VERSION
from tests.declared_stack import DeclaredStack
from tests.lambda_src.api.conftest import HandlerClient
from tests.lambda_src.conftest import Calls, declared_environment, import_function

RECORD = {"data": {"shipment_id": "a", "status": "b", "timestamp": "2026-11-20T08:15:00Z"}}
POSTS = [("/validate", RECORD), ("/process", RECORD), ("/uploads", {"name": "a.csv"})]


def test_health_is_open_and_says_service_and_version(api: HandlerClient) -> None:
    event = api.event("GET", "/health")
    del event["requestContext"]["authorizer"]  # type: ignore[attr-defined]

    answer = api.answer(event)

    assert (answer.status, answer.body) == (200, {"service": "api", "version": VERSION, "status": "ok"})


@pytest.mark.parametrize("groups", ["[readers]", "[writers]", "[auditors readers]"])
def test_readers_and_writers_may_ask(api: HandlerClient, groups: str) -> None:
    api.groups = groups

    assert api.get("/files").status == 200


@pytest.mark.parametrize("groups", ["[writers]", "[readers writers]"])
@pytest.mark.parametrize(("path", "body"), POSTS)
def test_writers_may_send(api: HandlerClient, groups: str, path: str, body: object) -> None:
    api.groups = groups

    assert api.post(path, body).status == 200


@pytest.mark.parametrize("groups", ["[readers]", "[writers-of-books]", "[x,writers]", "[[writers]]", "[]", None])
@pytest.mark.parametrize(("path", "body"), POSTS)
def test_others_may_not_send(api: HandlerClient, groups: str | None, path: str, body: object) -> None:
    api.groups = groups

    answer = api.post(path, body)

    assert (answer.status, answer.body["code"]) == (403, "forbidden")
    assert "'writers'" in str(answer.body["message"])


@pytest.mark.parametrize("groups", ["[auditors]", "[]", None])
@pytest.mark.parametrize("path", ["/files", "/files/some-id"])
def test_users_without_a_group_may_not_ask(api: HandlerClient, groups: str | None, path: str) -> None:
    api.groups = groups

    assert api.get(path).status == 403


@pytest.mark.parametrize("scope", ["files/read", "files/write", "other/read files/read"])
def test_programs_with_a_scope_may_ask(api: HandlerClient, scope: str) -> None:
    api.groups, api.scope, api.is_program = None, scope, True

    assert api.get("/files").status == 200


@pytest.mark.parametrize("scope", ["files/write", "files/read files/write"])
@pytest.mark.parametrize(("path", "body"), POSTS)
def test_programs_with_the_scope_to_write_may_send(api: HandlerClient, scope: str, path: str, body: object) -> None:
    api.groups, api.scope, api.is_program = None, scope, True

    assert api.post(path, body).status == 200


@pytest.mark.parametrize(
    "scope", ["files/read", "", "writers", "files/write-all", "files/", "aws.cognito.signin.user.admin"]
)
def test_other_scopes_may_not_send(api: HandlerClient, scope: str) -> None:
    api.groups, api.scope, api.is_program = None, scope, True

    answer = api.post(*POSTS[0])

    assert answer.status == 403
    assert "or a program with the scope 'files/write'" in str(answer.body["message"])


def test_a_scope_is_no_group_and_a_group_no_scope(api: HandlerClient) -> None:
    api.groups, api.scope = "[files/read]", "readers"

    assert api.get("/files").status == 403


def test_without_the_authorizer_nothing_is_open(api: HandlerClient) -> None:
    event = api.event("GET", "/files")
    del event["requestContext"]["authorizer"]  # type: ignore[attr-defined]

    answer = api.answer(event)

    assert (answer.status, answer.body["code"]) == (401, "unauthorized")


def test_only_health_itself_is_open(api: HandlerClient) -> None:
    event = {**api.event("GET", "/files"), "routeKey": "GET /health"}
    api.groups = None
    del event["requestContext"]["authorizer"]  # type: ignore[attr-defined]

    assert api.answer(event).status == 401


def test_a_route_that_is_not_there(api: HandlerClient) -> None:
    answer = api.get("/secrets")

    assert (answer.status, answer.body["code"]) == (404, "not_found")
    assert answer.body["request_id"] == "JKJaXmPLvHcESHA="


def test_aws_that_fails_for_now_is_a_503_that_tells_nothing(api: HandlerClient, calls: Calls) -> None:
    calls.fail("Query", "ThrottlingException")

    answer = api.get("/files")

    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert "injected" not in str(answer.body)


def test_what_aws_refuses_for_good_is_not_said_to_pass(api: HandlerClient, calls: Calls) -> None:
    calls.fail("Query", "ValidationException")

    assert api.get("/files").status == 500


def test_a_mistake_of_ours_is_a_500_that_tells_nothing(
    api: HandlerClient, calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    calls.faults["Query"] = [KeyError("/var/task/secret.py")]

    answer = api.get("/files")

    assert (answer.status, answer.body["code"]) == (500, "internal_error")
    assert "secret" not in str(answer.body)
    assert "secret.py" in caplog.text, "not logged"


def test_tokens_are_not_logged(
    api: HandlerClient, calls: Calls, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    calls.faults["Query"] = [KeyError()]
    api.get("/files")
    api.post("/validate", {"data": 1})

    logged = caplog.text + capsys.readouterr().out
    assert "request failed" in logged
    assert "eyJraWQ" not in logged


@given(
    method=st.sampled_from(["GET", "POST"]),
    path=st.sampled_from(["/validate", "/process", "/uploads", "/files", "/files/x", "/health"]),
    body=st.one_of(st.none(), st.text(max_size=40), st.binary(max_size=40)),
    query=st.dictionaries(
        st.sampled_from(["status", "day", "limit", "cursor", "version_id", "x"]), st.text(max_size=9), max_size=3
    ),
    headers=st.dictionaries(st.sampled_from(["Content_Type", "Idempotency_Key"]), st.text(max_size=9), max_size=2),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_no_request_breaks_it(
    api: HandlerClient,
    method: str,
    path: str,
    body: str | bytes | None,
    query: dict[str, str],
    headers: dict[str, str],
) -> None:
    event = api.event(method, path, body=body, headers=headers)
    event["queryStringParameters"] = query

    answer = api.answer(event)

    assert answer.status < 500, answer
    if answer.status >= 400:
        assert set(answer.body) == {"code", "message", "request_id", "errors"}


def test_what_the_stack_sets_on_the_function_is_checked_when_it_starts(
    api: HandlerClient, dev: DeclaredStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when a route first needs it: a release that lacks it must not serve at all."""
    del api  # with all of it the function starts
    for name in declared_environment(dev, "api"):
        with monkeypatch.context() as without:
            without.delenv(name)
            with pytest.raises(WrongEnvironmentError, match=rf"environment variable {name} is missing"):
                import_function("api")


@pytest.mark.parametrize("group", ["Content writers", "not writers at all"])
@pytest.mark.parametrize(("path", "body"), POSTS)
def test_a_word_in_a_groups_name_is_no_group(api: HandlerClient, group: str, path: str, body: object) -> None:
    api.groups, api.listed = f"[{group}]", [group]

    assert api.post(path, body).status == 403


@pytest.mark.parametrize(("groups", "name"), [("[interns]", "jane"), (None, "jane"), ("[interns]", None)])
def test_a_users_token_has_the_programs_scopes_and_they_count_for_nothing(
    api: HandlerClient, groups: str | None, name: str | None
) -> None:
    api.groups, api.scope, api.is_program = groups, "openid files/write", name is None

    assert api.get("/files").status == 403
