"""What the commands say to wrong words: one line, a code, no trace, and nothing started."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import demo
from services.cli.__main__ import app, main
from shared.stack import free_port

RUNNER = CliRunner()
COMMANDS = (
    "up",
    "config",
    "doctor",
    "generate",
    "demo",
    "status",
    "watch",
    "cancel",
    "pause",
    "fork",
    "resume",
    "show",
    "entries",
)


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command line answers on stderr; it must fail with exit code 1."""
    monkeypatch.setattr(sys, "argv", ["gristmill", *words])
    with pytest.raises(SystemExit) as exited:
        main()
    assert exited.value.code == 1
    return capsys.readouterr().err


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_an_example(command: str) -> None:
    result = RUNNER.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"  gristmill {command}" in result.output.partition("Examples:")[2]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["generate", "nothing.md"], "nothing.md does not exist. [file_not_found]"),
        (["generate", "."], ". is a folder: name its files, for example ./* [not_a_file]"),
        (["demo", "nothing.md"], "nothing.md does not exist. [file_not_found]"),
        (
            ["generate", "here.md", "--prompt", "nothing.txt"],
            "nothing.txt cannot be used as a prompt: No such file or directory. [prompt_unreadable]",
        ),
        (
            ["status"],
            "Nothing runs on .gristmill: start `gristmill up --data .gristmill`, or give --url. [nothing_runs]",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line_with_a_code(
    words: list[str],
    answer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "here.md").write_text("# Here")
    assert said(monkeypatch, capsys, *words) == f"gristmill: {answer}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["here.md"]


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["watch", "j1"],
        ["cancel", "j1"],
        ["pause", "j1"],
        ["fork", "j1"],
        ["resume", "j1"],
        ["show", "e1"],
        ["entries", "d1"],
        ["generate", "here.md"],
    ],
)
def test_a_gateway_that_does_not_answer_is_named(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "here.md").write_text("# Here")
    url = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    answer = said(monkeypatch, capsys, *words, "--url", url)
    assert (
        answer
        == f"gristmill: No gateway answers at {url} (connection refused). [gateway_unreachable]\n"
    )


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["generate", "a.md", "--entries", "-1"], "--entries"),
        (["generate", "a.md", "--entries", "0"], "--entries"),
        (["generate", "a.md", "--concurrency", "0"], "--concurrency"),
        (["generate", "a.md", "--mode", "poems"], "--mode"),
        (["generate", "a.md", "--context", "all"], "--context"),
        (["generate", "a.md", "--temperature", "3"], "--temperature"),
        (["generate"], "FILE"),
        (["entries", "d1", "--reason", "ugly"], "--reason"),
        (["entries", "d1", "--surplus", "--rejected"], "--surplus"),
        (["watch"], "JOB"),
    ],
)
def test_options_out_of_their_limits_are_refused_by_name(words: list[str], named: str) -> None:
    result = RUNNER.invoke(app, words)
    assert result.exit_code == 2
    assert named in result.output.partition("Error:")[2]


def test_a_prompt_must_be_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.md").write_text("# A")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").write_text(" \n")
    for name, why in (("binary", "it is not UTF-8 text"), ("empty", "it is empty")):
        answer = said(monkeypatch, capsys, "generate", "a.md", "--prompt", name)
        assert f"{name} cannot be used as a prompt: {why}. [prompt_unreadable]" in answer


def test_the_demo_outside_a_checkout_asks_for_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        demo, "__file__", str(tmp_path / "site-packages" / "services" / "cli" / "demo.py")
    )
    answer = said(monkeypatch, capsys, "demo")
    assert answer.endswith("[no_demo_documents]\n")
    assert "demo paper.pdf notes.md" in answer


def test_the_demo_documents_of_a_checkout_are_of_five_formats() -> None:
    found = {path.suffix for path in demo.documents_of_the_checkout()}
    assert {".pdf", ".docx", ".html", ".md", ".txt"} <= found
