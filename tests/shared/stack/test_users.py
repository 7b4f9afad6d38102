"""Each service may say and hear what it must, and nothing else; asked of the real server."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import nats
import nats.errors
import nats.js.errors
import pytest
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy as NatsAckPolicy
from nats.js.api import ConsumerConfig

from shared.bus import connect
from shared.outside import DOOR
from shared.settings import Settings
from shared.stack import SERVICES, Nats
from shared.stack.folder import NATS_USERS
from shared.stack.users import OPEN, WORKERS, configuration
from shared.topology import declare

ROOT = Path(__file__).parents[3]
Until = Callable[..., Awaitable[None]]


class Visitor:
    """A service's connection that remembers what the server refused."""

    def __init__(self) -> None:
        self.refusals: list[str] = []
        self.client: Client = Client()

    async def enter(self, server: Nats, service: str) -> "Visitor":
        async def refused(problem: Exception) -> None:
            self.refusals.append(str(problem))

        self.client = await nats.connect(
            server.url(service), inbox_prefix=f"_INBOX.{service}".encode(), error_cb=refused
        )
        return self

    async def may_publish(self, subject: str) -> bool:
        self.refusals.clear()
        await self.client.publish(subject, b"{}")
        return await self._unrefused()

    async def may_subscribe(self, subject: str) -> bool:
        self.refusals.clear()
        await self.client.subscribe(subject)
        return await self._unrefused()

    async def _unrefused(self) -> bool:
        # The server's refusal comes before its answer to a ping; the client's first ping may overtake what
        # it still had to send, the second cannot.
        await self.client.flush()
        await self.client.flush()
        return not self.refusals


@pytest.fixture(scope="module")
async def bus(nats_server: Nats) -> Nats:
    """A server with the whole topology on it, made with the ledger's own rights."""
    client = await connect(Settings.model_validate({"nats_url": nats_server.url("ledger")}), "test")
    await declare(client, Settings())
    await client.close()
    return nats_server


@pytest.fixture
async def visitors(bus: Nats) -> AsyncIterator[dict[str, Visitor]]:
    found = {user: await Visitor().enter(bus, user) for user in NATS_USERS}
    yield found
    for visitor in found.values():
        await visitor.client.close()


async def test_a_worker_pulls_holds_acks_says_and_gives_up(
    visitors: dict[str, Visitor],
) -> None:
    ledger = visitors["ledger"].client.jetstream()
    for name in WORKERS:
        worker = visitors[name]
        stream = worker.client.jetstream()
        await ledger.publish(f"gristmill.commands.{name}", b"work")
        hears = await stream.pull_subscribe_bind(name, "COMMANDS")
        (command,) = await hears.fetch(1, timeout=2)
        await command.in_progress()
        await command.in_progress()
        await stream.publish(f"gristmill.results.{name}", b"done")
        await stream.publish(f"gristmill.dead.{name}", b"poison")
        await worker.client.publish(f"gristmill.beat.{name}", b"alive")
        await command.ack_sync(timeout=2)
        assert (await stream.consumer_info("COMMANDS", name)).num_ack_pending == 0
        assert worker.refusals == []


@pytest.mark.parametrize("name", WORKERS)
async def test_faststream_hears_commands_with_a_workers_rights(
    bus: Nats, visitors: dict[str, Visitor], name: str, until: Until
) -> None:
    refusals: list[str] = []

    async def refused(problem: Exception) -> None:
        refusals.append(str(problem))

    inbox = f"_INBOX.{name}"
    broker = NatsBroker(bus.url(name), inbox_prefix=inbox, error_cb=refused, logger=None)
    heard: list[bytes] = []

    @broker.subscriber(
        f"gristmill.commands.{name}",
        durable=name,
        stream=JStream("COMMANDS", declare=False),
        pull_sub=PullSub(batch_size=1, timeout=0.2),
        inbox_prefix=f"{inbox}.".encode(),
        ack_policy=AckPolicy.ACK,
    )
    async def hear(body: bytes) -> None:
        heard.append(body)

    await visitors["ledger"].client.jetstream().publish(f"gristmill.commands.{name}", b"work")
    async with broker:
        await broker.start()
        stream = visitors["ledger"].client.jetstream()

        async def all_done() -> bool:
            assert refusals == []
            info = await stream.consumer_info("COMMANDS", name)
            return bool(heard) and info.num_ack_pending == info.num_pending == 0

        await until(all_done)
    assert heard == [b"work"]


FORBIDDEN_TO_GENERATE = [
    "gristmill.requests.default.generation",
    "gristmill.results.curate",
    "gristmill.commands.generate",
    "gristmill.events.default.entries.generated",
    "gristmill.dead.curate",
    "gristmill.beat.curate",
    "gristmill.control.0",
    "_INBOX.gateway.x",
    "$JS.API.STREAM.DELETE.COMMANDS",
    "$JS.API.STREAM.PURGE.COMMANDS",
    "$JS.API.STREAM.MSG.GET.INBOX",
    "$JS.API.CONSUMER.CREATE.COMMANDS",
    "$JS.API.CONSUMER.DELETE.COMMANDS.generate",
    "$JS.API.CONSUMER.MSG.NEXT.COMMANDS.curate",
    "$JS.ACK.COMMANDS.curate.1.1.1.1.0",
    "$JS.ACK._.x.COMMANDS.curate.1.1.1.1.0",
]


async def test_generate_may_not_say_what_others_say(visitors: dict[str, Visitor]) -> None:
    allowed = [
        subject
        for subject in FORBIDDEN_TO_GENERATE
        if await visitors["generate"].may_publish(subject)
    ]
    assert allowed == []


@pytest.mark.parametrize("service", SERVICES)
async def test_no_service_hears_the_answers_to_another(
    visitors: dict[str, Visitor], service: str
) -> None:
    other = "generate" if service != "generate" else "curate"
    assert not await visitors[service].may_subscribe(f"_INBOX.{other}.>")
    assert not await visitors[service].may_subscribe(">")


async def test_only_the_ledger_hears_questions_and_only_it_makes_streams(
    visitors: dict[str, Visitor],
) -> None:
    for service in SERVICES:
        assert await visitors[service].may_subscribe("gristmill.ask.>") == (service == "ledger")
        assert await visitors[service].may_publish("$JS.API.STREAM.CREATE.X") == (
            service == "ledger"
        )


async def test_a_question_of_any_service_is_answered_by_the_ledger(
    visitors: dict[str, Visitor],
) -> None:
    ledger = visitors["ledger"].client
    questions = await ledger.subscribe("gristmill.ask.journal")
    await ledger.flush()
    await ledger.flush()
    for service in (*WORKERS, "gateway"):
        asked = await visitors[service].client.subscribe(f"_INBOX.{service}.answer")
        await visitors[service].client.publish(
            "gristmill.ask.journal", b"?", reply=f"_INBOX.{service}.answer"
        )
        question = await questions.next_msg(timeout=2)
        await question.respond(b"!")
        assert (await asked.next_msg(timeout=2)).data == b"!"


async def test_the_gateway_requests_hints_and_looks_at_the_bus(
    visitors: dict[str, Visitor],
) -> None:
    gateway = visitors["gateway"]
    stream = gateway.client.jetstream()
    await stream.publish("gristmill.requests.default.generation", b"{}")
    assert (await stream.stream_info("REQUESTS")).state.messages >= 1
    assert (await stream.consumer_info("COMMANDS", "generate")).name == "generate"
    assert await gateway.may_publish("gristmill.control.0")
    assert await gateway.may_subscribe("gristmill.beat.>")
    assert not await gateway.may_publish("gristmill.results.generate")
    assert not await gateway.may_publish("gristmill.commands.generate")


async def test_a_worker_cannot_make_itself_a_consumer(visitors: dict[str, Visitor]) -> None:
    stream = visitors["export"].client.jetstream(timeout=0.2)
    with pytest.raises((TimeoutError, nats.errors.Error)):
        await stream.add_consumer("INBOX", ConsumerConfig(durable_name="spy"))


SAID_BY_OTHERS = [f"gristmill.requests.default.{noun}" for noun in OPEN]
FORBIDDEN_TO_OTHERS = [
    "gristmill.requests.default.deletion",
    "gristmill.requests.acme.document",
    "gristmill.results.generate",
    "gristmill.commands.generate",
    "gristmill.events.default.project.created",
    "gristmill.dead.ledger",
    "gristmill.beat.generate",
    "gristmill.control.0",
    "gristmill.ask.journal",
    "_INBOX.gateway.x",
    "_INBOX.ledger.x",
    "$JS.API.STREAM.DELETE.EVENTS",
    "$JS.API.STREAM.PURGE.EVENTS",
    "$JS.API.STREAM.UPDATE.EVENTS",
    "$JS.API.STREAM.MSG.GET.EVENTS",
    "$JS.API.STREAM.MSG.DELETE.EVENTS",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.INFO.REQUESTS",
    "$JS.API.DIRECT.GET.EVENTS",
    "$JS.API.CONSUMER.CREATE.EVENTS",
    "$JS.API.CONSUMER.CREATE.EVENTS.x",
    "$JS.API.CONSUMER.CREATE.EVENTS.x.gristmill.events.acme.>",
    "$JS.API.CONSUMER.CREATE.EVENTS.x.>",
    "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.x",
    "$JS.API.CONSUMER.CREATE.INBOX.x.gristmill.events.default.>",
    "$JS.API.CONSUMER.DELETE.EVENTS.x",
    "$JS.API.CONSUMER.MSG.NEXT.REQUESTS.ledger",
    "$JS.API.CONSUMER.MSG.NEXT.INBOX.ledger",
    "$JS.API.CONSUMER.MSG.NEXT.COMMANDS.generate",
    "$JS.API.CONSUMER.MSG.NEXT.DEAD.x",
    "$JS.ACK.REQUESTS.ledger.1.1.1.1.0",
]
UNHEARD_BY_OTHERS = [
    ">",
    "gristmill.>",
    "gristmill.requests.>",
    "gristmill.events.>",
    "gristmill.events.acme.>",
    "gristmill.events.*.project.created",
    "gristmill.commands.*",
    "gristmill.results.*",
    "gristmill.dead.*",
    "_INBOX.>",
    "_INBOX.gateway.>",
    "$JS.EVENT.>",
    "$SYS.>",
]


async def test_another_system_may_say_requests_read_events_and_nothing_else(
    visitors: dict[str, Visitor],
) -> None:
    outside = visitors["external"]
    refused = [each for each in SAID_BY_OTHERS if not await outside.may_publish(each)]
    assert refused == []
    allowed = [each for each in FORBIDDEN_TO_OTHERS if await outside.may_publish(each)]
    allowed += [each for each in UNHEARD_BY_OTHERS if await outside.may_subscribe(each)]
    assert allowed == []
    assert await outside.may_subscribe("gristmill.events.default.>")
    assert await outside.may_subscribe("_INBOX.external.x")


async def test_another_system_reads_the_events_of_its_tenant_from_their_beginning(
    visitors: dict[str, Visitor],
) -> None:
    said = visitors["ledger"].client.jetstream()
    await visitors["ledger"].client.jetstream(prefix=DOOR).purge_stream("EVENTS")
    for tenant in ("default", "acme", "default"):
        await said.publish(f"gristmill.events.{tenant}.project.created", tenant.encode())
    outside = visitors["external"].client.jetstream()
    mine = "gristmill.events.default.>"
    made = await outside.add_consumer(
        "EVENTS",
        ConsumerConfig(name="mine", filter_subject=mine, ack_policy=NatsAckPolicy.NONE),
    )
    pulled = await (await outside.pull_subscribe_bind(made.name, "EVENTS")).fetch(3, timeout=0.3)
    ordered = await outside.subscribe(
        mine, stream="EVENTS", ordered_consumer=True, config=ConsumerConfig(name="ordered")
    )
    pushed = [await ordered.next_msg(timeout=2) for _ in range(2)]
    assert [each.data for each in pulled] == [each.data for each in pushed] == [b"default"] * 2
    # The name of a consumer of its own tenant opens no other tenant's events.
    for other in ("gristmill.events.acme.>", "gristmill.events.>"):
        body = {"stream_name": "EVENTS", "config": {"name": "x", "filter_subject": other}}
        answer = await visitors["external"].client.request(
            f"$JS.API.CONSUMER.CREATE.EVENTS.x.{mine}", json.dumps(body).encode(), timeout=2
        )
        assert "error" in json.loads(answer.data)
    assert visitors["external"].refusals == []


INSIDE = [
    "gristmill.commands.generate",
    "gristmill.results.generate",
    "gristmill.requests.default.deletion",
    "gristmill.requests.acme.job",
    "gristmill.control.0",
    "_INBOX.ledger.x",
]


async def kept(ledger: Client) -> dict[str, int]:
    stream = ledger.jetstream()
    return {
        name: (await stream.stream_info(name)).state.messages
        for name in ("REQUESTS", "INBOX", "COMMANDS", "DEAD")
    }


@pytest.fixture
async def reached(visitors: dict[str, Visitor]) -> list[str]:
    """Subjects of the mill at which something came in; they must stay unreached."""
    found: list[str] = []

    async def hear(message: Msg) -> None:
        found.append(message.subject)

    for subject in INSIDE:
        await visitors["operator"].client.subscribe(subject, cb=hear)
    await visitors["operator"].client.flush()
    return found


async def test_no_pull_of_another_system_is_delivered_into_the_mill(
    visitors: dict[str, Visitor], reached: list[str]
) -> None:
    """The server does not ask who may publish to the reply that a pull names."""
    ledger, outside = visitors["ledger"].client, visitors["external"].client
    await ledger.jetstream().publish("gristmill.events.default.project.created", b"{}")
    config = ConsumerConfig(
        name="pulls", filter_subject="gristmill.events.default.>", ack_policy=NatsAckPolicy.NONE
    )
    await ledger.jetstream().purge_stream("REQUESTS")
    before = await kept(ledger)
    for subject in INSIDE:
        await outside.jetstream().add_consumer("EVENTS", config)
        await outside.publish("$JS.API.CONSUMER.MSG.NEXT.EVENTS.pulls", b"1", reply=subject)
    await settled(visitors)
    assert await kept(ledger) == before
    assert reached == []


async def test_no_consumer_of_another_system_delivers_into_the_mill(
    visitors: dict[str, Visitor], reached: list[str]
) -> None:
    """The server does not ask who may publish to the subject that a consumer delivers to."""
    ledger, outside = visitors["ledger"].client, visitors["external"].client
    await ledger.jetstream().publish("gristmill.events.default.project.created", b"{}")
    await ledger.jetstream().purge_stream("REQUESTS")
    before = await kept(ledger)
    for number, subject in enumerate(INSIDE):
        await outside.jetstream().add_consumer(
            "EVENTS",
            ConsumerConfig(
                name=f"pushes{number}",
                filter_subject="gristmill.events.default.>",
                ack_policy=NatsAckPolicy.NONE,
                deliver_subject=subject,
            ),
        )
    await settled(visitors)
    assert await kept(ledger) == before
    assert reached == []


async def test_the_bus_s_word_to_another_system_stays_with_it(
    visitors: dict[str, Visitor], reached: list[str]
) -> None:
    ledger, outside = visitors["ledger"].client, visitors["external"].client
    await ledger.jetstream().purge_stream("REQUESTS")
    for subject in INSIDE:
        await outside.publish("gristmill.requests.default.project", b"{}", reply=subject)
    await settled(visitors)
    state = (await ledger.jetstream().stream_info("REQUESTS")).state
    assert state.messages == len(INSIDE)
    assert reached == []
    await ledger.jetstream().purge_stream("REQUESTS")


async def settled(visitors: dict[str, Visitor]) -> None:
    """All that was asked of the bus until now was done: it did one more of the kind."""
    outside = visitors["external"].client
    said = visitors["ledger"].client.jetstream()
    await said.publish("gristmill.events.default.project.created", b"{}")
    config = ConsumerConfig(
        name="last", filter_subject="gristmill.events.default.>", ack_policy=NatsAckPolicy.NONE
    )
    for each in ("last", "later"):
        await outside.jetstream().add_consumer("EVENTS", config.evolve(name=each))
        pulls = await outside.jetstream().pull_subscribe_bind(each, "EVENTS")
        assert await pulls.fetch(1, timeout=2)
    await outside.jetstream().publish("gristmill.requests.default.job", b"{}")
    await said.purge_stream("REQUESTS", subject="gristmill.requests.default.job")
    await visitors["operator"].client.flush()


async def test_another_system_cannot_answer_in_the_name_of_the_bus(
    visitors: dict[str, Visitor],
) -> None:
    """With a message of EVENTS comes the inbox where the ledger waits for the bus's word."""
    outside = visitors["external"]
    heard = await outside.client.subscribe("gristmill.events.default.>")
    assert await outside._unrefused()
    await (
        visitors["ledger"]
        .client.jetstream()
        .publish("gristmill.events.default.project.created", b"{}")
    )
    message = await heard.next_msg(timeout=2)
    assert message.reply.startswith("_INBOX.ledger.")
    assert not await outside.may_publish(message.reply)


def test_the_file_for_deployments_is_what_the_code_says() -> None:
    variables = {user: f"$NATS_PASSWORD_{user.upper()}" for user in NATS_USERS}
    assert (ROOT / "deploy" / "nats" / "users.conf").read_text().endswith(configuration(variables))
