"""Fetching: only public addresses and those allowed, whatever form they hide in, also after a redirect; in bounds."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from aiohttp import web

from contracts.document import DivideDocument, DocumentDivided, DocumentFetched, FetchDocument
from services.ingest import fetching, file_kinds
from services.ingest.addresses import Allowed, FetchRefused, allowed, check_address, check_url
from services.ingest.app import work
from services.ingest.parsers.article import source_of
from services.ingest.parsers.outcome import Unreadable
from services.ingest.pool import ParserPool
from shared.blobs import FolderBlobs
from shared.errors import GristmillError, Unavailable
from shared.stack.ports import free_port
from shared.task import Done, Task

ID = UUID(int=7)
LOOPBACK = allowed("127.0.0.1")
NOBODY = Allowed()
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PRIVATE = (
    *(
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
    ),
    *(
        "100.64.0.1",
        "192.0.0.8",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
    ),
    *(
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
    ),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1"),
    *(
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "::127.0.0.1",
        "3fff::1",
        "127.1",
        "2130706433",
        "0177.0.0.1",
    ),
)
PUBLIC = ("93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8")


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused_in_whatever_form(address: str) -> None:
    with pytest.raises(FetchRefused):
        check_address("inside.example", address, NOBODY)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_passes(address: str) -> None:
    check_address("outside.example", address, NOBODY)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/x",
        "file:///etc/passwd",
        "gopher://a.example/",
        "http:///x",
        "http://user:word@a.example/",
        "http://a.example:22/",
        "http://a.example:99999/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://2130706433/",
        "http://127.1/",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
def test_an_address_of_the_web_that_is_not_fetched_is_refused_before_anything_is_sent(
    url: str,
) -> None:
    with pytest.raises(FetchRefused):
        check_url(url, NOBODY)


def test_what_the_operator_allows_passes_and_nothing_beside_it() -> None:
    allow = allowed("intranet.example, 10.1.0.0/16 fd00::/8")

    check_url("http://intranet.example:8080/a", allow)
    check_address("Intranet.Example.", "192.168.0.1", allow)
    check_address("other.example", "10.1.2.3", allow)
    check_url("http://10.1.2.3:8080/", allow)
    for host, address in (("other.example", "10.2.0.1"), ("sub.intranet.example", "192.168.0.1")):
        with pytest.raises(FetchRefused):
            check_address(host, address, allow)
    with pytest.raises(GristmillError, match="GRISTMILL_FETCH_ALLOW"):
        allowed("http://intranet.example/")


@asynccontextmanager
async def served(**routes: Handler) -> AsyncIterator[str]:
    """A server on loopback with a handler for each path; yield its address."""
    app = web.Application()
    for path, handler in routes.items():
        app.router.add_get(f"/{path}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def answers(body: bytes = b"text", status: int = 200, **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=named)

    return handler


async def got(url: str, allow: Allowed = LOOPBACK, seconds: float = 10.0) -> bytes:
    async with fetching.opened(url, allow, seconds) as found:
        return b"".join([piece async for piece in found.pieces])


async def test_a_name_that_leads_inside_is_refused_when_it_is_resolved() -> None:
    with pytest.raises(FetchRefused, match="not one of the public"):
        await got("http://localhost/", NOBODY)


@pytest.mark.parametrize(
    "host",
    [
        "127\u30020\u30020\u30021",
        "169\uff0e254\uff0e169\uff0e254",
        "\u2460\u2461\u2466.0.0.1",
        "\uff11\uff12\uff17.0.0.1",
    ],
)
async def test_an_address_in_letters_that_the_client_reads_as_another_is_refused(host: str) -> None:
    with pytest.raises(FetchRefused, match="not one of the public"):
        await got(f"http://{host}/", NOBODY)


async def test_a_redirect_to_such_an_address_is_refused() -> None:
    inside = answers(status=302, Location="http://169\u3002254\u3002169\u3002254/")
    async with served(inside=inside) as address:
        with pytest.raises(FetchRefused, match="not one of the public"):
            await got(f"{address}/inside")


async def test_an_address_that_no_check_has_seen_is_refused_when_it_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "check_url", lambda _url, _allow: None)
    async with served(text=answers()) as address:
        with pytest.raises(FetchRefused, match="not one of the public"):
            await got(f"{address}/text", NOBODY)


async def test_every_redirect_is_checked_anew_and_there_are_at_most_five() -> None:
    async def around(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/around")

    async def on(request: web.Request) -> web.Response:
        raise web.HTTPFound("/on?4" if request.query_string == "3" else "/end")

    async with served(
        around=around,
        on=on,
        end=answers(b"there"),
        inside=answers(status=302, Location="http://169.254.169.254/latest/"),
        file=answers(status=301, Location="file:///etc/passwd"),
    ) as address:
        assert await got(f"{address}/on?3") == b"there"
        for path in ("inside", "file"):
            with pytest.raises(FetchRefused):
                await got(f"{address}/{path}")
        with pytest.raises(GristmillError, match="more than 5"):
            await got(f"{address}/around")


async def test_what_is_too_large_is_cut_off_also_when_it_was_packed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 100_000)
    packed = gzip.compress(b"\x00" * 1_000_000)
    async with served(
        plain=answers(b"x" * 100_001), packed=answers(packed, Content_Encoding="gzip")
    ) as address:
        for path in ("plain", "packed"):
            with pytest.raises(GristmillError) as caught:
                await got(f"{address}/{path}")
            assert caught.value.code == "fetch_too_large"


@pytest.mark.parametrize(
    ("status", "again"), [(404, False), (403, False), (429, True), (500, True), (503, True)]
)
async def test_a_status_says_whether_asking_again_may_help(status: int, *, again: bool) -> None:
    async with served(x=answers(status=status, Retry_After="7")) as address:
        with pytest.raises(GristmillError) as caught:
            await got(f"{address}/x")
    assert isinstance(caught.value, Unavailable) is again
    assert caught.value.code == "fetch_failed"
    if isinstance(caught.value, Unavailable):
        assert caught.value.retry_after == 7


async def test_a_server_that_hangs_or_is_away_is_worth_another_try() -> None:
    released = asyncio.Event()

    async def hangs(_request: web.Request) -> web.Response:
        await released.wait()
        raise web.HTTPNoContent

    async with served(x=hangs) as address:
        with pytest.raises(Unavailable, match="too long"):
            await got(f"{address}/x", seconds=0.2)
        released.set()  # the server waits for its handlers when it stops
    with pytest.raises(Unavailable):
        await got(f"http://127.0.0.1:{free_port()}/")


@pytest.mark.parametrize(
    ("media", "url", "head", "ending"),
    [
        ("text/html", "https://a.example/x", b"<p>", ".html"),
        ("application/octet-stream", "https://a.example/x.docx", b"PK", ".docx"),
        ("text/html", "https://a.example/x", b"%PDF-1.4", ".pdf"),
        ("text/plain", "https://a.example/x.md", b"# a", ".md"),
        ("text/plain", "https://a.example/x.docx", b"a", ".txt"),
        ("application/ld+json", "https://a.example/x", b"{}", ".json"),
        ("application/rss+xml", "https://a.example/x", b"<a/>", ".xml"),
        ("", "https://a.example/x", b"\n<!DOCTYPE html>", ".html"),
    ],
)
def test_the_format_is_told_by_type_first_bytes_and_address(
    media: str, url: str, head: bytes, ending: str
) -> None:
    assert file_kinds.ending_of(media, url, head) == ending


def test_what_nobody_reads_is_refused_by_its_type() -> None:
    with pytest.raises(Unreadable, match="video/mp4"):
        file_kinds.ending_of("video/mp4", "https://a.example/x.mp4", b"")


@pytest.mark.parametrize(
    ("url", "said", "name"),
    [
        ("https://a.example/wiki/Panama_Canal", "", "Panama_Canal.html"),
        ("https://a.example/", "", "a.example.html"),
        ("https://a.example/x.php?a=b", "", "x.php.html"),
        ("https://a.example/%2e%2e%2fetc%2fpasswd.htm", "", "passwd.htm"),
        ("https://a.example/x", "../../l\u202eamp.html", "lamp.html"),
        ("https://a.example/" + "x" * 500, "", "x" * 200 + ".html"),
    ],
)
def test_a_fetched_file_has_a_name_without_tricks(url: str, said: str, name: str) -> None:
    assert file_kinds.name_of(url, ".html", said) == name


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path)


def task(
    command: FetchDocument | DivideDocument, attempt: int = 1
) -> Task[FetchDocument | DivideDocument]:
    return Task(command, 0, "default", attempt, ID, lambda: None)


async def done(blobs: FolderBlobs, url: str, attempt: int = 1) -> Done:
    handler = work(blobs, ParserPool(), LOOPBACK, 5.0)[0].handler
    return await handler(
        task(FetchDocument(job_id=ID, units=(ID,), project_id=ID, url=url), attempt)
    )


async def test_a_page_is_kept_with_its_address_in_utf_8_and_a_file_as_it_is(
    blobs: FolderBlobs,
) -> None:
    page = "<html><p>Łódź</p></html>".encode("iso-8859-2")
    async with served(
        page=answers(page, Content_Type="text/html; charset=iso-8859-2"),
        file=answers(b"%PDF-1.4 x", Content_Disposition='attachment; filename="the lamp.pdf"'),
    ) as address:
        [fetched] = (await done(blobs, f"{address}/page")).events
        [file] = (await done(blobs, f"{address}/file")).events

    assert isinstance(fetched, DocumentFetched)
    assert isinstance(file, DocumentFetched)
    kept = await blobs.get("default", fetched.blob)
    assert source_of(kept) == fetched.final_url == f"{address}/page"
    assert "Łódź" in kept.decode()
    assert (fetched.name, fetched.blob.media) == ("page.html", "text/html")
    assert (file.name, await blobs.get("default", file.blob)) == ("the lamp.pdf", b"%PDF-1.4 x")


async def test_what_is_away_is_tried_four_times_and_then_given_up_with_its_address(
    blobs: FolderBlobs,
) -> None:
    async with served(x=answers(status=503)) as address:
        for attempt in (1, 2, 3):
            with pytest.raises(Unavailable) as again:
                await done(blobs, f"{address}/x", attempt)
            assert again.value.retry_after == 2.0**attempt
        with pytest.raises(GristmillError) as caught:
            await done(blobs, f"{address}/x", 4)
    assert not isinstance(caught.value, Unavailable)
    assert caught.value.message.startswith(f"{address}/x: ")


async def test_a_cut_pdf_is_kept_in_parts_with_a_manifest(
    blobs: FolderBlobs, documents: Path
) -> None:
    data = (documents / "panama-canal.pdf").read_bytes()
    blob = await blobs.put("default", "document", data, "application/pdf")
    pool = ParserPool()
    command = DivideDocument(
        job_id=ID,
        units=(ID,),
        document_id=uuid5(ID, "document"),
        project_id=ID,
        name="canal.pdf",
        blob=blob,
        pages_per_split=3,
        overlap_pages=0,
    )
    [divided] = (await work(blobs, pool)[1].handler(task(command))).events
    await pool.close()

    assert isinstance(divided, DocumentDivided)
    assert [(part.first_page, part.last_page) for part in divided.parts] == [(1, 3), (4, 4)]
    assert b'"pages": 4' in await blobs.get("default", divided.manifest)
    assert (await blobs.get("default", divided.parts[1].blob)).startswith(b"%PDF-")
