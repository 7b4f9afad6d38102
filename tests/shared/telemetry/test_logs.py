"""Log lines: one JSON object each, with what is being worked on, and neither secrets nor texts."""

import io
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator

import orjson
import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from shared.settings import Settings
from shared.telemetry import scope, traces
from shared.telemetry.logs import Lines, plain
from shared.telemetry.masking import MASK, Mask, secrets_of

SETTINGS = Settings.model_validate(
    {
        "nats_url": SecretStr("nats://ledger:sw0rdfish@127.0.0.1:4222"),
        "database_url": SecretStr("postgresql://ledger:hun%40ter2@127.0.0.1/gristmill"),
        "openai_api_key": SecretStr("sk-very-secret"),
    }
)
Read = Callable[[], dict[str, object]]


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, Read]]:
    """A logger of this test's own, and what it wrote last."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines("ledger", "json", Mask(secrets_of(SETTINGS))))
    logger = logging.getLogger("test.telemetry")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)

    def read() -> dict[str, object]:
        [line] = stream.getvalue().splitlines()
        found: dict[str, object] = orjson.loads(line)
        return found

    yield logger, read
    logger.removeHandler(handler)


def test_a_line_says_who_speaks_and_what_is_being_worked_on(
    log: tuple[logging.Logger, Read],
) -> None:
    logger, read = log
    context = traces.Context(1, 2, sampled=False)
    with scope.bound(job="j", stream="s", event="EntriesGenerated", command="C", unit="u", x=None):
        traces.enter(context)
        logger.info("recorded %d", 3)
        traces.enter(None)
    line = read()
    assert list(line) == [
        "time", "level", "service", "message", "job", "stream", "event", "command", "unit",
        "trace", "span", "logger",
    ]  # fmt: skip
    assert line["message"] == "recorded 3"
    assert (line["service"], line["event"], line["level"]) == ("ledger", "EntriesGenerated", "info")
    assert line["trace"] == f"{1:032x}"


def test_an_exception_is_part_of_its_line_with_the_places_it_came_through(
    log: tuple[logging.Logger, Read],
) -> None:
    logger, read = log
    cause = OSError("gone")
    with pytest.raises(LookupError) as caught:
        raise LookupError("several\nlines of DETAIL") from cause
    logger.error("failed", exc_info=caught.value)
    told = str(read()["exception"])
    assert "OSError: gone" in told
    assert "LookupError: several" in told
    assert "DETAIL" not in told
    assert "test_logs.py:" in told


def test_an_exception_does_not_repeat_the_text_it_failed_on(
    log: tuple[logging.Logger, Read],
) -> None:
    class Entry(BaseModel):
        answer: int

    logger, read = log
    try:
        Entry.model_validate({"answer": "the whole answer of a model"})
    except ValidationError:
        logger.exception("unreadable")
    line = read()
    assert "the whole answer" not in str(line)
    assert "answer: int_parsing" in str(line["exception"])


@pytest.mark.parametrize(
    "said",
    [
        "cannot reach nats://ledger:sw0rdfish@127.0.0.1:4222",
        "cannot reach postgresql://ledger:hun%40ter2@127.0.0.1/gristmill",
        "http://someone:else@example.org answers 401",
        "headers {'Authorization': 'Bearer abc.def.ghi'}",
        "Authorization: Basic dXNlcjpwYXNz",
        "sent X-API-Key: abcdef12345",
        "Bearer abc.def.ghi was refused",
        "the key sk-very-secret is wrong",
        "auth failed for sw0rdfish",
    ],
)
def test_no_secret_gets_into_a_line(said: str, log: tuple[logging.Logger, Read]) -> None:
    logger, read = log
    logger.warning(said)
    line = str(read())
    assert MASK in line
    for secret in (
        "sw0rdfish", "hun%40ter2", "sk-very-secret", "else@", "abc.def", "dXNlcj", "abcdef12345",
    ):  # fmt: skip
        assert secret not in line


def test_a_field_with_a_secret_s_name_is_masked_and_a_count_of_tokens_is_not() -> None:
    mask = Mask()
    assert mask.value("api_key", "x") == MASK
    assert mask.value("headers", {"x-api-key": "x", "accept": "y"}) == {
        "x-api-key": MASK,
        "accept": "y",
    }
    assert mask.value("prompt_tokens", 7) == 7


def test_words_for_a_terminal_say_the_same() -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, "key sk-very-secret", (), None)
    shown = Lines("gateway", "console", Mask(secrets_of(SETTINGS))).format(record)
    assert "warning" in shown
    assert f"key {MASK}" in shown
    assert "gateway" in shown
    assert not shown.startswith("{")


def test_the_end_of_a_log_is_shown_in_words() -> None:
    line = '{"level":"critical","service":"x","message":"No. [code]","exception":"a\\nb"}'
    assert plain(line) == "critical: No. [code]\na\nb"
    assert plain("{not json") == "{not json"
    assert plain("as it is") == "as it is"


PROCESS = """
import asyncio, logging, warnings
from shared.process import run_until_stopped
from shared.errors import GristmillError
async def main(stop):
    logging.getLogger("nats").error("a library speaks")
    warnings.warn("deprecated")
    {end}
run_until_stopped("export", main)
"""


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("raise GristmillError('code', 'It cannot be.')", "It cannot be. [code]"),
        ("raise TypeError('a bug')", "the process ends: TypeError"),
    ],
)
def test_whatever_a_process_says_is_json_to_its_last_word(end: str, last: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROCESS.format(end=end)], capture_output=True, check=False, text=True
    )
    lines = [orjson.loads(line) for line in done.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["error", "warning", "critical"]
    assert lines[-1]["message"] == last
    assert {line["service"] for line in lines} == {"export"}
    assert done.returncode == 1
