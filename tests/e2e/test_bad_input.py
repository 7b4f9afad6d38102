"""Bad input against everything at once: real processes, the real gateway, a model endpoint that is down at first.

One test walks the tables of bad_requests and of bad_files, so that one process tree is enough. Each answer must have
its status, a stable code and words that help; what is good beside it must go on; no process may die or leave a trace.
"""

import asyncio
import importlib.util
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

from services.cli.environment import environment
from services.cli.tree import answers, healthy, module_commands
from shared.clock import monotonic
from shared.stack import Program, free_port
from tests.e2e import bad_requests
from tests.e2e.bad_bodies import slow_bodies_are_given_up, too_many_files_are_refused_early
from tests.e2e.bad_messages import messages_are_refused, project_of_another_tenant
from tests.e2e.bad_mill import LOST, MULTIPART, Mill, encoded, mill_without_a_model
from tests.e2e.bad_requests import NOBODY, PROJECT, THEIRS
from tests.simulator.process import Simulation, start

DATA = Path(__file__).parents[1] / "data"
MODEL = "openai/simulated"
MB = 1024 * 1024
MOST = 100 * MB
FLAT = 48 * MB
"""By how much the gateway may grow while somebody sends it more than it takes."""
ENCODED = {
    "utf16.txt": ("utf-16", "The Café Müller is a house in Zürich that has 14 rooms. "),
    "utf16-without-mark.md": ("utf-16-be", "The lighthouse of Île Vierge was built in 1902. "),
    "latin1.txt": ("latin-1", "A façade is the outer wall of a building that faces a street. "),
}
"""Encodings that are no UTF-8, each with a sentence that an entry can be made of,"""
AROUND = (
    "People from many villages came to look at it, and some of them stayed for the whole summer.\n"
)
"""and one of which none can."""


def bad_files() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bad_files", DATA / "bad_files.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def requests_are_refused(mill: Mill) -> None:
    project = await mill.project()

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: told(inner) for key, inner in value.items()}
        return value.replace(PROJECT, project) if isinstance(value, str) else value

    for said, (status, code, words) in bad_requests.GENERATE:
        body = {"project_id": project, **said}
        await mill.refused((status, code, told(words)), "POST", "/datasets/generate", body)
    for data, kind, answered in bad_requests.BODIES:
        await mill.refused(answered, "POST", "/datasets/generate", data, kind)
    for method, path, fields, (status, code, words) in bad_requests.ELSEWHERE:
        await mill.refused((status, code, told(words)), method, told(path), told(fields))
    theirs = await project_of_another_tenant(mill)
    for method, path, fields in bad_requests.ANOTHERS:
        said = json.loads(json.dumps(fields).replace(THEIRS, theirs))
        answered = (404, "project_not_found", theirs)
        await mill.refused(answered, method, path.replace(THEIRS, theirs), said)
    for path in bad_requests.FAR_PAGES:
        page = await mill.good("GET", f"{path}?page=1000000000&per_page=1000")
        mill.expect(page[path.strip("/")] == [], path, page)
    made = await mill.good("POST", "/projects", {"name": f"\x00{project}\x00"})
    mill.expect(made["name"] == project, "a NUL is taken out of a name", made)


async def uploads_are_refused(mill: Mill) -> None:
    project = await mill.project()
    for called, data, answered in bad_requests.UPLOADS:
        body = encoded([(b"good.txt", b"Good."), (called, data)], project)
        await mill.refused(answered, "POST", "/documents/upload", body, MULTIPART)
    for data, other, answered in bad_requests.MALFORMED:
        await mill.refused(answered, "POST", "/documents/upload", data, other)
    body = encoded([(b"good.txt", b"Good.")], NOBODY)
    answered = (404, "project_not_found", NOBODY)
    await mill.refused(answered, "POST", "/documents/upload", body, MULTIPART)
    listed = await mill.good("GET", f"/documents?project_id={project}")
    mill.expect(listed["total"] == 0, "a refused upload leaves nothing", listed)
    files = [(raw, b"File %d." % n) for n, (raw, _) in enumerate(bad_requests.NAMES)]
    documents = await mill.upload(project, files)
    for fields, told in bad_requests.PROCESS:
        asked = {"project_id": project, "document_ids": [documents[0]["id"]], **fields}
        await mill.refused(told, "POST", "/documents/process", asked)
    stored = [document["file_name"] for document in documents]
    for found, (raw, name) in zip(stored, bad_requests.NAMES, strict=True):
        mill.expect(found == name, f"{raw[:60]!r} is called {name}", found)


async def too_much_is_refused_in_flat_memory(mill: Mill) -> None:
    """One byte more than is taken; the gateway must neither hold it nor keep it."""
    project = await mill.project()
    gateway = psutil.Process(mill.tree.pid("gateway"))
    before = most = gateway.memory_info().rss
    known = large_blobs(mill)
    head, _, tail = encoded([(b"large.txt", b"SPLIT")], project).partition(b"SPLIT")

    async def sent() -> AsyncIterator[bytes]:
        nonlocal most
        yield head
        for _ in range(MOST // MB):
            yield b"grain of " * (MB // 9) + b"wheat"[: MB % 9]
            most = max(most, gateway.memory_info().rss)
        yield b"!" + tail

    began = monotonic()
    answered = (413, "file_too_large", "large.txt is larger than 100 MB: split it")
    await mill.refused(answered, "POST", "/documents/upload", sent(), MULTIPART)
    mill.expect(monotonic() - began < 10, "100 MB are refused quickly", monotonic() - began)
    mill.expect(most - before < FLAT, "the gateway's memory stays flat", (before, most))
    kept = large_blobs(mill) - known
    mill.expect(not kept, "nothing of it is kept", kept)


def large_blobs(mill: Mill) -> set[str]:
    blobs = mill.folder / "data" / "blobs"
    return {path.name for path in blobs.rglob("*") if path.is_file() and path.stat().st_size > MB}


def unreadable(module: ModuleType) -> dict[str, tuple[bytes, str]]:
    """Files that the gateway takes by their names and that no parser can use, with the code of their rejection.

    Each has bytes of its own: the same bytes are one document.
    """
    mine = {"bomb.docx": lambda: module.bomb(64 * MB)}  # the same at a tenth of the time
    by_name = ("unsupported_type", "legacy_format", "too_large", "ocr_not_available")
    found: dict[bytes, tuple[str, str]] = {}
    for name, (build, code) in module.REFUSED.items():
        if code not in by_name and (data := mine.get(name, build)()):
            found.setdefault(data, (name, code))
    return {name: (data, code) for data, (name, code) in found.items()}


async def bad_files_are_rejected_and_the_good_ones_used(mill: Mill) -> None:
    project = await mill.project()
    bad = await asyncio.to_thread(lambda: unreadable(bad_files()))
    good = {
        "tea.txt": (DATA / "documents" / "tea.txt").read_bytes(),
    }
    for name, (encoding, sentence) in ENCODED.items():
        good[name] = (sentence + AROUND).encode(encoding)
    german = (DATA / "foreign" / "nord-ostsee-kanal.md").read_bytes()
    files = {name: data for name, (data, _) in bad.items()} | good | {"german.md": german}
    documents = await mill.upload(project, [(name.encode(), files[name]) for name in files])
    body = {"project_id": project, "document_ids": [each["id"] for each in documents]}
    parsed = await mill.ended((await mill.good("POST", "/documents/process", body))["job_id"])
    became = {each["file_name"]: each for each in parsed["result"]["documents"]}
    mill.expect(parsed["status"] == "completed", "processing goes on", parsed)
    for name, (_, code) in bad.items():
        found = became[name]
        told = (found["status"], found["code"]) == ("rejected", code) and len(found["message"]) > 15
        mill.expect(told and not any(word in found["message"] for word in LOST), name, found)
    for name in (*good, "german.md"):
        mill.expect(became[name]["status"] == "parsed", name, became[name])

    made = await mill.ended(await mill.generate(project))
    result = made["result"]
    rejected = {each["file_name"]: each["code"] for each in result["rejected_documents"]}
    mill.expect(rejected == {name: code for name, (_, code) in bad.items()}, "codes", rejected)
    mill.expect(made["status"] == "completed", "the job goes on", made)
    mill.expect(result["skipped"].get("language_not_supported", 0) > 0, "German", result["skipped"])
    dataset = made["dataset_id"]
    entries = (await mill.good("GET", f"/datasets/{dataset}/entries?per_page=1000"))["entries"]
    sources = {entry["metadata"]["document"] for entry in entries}
    mill.expect(sources == set(good), "entries come from each good file", sources)
    said = json.dumps(entries, ensure_ascii=False)
    for name, word in (("utf16", "Müller"), ("utf16-without", "Île Vierge"), ("latin1", "façade")):
        mill.expect(word in said, f"{name} is decoded", said[:2000])


async def a_file_with_another_name_gets_another_try(mill: Mill) -> None:
    """A rejection asks for the right ending; giving it must help, though the bytes are the same document."""
    project, data = await mill.project(), bad_files().pdf()
    for name, status, code in (
        (b"lighthouse.docx", "rejected", "type_mismatch"),
        (b"lighthouse.pdf", "parsed", None),
    ):
        [sent] = await mill.upload(project, [(name, data)])
        mill.expect((sent["status"], sent["code"]) == ("uploaded", None), "another try", sent)
        body = {"project_id": project, "document_ids": [sent["id"]]}
        await mill.ended((await mill.good("POST", "/documents/process", body))["job_id"])
        found = await mill.good("GET", f"/documents/{sent['id']}")
        told = (found["file_name"], found["status"], found["code"])
        mill.expect(told == (name.decode(), status, code), "another try", found)


async def jobs_that_find_nothing_say_why(mill: Mill) -> None:
    german = (DATA / "foreign" / "nord-ostsee-kanal.md").read_bytes()
    project = await mill.project()
    await mill.upload(project, [(b"kanal.md", german)])
    made = await mill.ended(await mill.generate(project, entries=5))
    result = made["result"]
    mill.expect(made["status"] == "completed", "German alone", made)
    mill.expect(set(result["skipped"]) == {"language_not_supported"}, "German alone", result)
    mill.expect((result["entries_count"], result["missing"]) == (0, 5), "German alone", result)
    mill.expect(result["ending"] is not None, "German alone", result)

    project = await mill.project()
    await mill.upload(project, [(b"broken.pdf", b"%PDF-1.7\n" + b"\x00\x01" * 999)])
    failed = await mill.ended(await mill.generate(project))
    told = (failed["status"], failed["error_code"], failed["error"])
    expected = ("failed", "no_chunks", f"No chunks found for project {project}")
    mill.expect(told == expected, "a project of broken files", failed)
    codes = [each["code"] for each in failed["result"]["rejected_documents"]]
    mill.expect(codes == ["corrupt_file"], "a project of broken files", failed)
    await mill.refused(
        (400, "no_chunks", project), "POST", "/datasets/generate", {"project_id": project}
    )


async def a_model_that_is_down_is_waited_for(mill: Mill) -> None:
    """Its jobs wait and say for what; one is cancelled meanwhile, the other goes on when the model comes."""
    project = await mill.project()
    tea = (DATA / "documents" / "tea.txt").read_bytes()
    await mill.upload(project, [(b"tea.txt", tea)])
    stays, goes = [await mill.generate(project, model=MODEL, entries=3) for _ in range(2)]
    for job in (stays, goes):
        waiting = await mill.reached(job, lambda at: at["current_step"].startswith("waiting for"))
        step = waiting["current_step"]
        named = str(mill.port) in step or "simulated" in step or "openai" in step
        mill.expect(named and not any(word in step for word in LOST), "waiting", step)
    await mill.good("POST", f"/jobs/cancel/{goes}")
    gone = await mill.reached(goes, lambda found: found["status"] == "cancelled")
    mill.expect(gone["completed_at"] is not None, "cancelled while it waits", gone)
    await mill.refused((404, "job_not_found", goes), "POST", f"/jobs/cancel/{goes}", {})

    simulator = await asyncio.to_thread(start, "mode=grounded", port=mill.port)
    try:
        made = await mill.ended(stays)
        got = (made["status"], made["result"]["entries_count"])
        mill.expect(got == ("completed", 3), "it goes on when the model is back", made)
        await a_model_that_refuses_ends_the_job(mill, simulator, project)
    finally:
        await asyncio.to_thread(simulator.stop)


async def a_model_that_refuses_ends_the_job(
    mill: Mill, simulator: Simulation, project: str
) -> None:
    for behaviour, model, code in (
        ({"models": ["simulated"]}, "openai/unheard-of", "model_not_found"),
        ({"key": "another"}, MODEL, "auth"),
    ):
        await asyncio.to_thread(simulator.reset, mode="grounded", **behaviour)
        failed = await mill.ended(await mill.generate(project, model=model))
        told = (failed["status"], failed["error_code"]) == ("failed", code)
        mill.expect(told and len(failed["error"]) > 20, f"{model} → {code}", failed)


async def a_missing_key_is_told(mill: Mill) -> None:
    """A gateway with neither key nor address: the official service answers nobody without a key."""
    stack, port = mill.tree.stack, free_port()
    given = {
        "GRISTMILL_DATA": str(stack.data),
        "GRISTMILL_NATS_URL": stack.nats_url("gateway"),
        "GRISTMILL_DATABASE_URL": stack.database_url("gateway"),
        "GRISTMILL_PORT": str(port),
    }
    env = environment("gateway", os.environ, given)
    argv = module_commands()["gateway"]
    await mill.tree.add(Program(name="keyless", argv=argv, env=env, stop_within=8.0))
    url = f"http://127.0.0.1:{port}"
    await healthy(mill.tree.children["keyless"], url)
    body = {"project_id": await mill.project(), "model": "openai/gpt-4o-mini"}
    answered = (400, "api_key_missing", "set OPENAI_API_KEY")
    await mill.refused(answered, "POST", "/datasets/generate", body, url=url)


async def the_terminal_says_it_in_words(mill: Mill) -> None:
    (mill.folder / "kanal.md").write_bytes((DATA / "foreign" / "nord-ostsee-kanal.md").read_bytes())
    (mill.folder / "old.dot").write_bytes(b"\xd0\xcf\x11\xe0")
    (mill.folder / "program.exe").write_bytes(b"MZ")

    async def typed(*words: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("gristmill"),
            *("generate", *words, "--url", mill.tree.url),
            cwd=mill.folder,
            env={**os.environ, "COLUMNS": "200"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode, said.decode()

    rows: tuple[tuple[tuple[str, ...], int, tuple[str, ...]], ...] = (
        (("kanal.md", "--model", "builtin/huge"), 1, ("[unknown_model]", "builtin/extractive")),
        (("old.dot", "program.exe"), 1, ("[legacy_format]", "program.exe", "[no_usable_files]")),
        (("kanal.md",), 0, ("0 entries", "is in German [language_not_supported]", "openai/<name>")),
    )
    for words, code, expected in rows:
        got, said = await typed(*words)
        told = got == code and all(word in said for word in expected) and "Traceback" not in said
        mill.expect(told, f"gristmill generate {' '.join(words)}", (got, said))


async def a_good_job_still_completes(mill: Mill) -> None:
    project = await mill.project()
    await mill.upload(project, [(b"tea.txt", (DATA / "documents" / "tea.txt").read_bytes())])
    made = await mill.ended(await mill.generate(project, entries=2))
    got = (made["status"], made["result"]["entries_count"])
    mill.expect(got == ("completed", 2), "a good job still completes", made)


async def nothing_broke(mill: Mill, pids: dict[str, int]) -> None:
    now = {name: mill.tree.pid(name) for name in pids}
    mill.expect(now == pids, "every process is the one that was started", (pids, now))
    mill.expect(await answers(mill.tree.url, "/health"), "healthy", mill.tree.url)
    for path in mill.tree.stack.logs.iterdir():
        lines = path.read_text(errors="replace").splitlines()
        bad = [line for line in lines if "Traceback" in line or '"level":"error"' in line]
        mill.expect(bad == [], path.name, bad)
    incoming = list((mill.folder / "data" / "blobs" / "incoming").iterdir())
    mill.expect(incoming == [], "no half of a file is left", incoming)
    named = [path for path in mill.folder.rglob("*") if path.name in ("passwd.txt", "evil.txt")]
    mill.expect(named == [], "no file is called what a client says", named)


async def test_bad_input_is_refused_by_name_and_everything_else_goes_on() -> None:
    async with mill_without_a_model() as mill:
        pids = {name: mill.tree.pid(name) for name in (*mill.tree.children, "nats", "postgres")}
        stages: tuple[Callable[[Mill], Awaitable[object]], ...] = (
            requests_are_refused,
            uploads_are_refused,
            messages_are_refused,
            bad_files_are_rejected_and_the_good_ones_used,
            a_file_with_another_name_gets_another_try,
            jobs_that_find_nothing_say_why,
            a_missing_key_is_told,
            the_terminal_says_it_in_words,
        )
        async with asyncio.TaskGroup() as meanwhile:
            meanwhile.create_task(a_model_that_is_down_is_waited_for(mill))
            meanwhile.create_task(slow_bodies_are_given_up(mill))
            for stage in stages:
                await stage(mill)
        await too_many_files_are_refused_early(mill)
        await too_much_is_refused_in_flat_memory(mill)
        await a_good_job_still_completes(mill)
        await nothing_broke(mill, pids)
        assert not mill.wrong, "\n".join(mill.wrong)
