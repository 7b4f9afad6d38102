"""Format ``alpaca``: a JSON array of ``{instruction, input, output}``, indented by 2. Nothing but the training text.

A question is the instruction; the context goes to ``input``, before the material of an instruction that has both.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import orjson

from services.export.formats.pairs import joined, pair
from services.export.formats.protocol import PAIRED, ExportRow, lacking
from services.export.formats.stream import write_array


@dataclass(frozen=True, slots=True)
class Alpaca:
    name: str = "alpaca"
    extension: str = "json"
    media: str = "application/json"

    def refuses(self, types: Collection[str]) -> str | None:
        return lacking(self.name, types, PAIRED)

    def write(self, rows: Iterable[ExportRow], out: BinaryIO) -> int:
        return write_array(_items(rows), out)


def _items(rows: Iterable[ExportRow]) -> Iterator[bytes]:
    for row in rows:
        context, instruction, material, output = pair(row.content)
        item = {"instruction": instruction, "input": joined(context, material), "output": output}
        # Rendered as an array of one and taken out of it, the object is indented as in the whole array.
        yield orjson.dumps([item], option=orjson.OPT_INDENT_2)[2:-2]


ALPACA = Alpaca()
