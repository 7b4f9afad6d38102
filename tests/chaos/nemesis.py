"""Does what a schedule says to a running mill: kills, stops, cuts, fills; undoes what lasts; keeps an account.

Only processes of the tree that it was given are touched, by their ids.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import psutil

from services.cli.tree import Tree
from tests.chaos.facts import Fault
from tests.chaos.proxy import Proxy
from tests.chaos.schedule import Planned

SERVERS = ("nats", "postgres", "model")
NO_ROOM = 1 << 12
"""Bytes that a file may have where the disk is full: small ones can still be written, as on real disks."""
LIMIT = re.compile(r"max_file_store: \S+")
Say = Callable[[str], None]


class Nemesis:
    """``proxies`` by process and server; ``began`` is the run's start, in seconds since the epoch."""

    def __init__(
        self, tree: Tree, proxies: Mapping[tuple[str, str], Proxy], began: float, say: Say
    ) -> None:
        self._tree = tree
        self._proxies = proxies
        self._began = began
        self._say = say
        self._store = tree.stack.data / "nats" / "store"
        self._copy = tree.stack.data / "nats" / "older"
        self._copied_at: float | None = None
        self._lasting: set[asyncio.Task[None]] = set()
        self.faults: list[Fault] = []
        self.counts: Counter[str] = Counter()

    async def run(self, planned: Sequence[Planned]) -> None:
        """Strike when it is time; return when the last fault is over. What was struck and is gone is left out."""
        try:
            for each in planned:
                await asyncio.sleep(max(0.0, self._began + each.at - time.time()))
                self._say(str(each))
                task = asyncio.create_task(self._strike(each))
                self._lasting.add(task)
                if each.kind in ("rollback", "wipe", "nats_full", "nats_kill", "postgres_stop"):
                    await task  # two at once on one server would undo each other
            await asyncio.gather(*self._lasting)
        finally:
            for task in self._lasting:
                task.cancel()
            await asyncio.gather(*self._lasting, return_exceptions=True)
            self.heal()

    def heal(self) -> None:
        """Undo whatever lasts."""
        for proxy in self._proxies.values():
            proxy.heal()
        for name in self._tree.children:
            self._signal(name, signal.SIGCONT)
            self._room(name, None)

    async def _strike(self, planned: Planned) -> None:
        kind, target, at = planned.kind, planned.target, time.time()
        self.counts[kind] += 1
        match kind:
            case "kill":
                self._signal(target, signal.SIGKILL)
                self._record("kill", target, at)
            case "stop":
                await self._stopped(target, planned.seconds)
                self._record("stop", target, at)
            case "nats_kill":
                self._signal("nats", signal.SIGKILL)
                self._record("nats", "nats", at)
            case "postgres_stop":
                self._signal("postgres", signal.SIGQUIT)
                self._record("postgres", "postgres", at)
            case "cut" | "hush" | "slow":
                await self._network(kind, target, planned.seconds)
                self._record("cut", target, at)
            case "blobs_full":
                self._room(target, NO_ROOM)
                await asyncio.sleep(planned.seconds)
                self._room(target, None)
                self._record("full", target, at)
            case "nats_full":
                await self._nats_full(planned.seconds)
                self._record("nats", "nats", at)
            case "rollback" | "wipe":
                await self._lose_store(older=kind == "rollback", at=at)

    def _record(self, kind: str, target: str, at: float, lost_since: float | None = None) -> None:
        self.faults.append(Fault(kind, target, at, time.time(), lost_since))

    def _signal(self, name: str, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._tree.pid(name), number)

    async def _stopped(self, target: str, seconds: float) -> None:
        pid = self._tree.pid(target)
        self._signal(target, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    async def _network(self, kind: str, target: str, seconds: float) -> None:
        process, _, server = target.partition(":")
        proxy = self._proxies[process, server]
        if kind == "cut":
            proxy.cut()
        elif kind == "hush":
            proxy.hush()
        else:
            proxy.slow(0.2)
        try:
            await asyncio.sleep(seconds)
        finally:
            proxy.heal()

    def _room(self, name: str, most: int | None) -> None:
        """The largest file that a process may write from now on; None: any."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self._tree.pid(name))
            hard = process.rlimit(psutil.RLIMIT_FSIZE)[1]
            process.rlimit(psutil.RLIMIT_FSIZE, (hard if most is None else most, hard))

    async def _nats_full(self, seconds: float) -> None:
        """Start the server again with less room than it uses, and once more with all of it."""
        conf = self._tree.stack.data / "nats" / "nats.conf"
        roomy = conf.read_text()
        conf.write_text(LIMIT.sub("max_file_store: 1", roomy))
        try:
            self._signal("nats", signal.SIGKILL)
            await asyncio.sleep(seconds)
        finally:
            conf.write_text(roomy)
            self._signal("nats", signal.SIGKILL)

    async def keep_copies(self, every: float) -> None:
        """Copy the bus's store now and then, as a backup would that is restored one day; for ``rollback``."""
        while True:
            await asyncio.to_thread(self._take_copy)
            await asyncio.sleep(every)

    def _take_copy(self) -> None:
        """As it is at one moment: the server is stopped meanwhile."""
        if not self._store.exists():
            return
        fresh = self._copy.with_name("older.new")
        shutil.rmtree(fresh, ignore_errors=True)
        pid = self._tree.pid("nats")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            at = time.time()
            try:
                shutil.copytree(self._store, fresh)
            finally:
                os.kill(pid, signal.SIGCONT)
            shutil.rmtree(self._copy, ignore_errors=True)
            fresh.rename(self._copy)
            self._copied_at = at

    async def _lose_store(self, *, older: bool, at: float) -> None:
        """Kill the server and put an older copy, or nothing, where its store was, before it starts again."""
        since = self._copied_at if older and self._copied_at is not None else self._began
        gone = self._store.with_name("gone")
        fresh = self._store.with_name("fresh")
        if older and self._copy.exists():
            await asyncio.to_thread(shutil.copytree, self._copy, fresh, dirs_exist_ok=True)
        self._signal("nats", signal.SIGKILL)
        if self._store.exists():
            self._store.rename(gone)
        if fresh.exists():
            fresh.rename(self._store)
        self._record("store", "nats", at, since)
        await asyncio.to_thread(shutil.rmtree, gone, ignore_errors=True)
