"""Query parameters that several resources share."""

from typing import Annotated

from fastapi import Query

MOST_PAGE = 1_000_000_000

Page = Annotated[int, Query(ge=1, le=MOST_PAGE)]
PerPage = Annotated[int, Query(ge=1, le=1000)]


def offset(page: int, per_page: int) -> int:
    return (page - 1) * per_page
