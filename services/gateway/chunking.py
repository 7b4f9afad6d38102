"""Ways of cutting as the API takes them: checked down to the patterns, with the tokenizer that a name stands for.

What passes here can be carried out by the worker; only what a tokenizer does to a text shows itself there. Paths never
come from users: a tokenizer is a name in one folder.
"""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contracts.blob import BlobRef
from contracts.document import Chunking
from services.gateway.problems import first_of
from shared.blobs import Blobs
from shared.errors import Refused

FOLDER = "tokenizers"
MOST_BYTES = 64 * 1024**2
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def checked(said: Mapping[str, Any], names: Mapping[str, str], within: str = "") -> Chunking:
    """The way of cutting that the parts say. Raise ``Refused``, with the field's name in the API.

    ``names`` maps our fields to those of the API (``""``: of what is wrong with the whole); ``within`` is the field
    that holds them all.
    """
    try:
        chunking = Chunking.model_validate(said)
    except ValidationError as problem:
        inner, message = first_of(problem.errors())
        top, dot, rest = inner.partition(".")
        name = _within(within, names.get(top, top) + (dot + rest if top not in names else ""))
        text = f"{name}: {message}" if inner or within else message
        raise Refused("invalid_parameter", text, field=name) from None
    for rule in chunking.rules:
        if rule.type == "pattern" and (why := _unmatchable(rule.value)):
            raise _invalid(_within(within, names.get("rules", "rules")), why)
    return chunking


def _within(outer: str, field: str) -> str:
    return f"{outer}.{field}" if outer and field else outer or field


def _unmatchable(pattern: str) -> str | None:
    """Why RE2 cannot match a pattern; None: it can."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), pattern=pattern)
    except pa.ArrowInvalid as problem:
        return f"pattern {pattern!r}: {str(problem).removeprefix('Invalid regular expression: ')}"
    return None


async def keep_tokenizer(blobs: Blobs, tenant: str, data: Path, name: str, field: str) -> BlobRef:
    """Store the named ``tokenizer.json`` of the data folder where workers can read it.

    Raises:
        Refused: there is none of that name, or it is none.
    """
    path = data / FOLDER / f"{name}.json"
    if not _NAME.fullmatch(name) or not await asyncio.to_thread(path.is_file):
        raise Refused(
            "tokenizer_not_found",
            f"{field}: there is no tokenizer {name[:64]!r}. Put its tokenizer.json into the data folder as"
            f" {FOLDER}/NAME.json and say NAME; leave it out to count words, numbers and punctuation marks.",
            field=field,
        )
    file = await asyncio.to_thread(_read, path)
    if file is None:
        raise _invalid(field, f"the tokenizer file is larger than {MOST_BYTES // 1024**2} MiB")
    if (why := await asyncio.to_thread(_unusable, file)) is not None:
        raise _invalid(field, f"{FOLDER}/{name}.json is no tokenizer.json: {why[:200]}")
    return await blobs.put(tenant, "tokenizer", file, "application/json")


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.stat().st_size <= MOST_BYTES else None


def _unusable(file: bytes) -> str | None:
    from tokenizers import Tokenizer

    try:
        Tokenizer.from_buffer(file)
    except ValueError as problem:
        return str(problem)
    return None


def _invalid(field: str, message: str) -> Refused:
    return Refused("invalid_parameter", f"{field}: {message}", field=field)
