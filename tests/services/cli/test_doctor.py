"""The doctor's findings, by state of the machine; and the settings as they are printed."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import checkup
from services.cli.__main__ import app
from services.cli.checkup import Finding
from shared.settings import Settings, load_settings
from shared.stack import free_port

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRISTMILL_CONFIG", "")  # --config sets it; it is as before afterwards


@pytest.fixture
def listing() -> Iterator[str]:
    """A server that lists one model to those who have the key."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("authorization") == "Bearer right"
            self.send_response(200 if known else 401)
            self.end_headers()
            self.wfile.write(b'{"data": [{"id": "small"}]}' if known else b"{}")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def asked_of(settings: Settings) -> list[Finding]:
    async def look() -> list[Finding]:
        return [each async for each in checkup.models(settings)]

    return asyncio.run(look())


def test_on_a_sound_machine_nothing_is_to_be_mended_and_nothing_is_made(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["doctor", "--json"])
    found = {line["what"]: line for line in map(json.loads, result.output.splitlines())}
    assert result.exit_code == 0, result.output
    assert found["postgres"]["detail"].startswith("postgres (PostgreSQL)")
    assert found["nats-server"]["level"] == "ok"
    assert found["data folder"]["detail"].endswith("`up` makes it")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_is_the_first_thing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRISTMILL_PROT", "1")
    result = RUNNER.invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "did you mean GRISTMILL_PORT" in result.output.splitlines()[0]


def test_secrets_that_others_can_read_must_be_mended(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{}")
    (tmp_path / "secrets.json").chmod(0o644)
    assert "fail" in {each.level for each in checkup.machine(tmp_path)}
    (tmp_path / "secrets.json").chmod(0o600)
    assert "fail" not in {each.level for each in checkup.machine(tmp_path)}


@pytest.mark.parametrize(
    ("model", "key", "level", "words"),
    [
        ("openai/small", "right", "ok", "lists 1 models"),
        ("openai/large", "right", "warn", "does not list large"),
        ("openai/small", "wrong", "fail", "refuses the key"),
    ],
)
def test_the_model_server_is_asked_what_it_has(
    listing: str, model: str, key: str, level: str, words: str
) -> None:
    settings = load_settings(default_model=model, openai_base_url=listing, openai_api_key=key)
    finding = asked_of(settings)[-1]
    assert (finding.level, finding.what) == (level, "model server")
    assert words in finding.detail
    assert key not in finding.detail


def test_a_model_server_that_is_away_is_named() -> None:
    port = free_port()
    settings = load_settings(
        default_model="openai/small", openai_base_url=f"http://127.0.0.1:{port}/v1"
    )
    finding = asked_of(settings)[-1]
    assert (finding.level, finding.detail.split(":")[0]) == ("fail", "127.0.0.1")


def test_a_default_model_of_nobody_is_named() -> None:
    finding = asked_of(load_settings(default_model="nobody/x"))[-1]
    assert finding.level == "fail"
    assert "no provider nobody" in finding.detail


def test_the_settings_are_printed_with_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text("beat: 1\nopenai_api_key: hidden\n")
    monkeypatch.setenv("GRISTMILL_TENANT", "canals")
    result = RUNNER.invoke(app, ["config", "--config", "mine.yaml", "--port", "9000", "--json"])
    found = {line["setting"]: line for line in map(json.loads, result.output.splitlines())}
    assert {name: (found[name]["value"], found[name]["origin"]) for name in found} | {
        "beat": ("1", "file"),
        "openai_api_key": ("********", "file"),
        "tenant": ("canals", "environment"),
        "port": ("9000", "flag"),
        "ack_wait": ("10", "default"),
    } == {name: (found[name]["value"], found[name]["origin"]) for name in found}
    assert "hidden" not in result.output
    page = RUNNER.invoke(app, ["config", "--config", "mine.yaml"]).output
    assert "mine.yaml holds settings" in page
