"""The list of failpoints and the calls agree, and only the environment of a process arms one."""

import ast
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import failpoints
from shared.errors import GristmillError
from shared.failpoints import NAMES, VARIABLE

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os
from shared import failpoints
failpoints.arm(os.environ)
for _ in range(3):
    failpoints.failpoint("worker.beat")
    print("passed", flush=True)
"""


def calls_of(name: str) -> Iterator[ast.Call]:
    for folder in ("contracts", "shared", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text()
            if name not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
                    yield node


def test_every_failpoint_that_is_listed_is_called_and_every_call_is_listed() -> None:
    called = Counter(ast.literal_eval(call.args[0]) for call in calls_of("failpoint"))
    assert sorted(called) == sorted(NAMES)
    assert len(set(NAMES)) == len(NAMES)


def test_failpoints_are_armed_in_one_place_and_from_the_environment() -> None:
    (only,) = calls_of("arm")
    assert ast.unparse(only) == "failpoints.arm(os.environ)"
    assert "failpoint" not in (ROOT / "shared" / "settings.py").read_text()


@pytest.mark.parametrize(
    "said",
    [
        "nowhere",
        "worker.beat:0",
        "worker.beat:x",
        "worker.beat=explode",
        "worker.beat,",
        "worker.beat:",
    ],
)
def test_what_is_no_failpoint_is_refused(said: str) -> None:
    with pytest.raises(GristmillError, match=r"is no failpoint.*relay\.events_read") as refused:
        failpoints.arm({VARIABLE: said})
    assert refused.value.code == "failpoint_unknown"
    assert failpoints._armed is None


def test_a_service_that_is_started_with_an_unknown_failpoint_says_so_in_one_line() -> None:
    for service in ("ledger", "gateway", "chunk"):
        ended = ran(f"services.{service}", "recorder.comitted")
        assert ended.returncode == 1
        assert ended.stderr.count("\n") == 1, ended.stderr
        assert f"{service}: {VARIABLE}: 'recorder.comitted' is no failpoint" in ended.stderr


def test_a_process_dies_at_its_point_at_the_time_that_was_asked_for() -> None:
    ended = ran(None, "worker.beat:2")
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout == "passed\n"
    assert ended.stderr == "failpoint worker.beat: kill\n"


def test_a_process_that_is_to_raise_fails_once() -> None:
    ended = ran(None, "worker.said,worker.beat:3=raise")
    assert ended.returncode == 1
    assert ended.stdout == "passed\npassed\n"
    assert ended.stderr.endswith("shared.failpoints.Failed: worker.beat\n")


def test_nothing_happens_where_nothing_is_armed() -> None:
    for said in (None, "", "worker.said"):
        ended = ran(None, said)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "passed\n" * 3, "")


def ran(module: str | None, said: str | None) -> "subprocess.CompletedProcess[str]":
    what = ("-c", PROGRAM) if module is None else ("-m", module)
    environ = {} if said is None else {VARIABLE: said}
    return subprocess.run(
        [sys.executable, *what], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
