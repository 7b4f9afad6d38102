"""Formats ``chatml`` and ``openai``: one conversation per line, as ``{"messages": [system, user, assistant]}``.

They differ in the system message alone. The user's turn is the context, then the question or instruction, then
the material it works on, with blank lines between. Nothing but the training text is written, since fine-tuning
services refuse fields that they do not know.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import orjson

from services.export.formats.pairs import joined, pair
from services.export.formats.protocol import PAIRED, ExportRow, lacking
from services.export.formats.stream import write_lines


@dataclass(frozen=True, slots=True)
class Chat:
    name: str
    system: str
    extension: str = "jsonl"
    media: str = "application/jsonl"

    def refuses(self, types: Collection[str]) -> str | None:
        return lacking(self.name, types, PAIRED)

    def write(self, rows: Iterable[ExportRow], out: BinaryIO) -> int:
        return write_lines(self._lines(rows), out)

    def _lines(self, rows: Iterable[ExportRow]) -> Iterator[bytes]:
        system = orjson.Fragment(orjson.dumps({"role": "system", "content": self.system}))
        for row in rows:
            context, instruction, material, output = pair(row.content)
            user = {"role": "user", "content": joined(context, instruction, material)}
            assistant = {"role": "assistant", "content": output}
            yield orjson.dumps(
                {"messages": [system, user, assistant]}, option=orjson.OPT_APPEND_NEWLINE
            )


CHATML = Chat("chatml", "You are a helpful AI assistant.")
OPENAI = Chat("openai", "You are a helpful assistant.")
