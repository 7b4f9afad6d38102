"""Builds with a fault in them: what the checker must find in a run. Applied inside a service's process, by its name.

Each takes away one thing that a promise rests on; a run that finds nothing wrong with one of these proves nothing.
"""

from collections.abc import Callable, Sequence
from uuid import UUID


def acknowledges_before_commit(service: str) -> None:
    """The recorder acknowledges what it took, and records it then: a kill between the two loses it."""
    if service != "ledger":
        return
    from nats.aio.msg import Msg

    from services.ledger.recorder import Recorder

    record = Recorder.record

    async def careless(self: Recorder, messages: Sequence[Msg]) -> None:
        import asyncio

        for message in messages:
            if not message._ackd:
                await message.ack()
        await asyncio.sleep(0.2)
        await record(self, messages)

    Recorder.record = careless  # type: ignore[method-assign]


def forgets_outcomes(service: str) -> None:
    """The recorder takes a second outcome of a unit for its first."""
    if service != "ledger":
        return
    from services.ledger.turn import Turn

    def never(self: Turn, unit: UUID) -> bool:
        return unit not in self.work

    Turn.is_done = never  # type: ignore[method-assign]


def forgets_what_was_admitted(service: str) -> None:
    """Curation begins each admission with an empty index."""
    if service != "curate":
        return
    from services.curate.admission import Index
    from services.curate.following import Following, Followings

    async def empty(self: Followings, dataset: UUID, through: int) -> Following:
        kept = self.of(dataset)
        kept.index, kept.through = Index(), through
        return kept

    Followings.upto = empty  # type: ignore[method-assign]


BROKEN: dict[str, Callable[[str], None]] = {
    "acknowledges_before_commit": acknowledges_before_commit,
    "forgets_outcomes": forgets_outcomes,
    "forgets_what_was_admitted": forgets_what_was_admitted,
}
