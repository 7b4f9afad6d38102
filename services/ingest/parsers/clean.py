"""The one cleaning of text on its way in. Removes what Postgres, JSON or a terminal cannot hold, and nothing else."""

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_NEWLINES = re.compile(r"\r\n|[\r\x0b\x0c\x85]")


def clean(text: str) -> str:
    """Give ``text`` with line feeds only, without control characters, lone surrogates or a leading byte order mark.

    Idempotent: ``clean(clean(x)) == clean(x)``. Tabs, spaces and every printable character stay as they were.
    """
    text = _NEWLINES.sub("\n", text.lstrip("\ufeff"))
    text = _CONTROLS.sub("", text)
    if not text.isascii():
        # Surrogate pairs that stand for one character are joined; a lone one becomes the replacement character.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.lstrip("\ufeff")
