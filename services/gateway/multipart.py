"""Reading a multipart body part by part as it arrives, in flat memory. Knows nothing of what the parts mean."""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.errors import Refused


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    file: bytes | None
    """What the client calls the file, as it came; None: a plain field."""


class _Ended:
    """The part is over."""


_Event = Part | bytes | _Ended


class Multipart:
    """The parts of one body. Take ``next_part``, then ``pieces`` of it; what is not taken is skipped."""

    def __init__(self, body: AsyncIterator[bytes], content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise Refused("not_multipart", "The body must be multipart/form-data with a boundary.")
        self._body = body
        self._events: deque[_Event] = deque()
        self._header = b""
        self._value = b""
        self._disposition = b""
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._on_field,
                    "on_header_value": self._on_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                },
            )
        except FormParserError as problem:
            raise _malformed() from problem
        self._inside = False

    async def next_part(self) -> Part | None:
        """The next part, or None after the last."""
        while (event := await self._next()) is not None:
            if isinstance(event, Part):
                self._inside = True
                return event
        return None

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes of the part that ``next_part`` returned last."""
        while self._inside:
            event = await self._next()
            if isinstance(event, bytes):
                yield event
            elif isinstance(event, _Ended):
                self._inside = False
            else:
                raise _malformed()

    async def _next(self) -> _Event | None:
        while not self._events:
            piece = await anext(self._body, None)
            if piece is None:
                return None
            try:
                self._parser.write(piece)
            except FormParserError as problem:
                raise _malformed() from problem
        return self._events.popleft()

    def _begin(self) -> None:
        self._disposition = self._header = self._value = b""

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode(errors="replace")
        self._events.append(Part(name, options.get(b"filename")))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _end(self) -> None:
        self._events.append(_Ended())


def _malformed() -> Refused:
    return Refused("malformed_multipart", "The body is not well-formed multipart/form-data.")
