"""Draws any message that a class allows, from the annotations of its fields."""

import dataclasses
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import pytest
from hypothesis import strategies as st
from pydantic import JsonValue, StringConstraints
from pydantic.fields import FieldInfo

from contracts.blob import BlobRef
from contracts.document import (
    Chunking,
    DocumentFetchRequested,
    DocumentSplitRequested,
    DocumentSubmitted,
)
from contracts.generation import GenerationSettings
from contracts.message import Message

Strategy = st.SearchStrategy[Any]
Drawn = Callable[[type[Message]], Strategy]

MOST = 2**53 - 1
"""What every JSON reader keeps exactly."""
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
JSON: Strategy = st.recursive(
    st.none() | st.booleans() | st.integers(-MOST, MOST) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
SIMPLE: dict[object, Strategy] = {
    UUID: st.uuids(),
    bool: st.booleans(),
    type(None): st.none(),
    JsonValue: JSON,
}


def _number(kind: object, bounds: dict[str, Any]) -> Strategy:
    low, high = bounds.get("ge"), bounds.get("le")
    if kind is int:
        top = bounds["lt"] - 1 if "lt" in bounds else high
        return st.integers(-MOST if low is None else low, MOST if top is None else top)
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


def _string(bounds: dict[str, Any]) -> Strategy:
    if pattern := bounds.get("pattern"):
        # Python lets `$` stand before a last newline, pydantic does not.
        return st.from_regex(pattern, fullmatch=True).filter(lambda text: not text.endswith("\n"))
    least, most = bounds.get("min_length") or 0, bounds.get("max_length") or 20
    return st.text(st.characters(codec="utf-8"), min_size=least, max_size=min(most, 20))


def _bounds(metadata: tuple[Any, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in metadata:
        if isinstance(each, FieldInfo):
            found |= _bounds(tuple(each.metadata))
        elif isinstance(each, StringConstraints):
            found |= {name: value for name, value in vars(each).items() if value is not None}
        elif dataclasses.is_dataclass(each) and not isinstance(each, type):
            found |= dataclasses.asdict(each)
        elif hasattr(each, "pattern"):
            found["pattern"] = each.pattern
    return found


def _value(kind: Any, bounds: dict[str, Any]) -> Strategy:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in SIMPLE:
        return SIMPLE[kind]
    if origin is Annotated:
        return _value(arguments[0], bounds | _bounds(arguments[1:]))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of([_value(each, bounds) for each in arguments])
    if origin is tuple and arguments[-1] is ...:
        least, most = bounds.get("min_length") or 0, bounds.get("max_length") or 3
        return st.lists(_value(arguments[0], {}), min_size=least, max_size=min(most, 3)).map(tuple)
    if origin is tuple:
        return st.tuples(*(_value(each, {}) for each in arguments))
    if origin is dict:
        return st.dictionaries(_value(arguments[0], {}), _value(arguments[1], {}), max_size=3)
    if kind is str:
        return _string(bounds)
    if kind in (int, float):
        return _number(kind, bounds)
    return _message(kind)


def _message(cls: type[Message]) -> Strategy:
    fields = {
        name: _value(field.annotation, _bounds(tuple(field.metadata)))
        for name, field in cls.model_fields.items()
    }
    if cls is Chunking:
        # A strategy refuses the fields of another, so those that are its own stand for all.
        own = {"strategy", "size", "context_words"}
        fields = {name: values for name, values in fields.items() if name in own}
        fields["strategy"] = st.sampled_from(["character", "markdown", "semantic", "contextual"])
    if cls is GenerationSettings:
        fields["preview"] = st.none()
    if cls is DocumentSplitRequested:
        fields["overlap_pages"] = st.just(0)
    if cls is DocumentFetchRequested:
        words = st.text("abcdefgh", min_size=1, max_size=8)
        fields["urls"] = st.lists(words.map("https://{}.example/a?b=1".format), min_size=1).map(
            tuple
        )
    if cls is DocumentSubmitted:
        fields["content"] = fields["content_base64"] = st.none()
        fields["blob"] = _message(BlobRef)
    return st.fixed_dictionaries(fields).map(cls.model_validate)


@pytest.fixture(scope="session")
def drawn() -> Drawn:
    """A strategy for the messages of a class."""
    return _message
