"""Error texts of providers, and their effect on the user, the next attempt and the log."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import redis

import logs
from tasks.providers import errors
from tasks.providers.protocol import OutOfService
from tasks.providers.redaction import redacted
from tests.tasks.test_decisions import JOB

pytestmark = pytest.mark.quick


def wordings() -> list[tuple[str, str]]:
    """Every line of `wordings.txt` with the heading above it."""
    found, meaning = [], ""
    for line in Path(__file__).with_name("wordings.txt").read_text().splitlines():
        if line.startswith("# "):
            meaning = line.removeprefix("# ")
        elif line:
            found.append((line, meaning))
    return found


@pytest.mark.parametrize(("text", "meaning"), wordings())
def test_a_text_means(text: str, meaning: str) -> None:
    assert errors.meaning_of(text) == meaning


def test_a_text_without_a_word_means_nothing() -> None:
    assert errors.meaning_of("") == "unknown"
    assert errors.meaning_of("\n. ; !") == "unknown"


def test_a_long_text_is_judged_in_a_moment() -> None:
    """A pattern that backtracks would block a worker's thread; the timeout of the test run would
    end the test.
    """
    for word in ("safety ", "connection ", "version ", "not be ", "queue ", "a", " ", "error: "):
        assert errors.meaning_of(word * 4_000) is not None


@pytest.mark.parametrize(
    ("status", "text", "fields", "code"),
    [
        (401, "Unauthenticated", [], "out of service"),
        (402, "You have insufficient credit to run this model.", [], "out of service"),
        (403, "Forbidden", [], "out of service"),
        (403, "Blocked by content policy", [], "content_rejected"),
        (400, "Billing hard limit has been reached", [], "out of service"),
        (404, "The requested resource could not be found.", [], "gone"),
        (410, "", [], "gone"),
        (
            422,
            "The specified version does not exist (or perhaps you don't have permission to use it?)",
            [],
            "gone",
        ),
        (422, "Invalid version or not permitted", [], "gone"),
        (422, "This model has been disabled", [], "gone"),
        (400, "The model `fox` has been deprecated", [], "gone"),
        (422, "- input.model: version 3 does not exist in enum", ["input.model"], "invalid_input"),
        (422, "- input.prompt: is required", ["input"], "invalid_input"),
        (422, "The prompt was flagged as sensitive", [], "content_rejected"),
        (413, "too large", [], "invalid_input"),
        (409, "Queue is full", [], "provider_unavailable"),
        (409, "conflict", [], "provider_rejected"),
    ],
)
def test_a_refused_start_is(status: int, text: str, fields: list[str], code: str) -> None:
    trouble = errors.refusal(status, text, fields)
    if isinstance(trouble, OutOfService):
        assert code == ("gone" if trouble.is_model_gone else "out of service")
        assert trouble.costs_attempt is False
        assert trouble.reason == f"{status}: {text}"
    else:
        assert trouble.code == code


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (["input.seed"], "The model does not take this value of `seed`."),
        (["input.images.2"], "The model does not take this value of `images`."),
        (["input", "input.aspect_ratio"], "The model does not take this value of `aspect_ratio`."),
        ([], "The model does not take this input."),
        (["input"], "The model does not take this input."),
        (["version"], "The model does not take this input."),
        (["input.<script>"], "The model does not take this input."),
        (["input.a b"], "The model does not take this input."),
        (["input.seed\n"], "The model does not take this input."),
        (["input." + "x" * 41], "The model does not take this input."),
        (["input.caf\u00e9"], "The model does not take this input."),
    ],
)
def test_a_field_is_named_where_its_name_is_plain(fields: list[str], message: str) -> None:
    assert errors.refused_input(fields) == message


PROMPT = "A red fox, seen by Ada Lovelace\nat 12 Fleet Street; the queue is full"
GIVEN = replace(
    JOB,
    request=json.dumps(
        {"prompt": PROMPT, "style": "oil", "seed": 7, "photos": ["u1/holiday.png"], "key": "hunter22"}
    ),
)


@pytest.mark.parametrize(
    "text",
    [
        f"- input.prompt: does not match, given: {PROMPT}",
        f"given: {PROMPT!r}",
        f"given: {json.dumps(PROMPT)}",
        f"given: {PROMPT.upper()}",
        f"given: {PROMPT[:40]}...",
        f"given: ...{PROMPT[20:45]}",
        "could not paint 'seen by Ada Lovelace' at all",
        "no such file u1/holiday.png",
        "the key hunter22 is wrong",
        f"{'x ' * 3000}{PROMPT}",
    ],
)
def test_no_log_has_what_the_job_was_given(text: str) -> None:
    said = redacted(text, GIVEN).casefold()
    for secret in ("lovelace", "fleet", "holiday", "hunter22"):
        assert secret not in said


def test_a_redacted_text_decides_nothing() -> None:
    assert errors.meaning_of(redacted(f"could not paint: {PROMPT}", GIVEN)) == "unknown"
    assert errors.meaning_of(redacted("The queue was long, and Queue is full", JOB)) == "passing"


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abcdef123456",
        "token r8_0123456789abcdef is revoked",
        "Authorization: Bearer abcdef123456",
        "could not fetch https://p.supabase.co/storage/v1/object/sign/a.png?token=abcdef123456",
        "redis://user:abcdef123456@cache:6379/0 refused",
        "eyJhbGciOiJIUzI1NiJ9.abcdef123456.x",
        "data:image/png;base64,abcdef123456== is too large",
    ],
)
def test_no_log_has_a_secret(text: str) -> None:
    assert "abcdef123456" not in logs.describe(RuntimeError(text))


def test_an_error_is_described_with_its_text_and_its_cause() -> None:
    error = RuntimeError("one\ntwo")
    error.__cause__ = redis.ConnectionError("Error 111 connecting to localhost:6379.")
    cause = "ConnectionError: Error 111 connecting to localhost:6379."
    assert logs.describe(error) == f"RuntimeError: one two <- {cause}"
    assert logs.describe(TimeoutError()) == "TimeoutError"
    assert len(logs.describe(ValueError("x" * 10_000))) <= 520
