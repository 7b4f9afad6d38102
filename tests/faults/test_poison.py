"""What nobody can use harms nobody else: it is tried a bounded number of times and kept among the dead with its reason,
and the counts of its job say so.
"""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import UUID

import orjson
import pytest
from nats.aio.client import Client

from contracts.entries import EntriesGenerated, GenerateEntries
from contracts.generation import GenerationRequested, GenerationSettings
from contracts.identity import job_id, seed_unit
from contracts.job import JobCompleted, JobFailed
from contracts.letter import LetterDropped, LetterDropRequested, LetterRetried, LetterRetryRequested
from contracts.message import Event, Recorded
from contracts.project import ProjectCreated
from contracts.unit import UnitFailed
from services.ledger import reconciler, suspects
from services.ledger.processes import generation, generation_state
from shared import letters
from shared.bus import Envelope
from shared.clock import fresh_id
from shared.errors import Unavailable
from shared.letters import Letter, Letters
from shared.settings import Settings
from shared.stack import Database, Nats
from shared.worker import Done, Task
from tests.services.ledger.mill import Mill, generated

ROOT = Path(__file__).parents[2]
PROJECT = "gristmill.project.requested.v1"
FINISHED = "gristmill.unit.finished.v1"
TIMES = {"ack_wait": 2.0, "beat": 0.1, "deadline": 1.0, "leadership": 3.0, "stall": 0.6}


@pytest.fixture
async def mill(
    database: Database,
    nats_server: Nats,
    make_settings: Callable[..., Settings],
    until: Callable[..., Awaitable[None]],
) -> AsyncIterator[Mill]:
    def settings(service: str) -> Settings:
        role = "ledger" if service == "ledger" else "reader"
        return make_settings(service, nats=nats_server, database=database, role=role, **TIMES)

    async with Mill(settings, until).opened() as mill:
        yield mill


async def dead(mill: Mill) -> list[Letter]:
    """All that are kept, the oldest first, read with the rights of the gateway."""
    found, _ = await Letters().newest(mill.outside, "default")
    whole = [await letters.letter(mill.outside, each.name) for each in reversed(found)]
    return [each for each in whole if each is not None]


async def drained(mill: Mill) -> None:
    async def empty() -> bool:
        return await mill.in_stream("INBOX") == 0 == await mill.in_stream("REQUESTS")

    await mill.until(empty, within=20)


# -- messages --------------------------------------------------------------------------------------

DEEP = b"[" * 100_000
REQUESTS: tuple[tuple[str, bytes, dict[str, str]], ...] = (
    ("malformed_json", b'{"name": ', {}),
    ("malformed_json", b"\xff" * 1000, {}),
    ("malformed_json", DEEP, {}),
    ("malformed_json", b'{"name": ' + b'{"a": ' * 300 + b"1" + b"}" * 300 + b"}", {}),
    ("malformed_json", b'{"name": "\\ud800"}', {}),
    ("malformed_json", b"x" * 1_040_000, {"very-long": "y" * 5000}),
    ("invalid_message", b'{"name": "\\u0000"}', {}),
    ("unknown_type", b"{}", {"ce-type": "gristmill.project.sold.v1"}),
    ("unknown_version", b"{}", {"ce-type": "gristmill.project.requested.v9"}),
    ("undecodable", b"{}", {"ce-id": "i" * 2000}),
    ("undecodable", b"{}", {"ce-type": ""}),
    ("undecodable", b"{}", {"Status": "503", "ce-source": ""}),
    ("unsupported_content_type", b"{}", {"content-type": "text/xml"}),
    ("blob_missing", b"{}", {"gristmill-blob": f"{'1' * 64}/12"}),
)
OUTCOMES: tuple[tuple[str, bytes, dict[str, str]], ...] = (
    ("malformed_json", DEEP, {}),
    ("invalid_message", b'{"unit_id": 1}', {}),
    ("invalid_message", orjson.dumps({"events": [{"type": "x", "data": {"a": 1}}]}), {}),
    ("undecodable", b"{}", {"gristmill-tenant": "../x"}),
    ("unknown_type", b"{}", {"ce-type": "gristmill.unit.sold.v1"}),
)


async def say(
    client: Client, subject: str, kind: str, body: bytes, headers: dict[str, str], id: str = ""
) -> None:
    envelope = Envelope(type=kind, id=id or str(fresh_id()), source="t", subject=subject, body=body)
    said = envelope.all_headers() | {"gristmill-tenant": "default"} | headers
    await client.jetstream().publish(
        subject, body, headers={key: value for key, value in said.items() if value}
    )


async def test_what_cannot_be_read_is_kept_with_its_code_and_its_neighbours_are_recorded(
    mill: Mill,
) -> None:
    """All lie there before the ledger comes, so that good and bad share their batch."""
    for n, (_, body, headers) in enumerate(REQUESTS):
        await say(mill.client, "gristmill.requests.default.project", PROJECT, body, headers)
        good = orjson.dumps({"name": f"good {n}"})
        await say(mill.client, "gristmill.requests.default.project", PROJECT, good, {})
    for _, body, headers in OUTCOMES:
        await say(mill.client, "gristmill.results.generate", FINISHED, body, headers)
    await mill.ledger()
    await drained(mill)
    created = await mill.said(ProjectCreated)
    assert [each.name for each in created] == [f"good {n}" for n in range(len(REQUESTS))]
    found = await dead(mill)
    assert Counter(each.code for each in found) == Counter(
        code for code, _, _ in (*REQUESTS, *OUTCOMES)
    )
    assert all(each.reason and each.service == "ledger" for each in found)
    [large] = [each for each in found if not each.is_whole]
    assert (large.size, len(large.body), large.code) == (1_040_000, 64 * 1024, "malformed_json")
    assert [each.code for each in found if each.headers.get("status")] == ["undecodable"]


# -- units -----------------------------------------------------------------------------------------


@pytest.fixture
def fragile(mill: Mill) -> Iterator[Callable[[str], None]]:
    running: list[subprocess.Popen[bytes]] = []

    def start(fatal: str) -> None:
        settings = mill.settings("generate")
        environ = os.environ | {
            "GRISTMILL_NATS_URL": settings.nats_url.get_secret_value(),
            "GRISTMILL_DATA": str(settings.data),
            "GRISTMILL_TEST_FATAL": fatal,
            **{f"GRISTMILL_{name.upper()}": str(value) for name, value in TIMES.items()},
        }
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.faults.fragile"],
                cwd=ROOT,
                env=environ,
                start_new_session=True,
                stderr=subprocess.DEVNULL,
            )
        )

    yield start
    for each in running:
        os.killpg(each.pid, 9)
        each.wait()


async def test_a_unit_that_kills_its_worker_fails_alone(
    mill: Mill, fragile: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One kills the process, one blocks it for good, one raises; the others were all under way each time."""
    monkeypatch.setattr(reconciler, "MOST_LOST", 3)
    await mill.ledger()
    mill.documents()
    mill.curation()
    fragile("3=kill 9=hang 14=raise")
    job = await mill.generate_from(24, concurrency=24)
    assert await mill.ended(job, within=90) == [JobCompleted()]
    failed = {each.unit_id: each.code for each in await mill.said(UnitFailed, job)}
    assert failed == {
        seed_unit(job, 3): "worker_lost",
        seed_unit(job, 9): "worker_lost",
        seed_unit(job, 14): "internal_error",
    }
    assert len(await mill.said(EntriesGenerated, job)) == 21
    counts = (await mill.state(job))["counts"]
    assert (counts["done"], counts["failed"]) == (21, 3)
    found = {each.named().units: each for each in await dead(mill)}
    assert {units[0] for units in found} == set(failed)
    assert all(len(units) == 1 for units in found)
    assert {each.code for each in found.values()} == {"worker_lost", "internal_error"}
    assert {each.named().job_id for each in found.values()} == {job}


def test_the_least_suspected_are_tried_first_and_the_worst_alone() -> None:
    units = [UUID(int=n) for n in range(12)]
    assert suspects.first(units, [2] * 10 + [3, 4]) == units[:8]
    assert suspects.first(units[8:], [2, 2, 3, 4]) == units[8:10]
    assert suspects.first(units[10:], [3, 4]) == units[10:11]


# -- what the ledger makes of it -------------------------------------------------------------------


async def test_a_job_that_cannot_be_decided_fails_and_the_others_go_on(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked in every turn while it has more to dispatch, so every message would be spoilt."""
    poison: set[UUID] = set()
    decide = generation.decide

    def fails(state: object, request: object, job: UUID, **known: object) -> object:
        if job in poison:
            raise KeyError("poison")
        return decide(state, request, job, **known)  # type: ignore[arg-type]

    monkeypatch.setattr(generation, "decide", fails)
    may_end = asyncio.Event()

    async def held(task: Task[GenerateEntries]) -> Done:
        await may_end.wait()
        return generated(task)

    await mill.ledger()
    mill.documents()
    mill.generation(generate=held)
    jobs = [await mill.generate_from(40, concurrency=4) for _ in range(3)]

    async def all_run() -> bool:
        return {
            each.job_id for each in await mill.log() if "Planned" in str(type(each.event))
        } == set(jobs)

    await mill.until(all_run)
    poison.update(jobs[:2])
    may_end.set()
    ends = await mill.ended(*jobs, within=30)
    assert ends[2] == JobCompleted()
    for each in ends[:2]:
        assert isinstance(each, JobFailed)
        assert each.code == "internal_error"
        assert "KeyError" in each.message
    await drained(mill)
    assert await dead(mill) == []


@pytest.mark.parametrize("takes_failures", [True, False])
async def test_an_outcome_that_the_fold_cannot_take_is_buried_and_its_unit_or_its_job_ends(
    mill: Mill, monkeypatch: pytest.MonkeyPatch, takes_failures: bool
) -> None:
    evolve = generation_state.evolve

    def fails(state: generation_state.GenerationState, recorded: Recorded[Event]) -> object:
        event = recorded.event
        if isinstance(event, EntriesGenerated) and event.seed == 1:
            raise KeyError("poison")
        if isinstance(event, UnitFailed) and not takes_failures:
            raise KeyError("poison")
        return evolve(state, recorded)

    monkeypatch.setattr(generation_state, "evolve", fails)
    await mill.ledger()
    mill.documents()
    mill.generation()
    job, other = await mill.generate_from(3), await mill.generate_from(1)
    ends = await mill.ended(job, other)
    assert ends[1] == JobCompleted()
    if takes_failures:
        assert ends[0] == JobCompleted()
        [failed] = await mill.said(UnitFailed, job)
        assert failed.code == "unrecordable"
    else:
        assert isinstance(ends[0], JobFailed)
        assert ends[0].code == "internal_error"
    await drained(mill)
    [letter] = await dead(mill)
    assert (letter.code, letter.named().job_id) == ("unrecordable", job)
    assert set(mill.done.values()) == {1}


# -- letters ---------------------------------------------------------------------------------------


async def test_a_request_that_was_refused_is_said_again_under_its_old_key(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    mill.generation()
    project = await mill.project()
    asked = GenerationRequested(project_id=project, settings=GenerationSettings())
    refused = await mill.ask(asked, key="k")
    assert refused.code == "no_chunks"
    [letter] = await dead(mill)
    assert (letter.code, letter.message_id) == ("no_chunks", "k")
    await mill.document(project, "2")
    for _ in range(2):
        answer = await mill.ask(LetterRetryRequested(letter=letter.name), key="retry")
        assert answer.or_refused().position is not None
    assert await mill.ended(job_id("default", mill.source, "k")) == [JobCompleted()]
    [retried] = await mill.said(LetterRetried)
    assert (retried.letter, retried.code, retried.message_id) == (letter.name, "no_chunks", "k")
    assert await dead(mill) == []
    gone = await mill.ask(LetterRetryRequested(letter=letter.name))
    assert (gone.code, gone.status) == ("letter_not_found", 404)
    # What was refused is a letter itself, and can be dropped.
    [of_letter] = await dead(mill)
    assert (await mill.ask(LetterDropRequested(letter=of_letter.name))).code is None
    [dropped] = await mill.said(LetterDropped)
    assert dropped.letter == of_letter.name
    assert await dead(mill) == []


async def test_what_is_buried_again_says_what_it_had_been(mill: Mill) -> None:
    await mill.ledger()
    await say(mill.client, "gristmill.requests.default.project", PROJECT, b"{", {}, id="x")
    await mill.until(mill.buried)
    [letter] = await dead(mill)
    await mill.ask(LetterRetryRequested(letter=letter.name))
    await mill.until(lambda: len(mill.buried()) == 2)
    [again] = await dead(mill)
    assert again.headers[letters.RETRY_OF] == letter.name
    assert (again.code, again.message_id) == ("malformed_json", "x")


async def test_a_letter_of_a_stream_that_was_made_anew_or_of_another_tenant_is_not_found(
    mill: Mill,
) -> None:
    await mill.ledger()
    await say(mill.client, "gristmill.requests.acme.project", PROJECT, b"{", {})
    await mill.until(mill.buried)
    theirs, _ = await Letters().newest(mill.outside, "acme")
    assert await dead(mill) == []
    refused = await mill.ask(LetterDropRequested(letter=theirs[0].name))
    assert refused.code == "letter_not_found"
    # The same number at another time.
    old = f"1500000000000-{theirs[0].seq}"
    assert await letters.letter(mill.outside, theirs[0].name) is not None
    assert await letters.letter(mill.outside, old) is None


async def test_a_forged_letter_is_not_said_where_it_says(mill: Mill) -> None:
    """Every service may write letters, and the ledger may speak everywhere."""
    await mill.ledger()
    worker = mill.client
    headers = {"gristmill-subject": "$JS.API.STREAM.PURGE.EVENTS", "gristmill-code": "x"}
    await worker.jetstream().publish("gristmill.dead.ingest", b"{}", headers=headers)
    [letter] = await dead(mill)
    refused = await mill.ask(LetterRetryRequested(letter=letter.name))
    assert (refused.code, refused.status) == ("not_retryable", 409)


async def test_a_command_that_was_buried_gives_its_open_units_another_try(mill: Mill) -> None:
    broken = [True]

    async def generate(task: Task[GenerateEntries]) -> Done:
        if broken:
            raise Unavailable("x", "Later.", waiting_for="x/y", retry_after=3600)
        return generated(task)

    await mill.ledger()
    mill.documents()
    mill.generation(generate=generate)
    job = await mill.generate_from(2)

    async def put_off() -> bool:
        open_ = await mill.work(job, service="generate", outcome=None)
        return len(open_) == 2 and all(each["due_at"] is not None for each in open_)

    await mill.until(put_off)
    units = [str(seed_unit(job, seed)) for seed in range(2)]
    body = orjson.dumps({"job_id": str(job), "units": units})
    headers = {"gristmill-subject": "gristmill.commands.generate", "gristmill-code": "x"}
    await mill.client.jetstream().publish("gristmill.dead.generate", body, headers=headers)
    [letter] = await dead(mill)
    broken.clear()
    await mill.ask(LetterRetryRequested(letter=letter.name))
    assert await mill.ended(job) == [JobCompleted()]
    [retried] = await mill.said(LetterRetried)
    assert Counter(retried.units) == Counter(UUID(unit) for unit in units)
    await mill.client.jetstream().publish("gristmill.dead.generate", body, headers=headers)
    [late] = await dead(mill)
    refused = await mill.ask(LetterRetryRequested(letter=late.name))
    assert refused.code == "not_retryable"
    assert "restart" in (refused.message or "")
