"""Whether everything that was said in an old form can still be read in a new one. Pure; judges two JSON Schemas.

The log is never rewritten, so a published form may only grow: fields with a default, more alternatives, looser bounds.
Where a change cannot be judged it counts as a break: a class with a ``V2`` suffix and an upcaster is always possible.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

Schema = Mapping[str, JsonValue]

_SAYS_NOTHING = {
    "$schema", "$defs", "$ref", "title", "description", "default", "examples", "deprecated", "discriminator",
}  # fmt: skip
"""Keywords that refuse no value. A changed default is no break: what is kept names every field that its class had."""
_CHOICES = {"anyOf", "oneOf"}
_AT_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_AT_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT = ("pattern", "format", "multipleOf", "uniqueItems")
_JUDGED = _SAYS_NOTHING.union(
    _AT_LEAST, _AT_MOST, _EXACT, _CHOICES,
    {"type", "enum", "const", "properties", "required", "additionalProperties"},
    {"items", "prefixItems", "propertyNames"},
)  # fmt: skip


def incompatible(old: Schema, new: Schema) -> list[str]:
    """Every way in which the new schema refuses what the old one took, or forgets a field; empty: none.

    Each is one line that begins with the path of the field, ``message`` for the whole.
    """
    return list(dict.fromkeys(_Comparison(old, new).breaks(old, new, "")))


@dataclass(frozen=True, slots=True)
class _Comparison:
    old_root: Schema
    new_root: Schema
    open: set[tuple[str, str]] = field(default_factory=set)
    """Pairs under comparison, as text, so that a form that holds itself comes to an end."""

    def breaks(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        """Every alternative of the old form must be taken whole by one of the new."""
        choices = list(_alternatives(new, self.new_root))
        wanted = list(_alternatives(old, self.old_root))
        alone = len(wanted) == len(choices) == 1
        for each in wanted:
            found = [self._guarded(each, choice, at) for choice in choices]
            if all(found):
                likest = min(range(len(choices)), key=lambda n: _unlike(each, choices[n], found[n]))
                if _alike(each, choices[likest], alone=alone):
                    yield from found[likest]
                else:
                    yield f"{at or 'message'}: {_kind(each)} is no longer taken"

    def _guarded(self, old: Schema, new: Schema, at: str) -> list[str]:
        """Within its own comparison a pair counts as compatible: it is judged where it began."""
        pair = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True))
        if pair in self.open:
            return []
        self.open.add(pair)
        found = list(self._one(old, new, at))
        self.open.remove(pair)
        return found

    def _one(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        here = at or "message"
        strange = (old.keys() | new.keys()) - _JUDGED
        for name in sorted(strange):
            if old.get(name) != new.get(name):
                yield f"{here}: {name} changed, which cannot be judged"
        if not _takes_type(old.get("type"), new.get("type")):
            yield f"{here}: the type {old.get('type', 'any')} became {new.get('type')}"
            return
        yield from _narrowed(old, new, here)
        yield from _tightened(old, new, here)
        yield from self._fields(old, new, at)
        yield from self._items(old, new, at)

    def _fields(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, after = _mapping(old.get("properties")), _mapping(new.get("properties"))
        had, has = _strings(old.get("required")), _strings(new.get("required"))
        for name, schema in before.items():
            path = f"{at}.{name}" if at else name
            if name not in after:
                yield f"{path}: the field was removed"
                continue
            yield from self.breaks(_mapping(schema), _mapping(after[name]), path)
        for name in sorted(has - had):
            what = "became required" if name in before else "is new and required"
            yield f"{at}.{name}: the field {what}" if at else f"{name}: the field {what}"
        rest, other = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if rest is not False:
            for name in sorted(after.keys() - before.keys()):
                yield from self.breaks(_mapping(rest), _mapping(after[name]), f"{at}.{name}")
        if rest is not False and other is False:
            yield f"{at or 'message'}: other fields are no longer taken"
        elif isinstance(other, dict) and rest is not False:
            yield from self.breaks(_mapping(rest), other, f"{at}.*" if at else "*")
        if "propertyNames" in new:
            names = _mapping(old.get("propertyNames"))
            yield from self.breaks(names, _mapping(new["propertyNames"]), f"{at}.<name>")

    def _items(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, after = _list(old.get("prefixItems")), _list(new.get("prefixItems"))
        if len(before) != len(after):
            yield f"{at or 'message'}: the number of places changed"
            return
        for n, (was, now) in enumerate(zip(before, after, strict=True)):
            yield from self.breaks(_mapping(was), _mapping(now), f"{at}[{n}]")
        if "items" in new:
            yield from self.breaks(_mapping(old.get("items")), _mapping(new["items"]), f"{at}[]")


def _narrowed(old: Schema, new: Schema, here: str) -> Iterator[str]:
    """Values that were named before and are not now."""
    taken, wanted = _values(new), _values(old)
    if taken is None:
        return
    if wanted is None:
        yield f"{here}: only {', '.join(map(repr, taken))} is taken now"
        return
    for value in wanted:
        if not any(type(value) is type(each) and value == each for each in taken):
            yield f"{here}: {value!r} is no longer taken"


def _tightened(old: Schema, new: Schema, here: str) -> Iterator[str]:
    for names, sign in ((_AT_LEAST, 1), (_AT_MOST, -1)):
        for name in names:
            was, now = old.get(name), new.get(name)
            if isinstance(now, int | float) and not (
                isinstance(was, int | float) and now * sign <= was * sign
            ):
                yield f"{here}: {name} went from {'none' if was is None else was} to {now}"
    for name in _EXACT:
        if new.get(name) not in (None, False, old.get(name)):
            yield f"{here}: {name} went from {old.get(name, 'none')} to {new[name]}"


def _takes_type(old: JsonValue, new: JsonValue) -> bool:
    return new is None or old == new or (old == "integer" and new == "number")


def _alternatives(schema: Schema, root: Schema) -> Iterator[Schema]:
    """The schemas of which a value meets one: references followed, what stands beside them added."""
    beside = {name: said for name, said in schema.items() if name not in _CHOICES | _SAYS_NOTHING}
    if isinstance(ref := schema.get("$ref"), str):
        target = _mapping(root.get("$defs")).get(ref.removeprefix("#/$defs/"))
        if target is None:
            raise LookupError(f"{ref} is not defined in its schema")
        yield from ({**each, **beside} for each in _alternatives(_mapping(target), root))
        return
    choices = [each for name in sorted(_CHOICES) for each in _list(schema.get(name))]
    if not choices:
        yield schema
    for each in choices:
        yield from ({**found, **beside} for found in _alternatives(_mapping(each), root))


def _unlike(old: Schema, new: Schema, found: list[str]) -> tuple[bool, int]:
    """How little a new alternative resembles an old one: the kind first, then the breaks."""
    return _kind(old) != _kind(new), len(found)


def _alike(old: Schema, new: Schema, *, alone: bool) -> bool:
    """Whether the new is the old one changed, so that the change itself is worth naming."""
    return old.get("type") == new.get("type") if alone else _kind(old) == _kind(new)


def _kind(schema: Schema) -> str:
    """What an alternative is, as a reader would name it: its type, with the tag that tells it from its like."""
    tags = (
        f"{name}={each['const']}"
        for name, each in _mapping(schema.get("properties")).items()
        if isinstance(each, dict) and "const" in each
    )
    return " ".join((str(schema.get("type", "any")), *tags))


def _values(schema: Schema) -> list[JsonValue] | None:
    if "const" in schema:
        return [schema["const"]]
    return _list(schema["enum"]) if "enum" in schema else None


def _mapping(value: JsonValue) -> dict[str, JsonValue]:
    """A schema or a table of them; what is not said takes anything."""
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _strings(value: JsonValue) -> set[str]:
    return {each for each in _list(value) if isinstance(each, str)}
