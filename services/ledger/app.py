"""The edge of the ledger: leads while it may, records what comes, publishes what was committed.

Each loop ends the leadership when it fails in a way that it does not expect; the process then claims anew with empty
caches, which is all that recovery is.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.ledger import asking, audit, leadership, pausing, reconciler, sampling, space
from services.ledger.collecting import Collector
from services.ledger.healing import Healing
from services.ledger.intake import Intake, is_recorded
from services.ledger.journal import Journal
from services.ledger.recorder import Recorder, Transient
from services.ledger.relay import Relay, spare
from services.ledger.rows import House
from services.ledger.turn import Turn
from shared.blobs import Blobs
from shared.bus import bus_away
from shared.cancellation import cancellations, heed_cancellation
from shared.clock import fresh_id, monotonic
from shared.health import Health
from shared.outside import Misdeclared
from shared.settings import Settings
from shared.stops import CONTROL, answer, hint
from shared.telemetry.metrics import sampled
from shared.topology import declare

if TYPE_CHECKING:
    from shared.store import Pool

log = logging.getLogger(__name__)

LINGER, LINGER_BUSY = 0.02, 0.1
"""Seconds that outcomes may gather before they are committed together: when few come, and when many do,"""
MANY = 6
"""which is that the last turn recorded so many events."""
CATCH_UP = 2.0
"""Seconds at most that a new leader records what was said meanwhile, before it publishes commands of the last one."""
Away = (*Transient, nats.errors.Error)
Wrong = (Misdeclared, audit.StoreIsOlder)
"""What only a person can settle."""


class Ledger:
    """One ledger process. ``run`` leads, or waits to lead, until cancelled."""

    def __init__(
        self, pool: "Pool", client: Client, blobs: Blobs, settings: Settings, health: Health
    ) -> None:
        self._pool = pool
        self._client = client
        self._blobs = blobs
        self._settings = settings
        self._health = health
        self._linger = LINGER

    async def run(self) -> None:
        holder = str(fresh_id())
        self._health.watch(partial(bus_away, self._client))
        while True:
            try:
                lease = await leadership.claim(self._pool, holder, self._settings.leadership)
                if lease is None:
                    self._health.ready("standing by")
                    with sampled(sampling.standing_by):
                        await asyncio.sleep(self._settings.leadership / 4)
                    continue
                await self._lead(lease)
            except* (*Away, leadership.LeadershipLost) as problems:
                self._health.unready(f"starting again: {problems.exceptions[0]!r}")
                log.warning("leadership ended: %r", problems.exceptions)
                await asyncio.sleep(0.2)
            except* Wrong as problems:
                self._refuse(str(problems.exceptions[0]))
                await asyncio.sleep(self._settings.leadership)

    def _refuse(self, words: str) -> None:
        if not self._health.says(words):
            log.critical("%s", words)
        self._health.unready(words)

    async def _declare(
        self, lease: leadership.Lease, done: Callable[[], None] = lambda: None
    ) -> None:
        """Bring the bus to what it must be, and see that the store is not older than what was announced on it."""
        lease.check()
        try:
            await declare(self._client, self._settings)
            await audit.check(self._pool, self._client)
        except Wrong as problem:
            await audit.raise_alarm(self._pool, lease, problem.message)
            await leadership.resign(self._pool, lease.epoch)
            raise
        done()

    async def _lead(self, lease: leadership.Lease) -> None:
        before = cancellations()
        await self._declare(lease)
        heed_cancellation(before)
        house = House(most_jobs=self._settings.most_jobs)
        await self._learn(house)
        beats = reconciler.Beats(self._settings.deadline)
        relay = Relay(self._pool, self._client, self._blobs, house, lease)
        recorder = Recorder(
            self._pool,
            self._client,
            self._blobs,
            house,
            lease=lease,
            committed=partial(self._committed, relay),
        )
        intake = Intake(self._client)
        journal = Journal(self._pool, self._client, self._blobs)
        collector = Collector(self._pool, self._client, self._blobs, self._settings)
        hear = partial(self._hear, beats, house, lease)
        heard = [
            await self._client.subscribe("gristmill.beat.*", cb=hear),
            await self._client.subscribe("gristmill.ask.journal", cb=journal.hear),
            await asking.answer(self._client, self._pool),
        ]
        healing = Healing(
            self._pool,
            self._client,
            self._settings,
            recorder,
            beats,
            house,
            lease,
            self._blobs,
            partial(self._declare, lease, relay.doubt),
        )
        self._health.ready("leading")
        look = partial(sampling.sample, self._pool, self._client, self._settings)
        try:
            with sampled(look):
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(intake.run())
                    tasks.create_task(journal.run())
                    tasks.create_task(self._record(recorder, intake))
                    tasks.create_task(self._relay_commands(recorder, relay))
                    tasks.create_task(relay.announce())
                    tasks.create_task(healing.run())
                    tasks.create_task(self._watch_space(recorder, house))
                    tasks.create_task(self._keep(lease))
                    tasks.create_task(collector.run(lease))
        finally:
            with contextlib.suppress(nats.errors.Error):
                await intake.release()
            with contextlib.suppress(nats.errors.Error):
                for each in heard:
                    await each.unsubscribe()
            with contextlib.suppress(*Transient):
                await leadership.resign(self._pool, lease.epoch)

    async def _learn(self, house: House) -> None:
        """Jobs that may have more to dispatch; whether they do is seen when they are asked."""
        rows = await self._pool.fetch(
            "select stream_id from ledger.streams where open and kind = 'generation'"
        )
        house.hungry |= dict.fromkeys(row["stream_id"] for row in rows)
        house.stopped |= await pausing.learn(self._pool)

    def _committed(self, relay: Relay, turn: Turn) -> None:
        relay.committed(turn)
        self._linger = LINGER_BUSY if len(turn.log.recorded) >= MANY else LINGER
        for job, (word, restarts, is_open) in pausing.news(turn).items():
            if word == "go" or not is_open:
                turn.house.stopped.pop(job, None)
            else:
                turn.house.stopped[job] = word, restarts
            self._tell(job, hint(word, restarts))

    def _tell(self, whom: UUID, words: bytes) -> None:
        """Tell the workers of a job at once, or one worker; who misses it is told with the answer to its next beat."""
        asyncio.ensure_future(self._client.publish(f"{CONTROL}.{whom}", words)).add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )

    async def _hear(
        self, beats: reconciler.Beats, house: House, lease: leadership.Lease, message: Msg
    ) -> None:
        """Note a beat, and answer it with what is stopped: its worker may have begun after that was said."""
        incarnation = await beats.hear(message)
        if incarnation is None:
            return
        with contextlib.suppress(leadership.LeadershipLost):
            lease.check()
            self._tell(incarnation, answer(house.stopped))

    async def _record(self, recorder: Recorder, intake: Intake) -> None:
        while True:
            heed_cancellation()
            batch = await intake.take(self._linger)
            until = monotonic() + 30
            while batch:
                try:
                    await recorder.record(batch)
                    break
                except Transient as problem:
                    if monotonic() > until:
                        raise
                    self._health.unready(f"the store is away: {problem!r}")
                    await asyncio.sleep(0.3)
            self._health.ready("leading")

    async def _relay_commands(self, recorder: Recorder, relay: Relay) -> None:
        """First without what the last leader had published and what was done meanwhile, as far as it is known soon."""
        for _ in range(int(CATCH_UP / LINGER)):
            if await is_recorded(self._client):
                break
            await asyncio.sleep(LINGER)
        await recorder.turn(spare)
        await relay.command()

    async def _watch_space(self, recorder: Recorder, house: House) -> None:
        # A leader that is new does not know whether the one before it let jobs wait.
        held = True
        while True:
            heed_cancellation()
            with contextlib.suppress(*Transient):
                found = await space.look(self._pool, self._client, self._settings)
                house.short = space.shortage(found, short=house.short is not None)
                if house.short is not None and house.hungry:
                    await recorder.turn(partial(space.hold, reason=house.short))
                elif house.short is None and held:
                    await recorder.turn(space.release)
                held = house.short is not None
            await asyncio.sleep(self._settings.beat)

    async def _keep(self, lease: leadership.Lease) -> None:
        while True:
            await asyncio.sleep(self._settings.leadership / 3)
            await leadership.keep(self._pool, lease)
