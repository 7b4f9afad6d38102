"""How an operation shows an example of its answer in the API's own description."""

from typing import Any


def answers(example: object) -> dict[int | str, dict[str, Any]]:
    """For ``responses`` of a route: what it answers when all goes well."""
    return {200: {"content": {"application/json": {"example": example}}}}
