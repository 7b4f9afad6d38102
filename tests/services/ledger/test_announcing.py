"""One word of the bus for a whole batch: nothing is taken for stored that is not."""

from nats.js.api import PubAck

from services.ledger.announcing import Stream
from services.ledger.audit import announced
from shared.bus import POSITION, Envelope
from shared.clock import fresh_id
from shared.store import Position
from tests.services.ledger.mill import Mill

ANEW = fresh_id()
"""The bus remembers for a while what earlier tests said."""


def said(*numbers: int) -> list[Envelope]:
    return [
        Envelope(
            type="gristmill.job.started.v1",
            id=str(n),
            source="ledger",
            subject="gristmill.events.other.job.started",
            body=b"%d" % n,
            headers={POSITION: f"1.{n}", "Nats-Msg-Id": f"{ANEW} {n}"},
        )
        for n in numbers
    ]


async def stored(mill: Mill) -> list[bytes]:
    stream = mill.client.jetstream()
    state = (await stream.stream_info("EVENTS")).state
    found = [
        await stream.get_msg("EVENTS", seq)
        for seq in range(state.first_seq, state.first_seq + state.messages)
    ]
    return [each.data or b"" for each in found]


def acks(stream: Stream) -> list[PubAck]:
    """Every word of the bus from now on."""
    heard, publish = [], stream._publish

    async def listened(envelope: Envelope) -> PubAck:
        heard.append(await publish(envelope))
        return heard[-1]

    stream._publish = listened  # type: ignore[method-assign]
    return heard


async def test_a_batch_is_stored_in_its_order_and_answered_once(mill: Mill) -> None:
    stream = Stream(mill.client)
    await stream.say(said(1, 2))
    heard = acks(stream)
    await stream.say(said(3, 4, 5, 6))
    assert len(heard) == 1
    assert await stored(mill) == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert (await announced(mill.client)).last == Position(1, 6)


async def test_where_the_bus_counts_otherwise_each_message_is_said_by_itself(mill: Mill) -> None:
    """Some of a batch was known, or somebody else wrote to the stream: the numbers show it, not what is missing."""
    stream = Stream(mill.client)
    await stream.say(said(11))
    await mill.client.jetstream().publish("gristmill.events.other.job.started", b"foreign")
    heard = acks(stream)
    await stream.say(said(12, 13, 14))
    assert len(heard) == 4
    assert await stored(mill) == [b"11", b"foreign", b"12", b"13", b"14"]
    await stream.say(said(13, 14, 15))
    assert await stored(mill) == [b"11", b"foreign", b"12", b"13", b"14", b"15"]


async def test_a_stream_that_was_made_anew_or_set_back_shows_by_its_numbers(mill: Mill) -> None:
    stream = Stream(mill.client)
    assert await stream.say(said(21, 22, 23))
    assert await stream.say(said(24))
    # As a stream is that counts from one again, with what came in behind it.
    stream._last = 1000
    assert not await stream.say(said(25, 26))
    assert await stream.say(said(27))
    stream._last = 1000
    assert not await stream.say(said(28))
    assert await stored(mill) == [b"%d" % n for n in range(21, 29)]


async def test_of_an_empty_stream_nothing_is_newest(mill: Mill) -> None:
    assert (await announced(mill.client)).last is None
