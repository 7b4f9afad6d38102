"""The embedded servers: real, kept, private, and gone with the process that started them."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import nats
import psutil
import pytest

from shared.errors import GristmillError, Refused
from shared.stack import Database, Guard, Nats, Running, jetstream, start
from shared.stack.folder import NATS_USERS, passwords, write
from shared.stack.postgres import displace, serves, start_postgres

Until = Callable[..., Awaitable[None]]


async def answer(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


def runs(pid: int) -> bool:
    """A process that nobody has reaped yet runs no more."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A data folder below one that everybody may enter; pytest's own are private to the user."""
    folder = Path(tempfile.mkdtemp(prefix="gristmill-test-"))
    folder.chmod(0o711)
    yield folder / "data"
    shutil.rmtree(folder)


async def test_a_second_start_on_a_folder_continues(open_folder: Path) -> None:
    async with start(open_folder, durable=False) as first:
        login = first.database_url("gateway").split("@")[0]
        bus = await nats.connect(first.nats_url("operator"))
        await bus.jetstream().add_stream(name="KEPT", subjects=["kept"])
        await bus.jetstream().publish("kept", b"said before")
        await bus.close()
        admin = await asyncpg.connect(first.admin_url)
        await admin.execute("CREATE TABLE kept AS SELECT 7 AS n")
        await admin.close()

    async with start(open_folder, durable=False) as second:
        assert second.database_url("gateway").split("@")[0] == login
        bus = await nats.connect(second.nats_url("operator"))
        kept = await bus.jetstream().get_msg("KEPT", seq=1)
        await bus.close()
        admin = await asyncpg.connect(second.admin_url)
        assert await admin.fetchval("SELECT n FROM kept") == 7
        await admin.close()
    assert kept.data == b"said before"


async def test_streams_from_before_the_account_had_a_name_are_taken_over(
    tmp_path: Path, stack: Running
) -> None:
    words = dict.fromkeys(NATS_USERS, "word")
    server = await jetstream.start_nats(tmp_path, tmp_path, words, stack.guard, durable=False)
    bus = await nats.connect(server.url("operator"))
    await bus.jetstream().add_stream(name="KEPT", subjects=["kept"])
    await bus.jetstream().publish("kept", b"said before")
    await bus.close()
    await server.stop()
    kept = tmp_path / "store" / "jetstream"
    (kept / "MILL").rename(kept / "$G")

    server = await jetstream.start_nats(tmp_path, tmp_path, words, stack.guard, durable=False)
    bus = await nats.connect(server.url("operator"))
    assert (await bus.jetstream().get_msg("KEPT", seq=1)).data == b"said before"
    await bus.close()
    await server.stop()
    assert not (kept / "$G").exists()


async def test_a_folder_in_use_is_refused_and_says_by_whom(stack: Running) -> None:
    with pytest.raises(Refused) as refusal:
        async with start(stack.data):
            pass
    assert refusal.value.code == "already_running"
    assert str(os.getpid()) in refusal.value.message


async def test_a_killed_nats_comes_back_on_its_port_with_what_it_had(
    fresh_nats: Nats, until: Until
) -> None:
    url, pid = fresh_nats.url("operator"), fresh_nats.pid
    bus = await nats.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=0.02)
    await bus.jetstream().add_stream(name="KEPT", subjects=["kept"])
    await bus.jetstream().publish("kept", b"said before")

    os.kill(pid, signal.SIGKILL)
    await until(lambda: fresh_nats.pid != pid and bus.is_connected)

    assert fresh_nats.url("operator") == url
    assert (await bus.jetstream().get_msg("KEPT", seq=1)).data == b"said before"
    await bus.close()


async def test_a_killed_postgres_comes_back_on_its_port(open_folder: Path, until: Until) -> None:
    async with start(open_folder, durable=False) as running:
        admin = await asyncpg.connect(running.admin_url)
        await admin.execute("CREATE TABLE kept AS SELECT 7 AS n")
        pid = running.pid("postgres")
        os.kill(pid, signal.SIGKILL)
        await until(lambda: running.pid("postgres") != pid)
        await until(lambda: answer(running.admin_url))
        await admin.close()
        admin = await asyncpg.connect(running.admin_url)
        assert await admin.fetchval("SELECT n FROM kept") == 7
        await admin.close()


STARTS_AND_WAITS = """
import asyncio, sys
from pathlib import Path
from shared.stack import start

async def main():
    async with start(Path(sys.argv[1]), durable=False) as running:
        print(running.pid("nats"), running.pid("postgres"), running.guard.pid, flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""


async def test_no_server_outlives_a_killed_parent_and_the_folder_can_be_used_at_once(
    open_folder: Path, until: Until
) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS, str(open_folder)], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    line = await asyncio.to_thread(parent.stdout.readline)
    pids = [int(word) for word in line.split()]
    assert len(pids) == 3
    parent.kill()
    parent.wait()
    parent.stdout.close()

    async with start(open_folder, durable=False) as running:
        assert await answer(running.admin_url)
    await until(lambda: not any(runs(pid) for pid in pids))


async def test_a_stale_record_of_a_dead_server_is_removed_even_if_its_number_lives_again(
    tmp_path: Path,
) -> None:
    record = tmp_path / "postmaster.pid"
    record.write_text(f"{os.getpid()}\n{tmp_path}\n")
    await displace(tmp_path)
    assert not record.exists()
    assert not serves(os.getpid(), tmp_path)


async def test_every_file_with_a_password_is_its_owners_alone(stack: Running) -> None:
    secret = [stack.data / "secrets.json", stack.data / "nats" / "nats.conf"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in secret] == [0o600, 0o600]
    assert stat.S_IMODE((stack.data / "postgres").stat().st_mode) == 0o700
    assert not list((stack.data / "postgres").glob("password*"))


async def test_the_servers_listen_on_loopback_only(stack: Running) -> None:
    for pid in (stack.pid("nats"), stack.pid("postgres")):
        places = [
            place.laddr.ip
            for place in psutil.Process(pid).net_connections("inet")
            if place.status == psutil.CONN_LISTEN
        ]
        assert places == ["127.0.0.1"]


async def test_nobody_gets_in_without_the_password(stack: Running) -> None:
    for role in ("admin", "ledger", "reader", "gateway"):
        good = stack.database_url(role)
        bad = good.replace(good.split("@")[0], f"postgresql://{role}:guess")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(bad)
    operator = stack.nats_url("operator").split("@")[0].rsplit(":", 1)[1]
    assert await jetstream.answers(stack.nats.port, operator)
    assert not await jetstream.answers(stack.nats.port, "guess")


async def test_a_folder_whose_passwords_are_lost_says_so(open_folder: Path) -> None:
    async with start(open_folder, durable=False):
        pass
    (open_folder / "secrets.json").unlink()
    with pytest.raises(GristmillError) as lost:
        async with start(open_folder, durable=False):
            pass
    assert lost.value.code == "secrets_lost"


async def test_passwords_are_kept_and_those_of_new_users_added(tmp_path: Path) -> None:
    first = passwords(tmp_path)
    write(
        tmp_path / "secrets.json",
        first.model_copy(update={"nats": {"ledger": first.nats["ledger"]}}).model_dump_json(),
    )
    second = passwords(tmp_path)
    assert second.nats["ledger"] == first.nats["ledger"]
    assert second.nats["generate"] != first.nats["generate"]
    assert second.postgres == first.postgres


async def test_the_reader_reads_the_ledger_writes_and_the_gateway_makes_its_own_views(
    database: Database,
) -> None:
    reader = await asyncpg.connect(database.url("reader"))
    ledger = await asyncpg.connect(database.url("ledger"))
    gateway = await asyncpg.connect(database.url("gateway"))
    assert await reader.fetchval("SELECT count(*) FROM ledger.events") == 0
    for asker in (reader, gateway):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asker.execute("INSERT INTO ledger.checkpoints VALUES ('mine', 0)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ledger.execute("CREATE SCHEMA mine")
    await ledger.execute("INSERT INTO ledger.checkpoints VALUES ('mine', 0)")
    await gateway.execute("CREATE SCHEMA views_1; CREATE TABLE views_1.jobs (n int)")
    for connection in (reader, ledger, gateway):
        await connection.close()


async def test_each_fresh_database_is_its_own(migrated: Running) -> None:
    one, two = await migrated.fresh_database(), await migrated.fresh_database()
    for database in (one, two):
        ledger = await asyncpg.connect(database.url("ledger"))
        await ledger.execute("INSERT INTO ledger.checkpoints VALUES ('once', 0)")
        await ledger.close()
        await migrated.drop_database(database)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must become somebody else for Postgres")
@pytest.mark.parametrize("way", ["nobody", "unshare", "copy"])
async def test_root_runs_postgres_as_somebody_else(
    open_folder: Path, way: str, stack: Running
) -> None:
    open_folder.mkdir()
    open_folder.chmod(0o711)
    guard = Guard()
    try:
        server = await start_postgres(
            open_folder / "postgres", open_folder, passwords(open_folder).postgres, guard,
            durable=False, only=way,
        )  # fmt: skip
    except Refused as refused:
        pytest.skip(f"this machine does not allow it: {refused.message}")
    else:
        assert await answer(server.database.admin_url)
        # An unshared process is still root's outside, but a plain user in its own eyes.
        assert (psutil.Process(server.pid).uids().real == 0) == (way == "unshare")
        await server.stop()
    finally:
        guard.close()
