"""Transcripts of videos, from a server on loopback that answers as YouTube does."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import requests.adapters

from services.ingest.addresses import Allowed, FetchRefused
from services.ingest.transcripts import (
    Session,
    checked_session,
    paragraphs,
    read_transcript,
    video_of,
)
from shared.errors import GristmillError, Unavailable

VIDEO = "dQw4w9WgXcQ"


@pytest.mark.parametrize(
    ("url", "video"),
    [
        (f"https://www.youtube.com/watch?v={VIDEO}&t=3", VIDEO),
        (f"https://youtu.be/{VIDEO}?si=x", VIDEO),
        (f"https://m.youtube.com/shorts/{VIDEO}", VIDEO),
        (f"https://www.youtube-nocookie.com/embed/{VIDEO}", VIDEO),
        ("https://www.youtube.com/@channel", ""),
        ("https://www.youtube.com/watch?v=short", ""),
        (f"https://youtube.com.evil.example/watch?v={VIDEO}", ""),
    ],
)
def test_a_video_is_known_by_its_address(url: str, video: str) -> None:
    assert video_of(url) == video


class YouTube(http.server.BaseHTTPRequestHandler):
    """Answers for one video; ``player`` and ``page`` are set by the test."""

    player: dict[str, Any] = {}  # noqa: RUF012 - one at a time
    page = ""

    def do_GET(self) -> None:
        if self.path.startswith("/watch"):
            self._say(self.page)
        else:
            self._say(
                '<?xml version="1.0" encoding="utf-8"?><transcript><text start="0" dur="2">The lamp was lit</text>'
                '<text start="2" dur="2">in 1823 &amp;amp; burned oil.</text></transcript>'
            )

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._say(json.dumps(self.player))

    def _say(self, text: str) -> None:
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


class Here(requests.adapters.HTTPAdapter):
    """Leads every request to the server on loopback."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        request.url = f"{self.address}{parts.path}?{parts.query}"
        return super().send(request, *args, **more)


@pytest.fixture
def session() -> Iterator[Session]:
    YouTube.page = '<title>The lamp - YouTube</title>"INNERTUBE_API_KEY": "abc"'
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), YouTube)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    session = Session()
    session.mount("https://", Here(f"http://127.0.0.1:{server.server_address[1]}"))
    yield session
    session.close()
    server.shutdown()
    server.server_close()
    thread.join()


def track(language: str, kind: str = "") -> dict[str, Any]:
    return {
        "baseUrl": f"https://www.youtube.com/api/timedtext?lang={language}",
        "languageCode": language,
        "name": {"runs": [{"text": language}]},
        "kind": kind,
        "isTranslatable": False,
    }


def player(*tracks: dict[str, Any], status: str = "OK", reason: str = "") -> dict[str, Any]:
    return {
        "playabilityStatus": {"status": status, "reason": reason},
        "captions": {"playerCaptionsTracklistRenderer": {"captionTracks": tracks}}
        if tracks
        else {},
    }


def test_a_transcript_is_what_people_wrote_in_the_language_that_is_spoken(session: Session) -> None:
    YouTube.player = player(track("de"), track("en"), track("en", "asr"))

    transcript = read_transcript(VIDEO, session)

    assert (transcript.title, transcript.language, transcript.generated) == (
        "The lamp",
        "en",
        False,
    )
    assert transcript.markdown("https://youtu.be/x") == (
        "# The lamp\n\nTranscript of https://youtu.be/x (en, written by people).\n\n"
        "The lamp was lit in 1823 & burned oil.\n"
    )


def test_a_video_without_a_transcript_says_so(session: Session) -> None:
    for answer in (player(), player(status="ERROR", reason="This video is unavailable")):
        YouTube.player = answer
        with pytest.raises(GristmillError) as caught:
            read_transcript(VIDEO, session)
        assert caught.value.code == "transcript_missing"
        assert not isinstance(caught.value, Unavailable)


def test_a_machine_that_is_blocked_is_told_so_and_may_try_later(session: Session) -> None:
    YouTube.player = player(status="LOGIN_REQUIRED", reason="Sign in to confirm you’re not a bot")
    with pytest.raises(Unavailable) as caught:
        read_transcript(VIDEO, session)
    YouTube.page = 'class="g-recaptcha"'
    with pytest.raises(Unavailable) as again:
        read_transcript(VIDEO, session)
    assert caught.value.code == again.value.code == "transcript_blocked"


def test_the_session_connects_to_no_address_that_is_not_public(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def inside(host: str, port: int, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    session = checked_session(Allowed())
    with pytest.raises(FetchRefused):
        session.get("https://www.youtube.com/watch?v=x")
    with pytest.raises(requests.exceptions.InvalidSchema):
        session.get("http://www.youtube.com/watch?v=x")
    session.close()


def test_a_paragraph_ends_with_a_sentence_or_a_pause_once_it_is_long() -> None:
    long = "word " * 150
    said = [
        (0.0, 1.0, long + "end."),
        (1.0, 1.0, "Next"),
        (2.0, 1.0, long),
        (9.0, 1.0, "After a pause"),
    ]

    assert [len(each.split()) for each in paragraphs(said).split("\n\n")] == [151, 151, 3]
