"""Messages that nobody can use, said to a running mill now and then; each must end among the dead, and harm nothing."""

import asyncio
import contextlib
from random import Random  # noqa: TID251 - seeded, so that a run's poison can be had again

import nats.errors
import nats.js.errors

from shared.connecting import connect
from shared.errors import Unavailable
from shared.settings import Settings

EVERY = 4.0
KINDS: dict[str, tuple[str, bytes]] = {
    "no JSON": ("gristmill.unit.finished.v1", b"{"),
    "another shape": ("gristmill.unit.finished.v1", b'{"unit_id": 7}'),
    "an unknown type": ("gristmill.unit.vanished.v1", b"{}"),
    "an unknown version": ("gristmill.unit.finished.v9", b"{}"),
    "deeply nested": ("gristmill.unit.finished.v1", b"[" * 5000 + b"]" * 5000),
}


class Poison:
    """``said``: ids of what the bus took; ``perhaps``: of what it may have taken."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self._settings = settings
        self._dice = Random(seed + 2)
        self.said: set[str] = set()
        self.perhaps: set[str] = set()

    async def run(self) -> None:
        """Go on until cancelled, through every loss of the bus."""
        n = 0
        while True:
            await asyncio.sleep(EVERY * (0.5 + self._dice.random()))
            n += 1
            with contextlib.suppress(Unavailable):
                await self._say(f"poison-{n}", *self._dice.choice(list(KINDS.values())))

    async def _say(self, id: str, kind: str, body: bytes) -> None:
        headers = {
            "ce-specversion": "1.0", "ce-type": kind, "ce-id": id, "ce-source": "generate",
            "Nats-Msg-Id": id,
        }  # fmt: skip
        client = await connect(self._settings, "generate")
        self.perhaps.add(id)
        try:
            await client.jetstream().publish(
                "gristmill.results.generate", body, timeout=2, headers=headers
            )
            self.said.add(id)
        except (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError):
            pass
        finally:
            await client.close()
