"""Refusing what a request says and its route does not know, with the name that was probably meant, or says twice."""

from collections.abc import Iterable
from difflib import get_close_matches
from inspect import isclass

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute
from pydantic import BaseModel

from shared.errors import Refused

EVERYWHERE = ("min_position",)
"""Read before any route."""
MOST_NAME = 100
"""Characters of a name that are repeated."""


async def only_known(request: Request) -> None:
    """Raise ``Refused`` for a query parameter that the route does not have (a misspelt filter filters nothing), or that
    is given twice (one of them would be ignored).
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not request.scope["query_string"]:
        return
    known = list(EVERYWHERE)
    known += [
        each.alias
        for each in get_flat_params(route.dependant)
        if isinstance(each.field_info, Query)
    ]
    said = [name for name, _ in request.query_params.multi_items()]
    for name in dict.fromkeys(said):
        if name not in known:
            raise unknown(name, known)
        if said.count(name) > 1:
            raise Refused("invalid_parameter", f"{name}: was given more than once", field=name)


def unknown(name: str, known: Iterable[str]) -> Refused:
    shown = name[:MOST_NAME]
    return Refused(
        "unknown_parameter",
        f"{shown} is not a parameter of this request.{meant(shown, known)}",
        field=shown,
    )


def meant(name: str, known: Iterable[str]) -> str:
    """A sentence with the known name that is nearest; empty where none is near."""
    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def fields_of(request: Request) -> list[str]:
    """The fields of the request's body, where it is one object."""
    route = request.scope.get("route")
    body = route.body_field if isinstance(route, APIRoute) else None
    model = body.field_info.annotation if body is not None else None
    return list(model.model_fields) if isclass(model) and issubclass(model, BaseModel) else []
