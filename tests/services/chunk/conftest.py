"""A reader of Markdown headings, so that tests can write their documents as text."""

import re
from collections.abc import Callable

import pytest

from contracts.document import Heading, Structure

_HEADING = re.compile(r"^(#{1,6}) ([^\n]*)$", re.MULTILINE)


@pytest.fixture(scope="session")
def structured() -> Callable[[str], Structure]:
    """Structure of a text whose headings are its lines that start with "#"."""

    def read(text: str) -> Structure:
        headings = tuple(
            Heading(
                level=len(found[1]), text=found[2].strip(), start=found.start(), end=found.end()
            )
            for found in _HEADING.finditer(text)
        )
        return Structure(title="A test", language="en", headings=headings, pages=())

    return read
