"""The judge of compatibility, tried on planted changes; each verdict is checked by reading with the new class."""

import json
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from contracts.schemas import PROMISED, schema_of
from contracts.schemas.compatibility import Schema, incompatible

Form = dict[str, Any]

Short = Annotated[str, Field(max_length=3)]
Long = Annotated[str, Field(max_length=9)]
Low = Annotated[int, Field(ge=0)]
High = Annotated[int, Field(ge=5)]
Hex = Annotated[str, Field(pattern="^[0-9a-f]+$")]


class Pair(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int
    b: int = 0


class Lone(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int


class Cat(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["dog"] = "dog"
    bark: str = ""


Pet = Annotated[Cat | Dog, Field(discriminator="type")]


def model(form: Form) -> type[BaseModel]:
    """A closed class with these fields; a tuple gives type and default."""
    fields: dict[str, Any] = {
        name: each if isinstance(each, tuple) else (each, ...) for name, each in form.items()
    }
    made: type[BaseModel] = create_model("Form", __config__=ConfigDict(extra="forbid"), **fields)
    return made


def judged(old: Form, new: Form) -> list[str]:
    return incompatible(model(old).model_json_schema(), model(new).model_json_schema())


BREAKS: dict[str, tuple[Form, Form, Form, str]] = {
    # what changed: (old, new, something said in the old form, what the judge says)
    "field removed": ({"a": int, "b": int}, {"a": int}, {"a": 1, "b": 2}, "b: the field was removed"),
    "field renamed": ({"a": int}, {"b": int}, {"a": 1}, "a: the field was removed"),
    "new required field": ({"a": int}, {"a": int, "b": int}, {"a": 1}, "b: the field is new and required"),
    "default taken away": ({"a": (int, 1)}, {"a": int}, {}, "a: the field became required"),
    "type changed": ({"a": str}, {"a": int}, {"a": "x"}, "a: string is no longer taken"),
    "number narrowed": ({"a": float}, {"a": int}, {"a": 0.5}, "a: number is no longer taken"),
    "None refused": ({"a": int | None}, {"a": int}, {"a": None}, "a: null is no longer taken"),
    "alternative refused": ({"a": int | str}, {"a": int}, {"a": "x"}, "a: string is no longer taken"),
    "enum narrowed": ({"a": Literal["x", "y"]}, {"a": Literal["x"]}, {"a": "y"}, "a: 'y' is no longer taken"),
    "const changed": ({"a": Literal["x"]}, {"a": Literal["y"]}, {"a": "x"}, "a: 'x' is no longer taken"),
    "free text made an enum": ({"a": str}, {"a": Literal["x", "y"]}, {"a": "z"}, "a: only 'x', 'y' is taken now"),
    "free text made a const": ({"a": str}, {"a": Literal["x"]}, {"a": "z"}, "a: only 'x' is taken now"),
    "lower bound raised": ({"a": Low}, {"a": High}, {"a": 1}, "a: minimum went from 0 to 5"),
    "lower bound set": ({"a": int}, {"a": Low}, {"a": -1}, "a: minimum went from none to 0"),
    "upper bound lowered": ({"a": Long}, {"a": Short}, {"a": "abcd"}, "a: maxLength went from 9 to 3"),
    "upper bound set": ({"a": str}, {"a": Long}, {"a": "a" * 10}, "a: maxLength went from none to 9"),
    "fewest items set": (
        {"a": tuple[int, ...]}, {"a": Annotated[tuple[int, ...], Field(min_length=1)]}, {"a": []},
        "a: minItems went from none to 1",
    ),
    "pattern set": ({"a": str}, {"a": Hex}, {"a": "z"}, "a: pattern went from none to ^[0-9a-f]+$"),
    "pattern tightened": (
        {"a": Hex}, {"a": Annotated[str, Field(pattern="^[0-9]+$")]}, {"a": "f"},
        "a: pattern went from ^[0-9a-f]+$ to ^[0-9]+$",
    ),
    "items narrowed": (
        {"a": tuple[float, ...]}, {"a": tuple[int, ...]}, {"a": [0.5]},
        "a[]: number is no longer taken",
    ),
    "places added": (
        {"a": tuple[int, int]}, {"a": tuple[int, int, int]}, {"a": [1, 2]}, "a: the number of places changed",
    ),
    "place narrowed": (
        {"a": tuple[int, float]}, {"a": tuple[int, int]}, {"a": [1, 0.5]},
        "a[1]: number is no longer taken",
    ),
    "values of a table narrowed": (
        {"a": dict[str, float]}, {"a": dict[str, int]}, {"a": {"k": 0.5}},
        "a.*: number is no longer taken",
    ),
    "names of a table narrowed": (
        {"a": dict[str, int]}, {"a": dict[Literal["k"], int]}, {"a": {"other": 1}}, "a.<name>: only 'k' is taken now",
    ),
    "table closed": ({"a": dict[str, int]}, {"a": Lone}, {"a": {"k": 1}}, "a: other fields are no longer taken"),
    "field removed within": ({"a": Pair}, {"a": Lone}, {"a": {"a": 1, "b": 2}}, "a.b: the field was removed"),
    "field removed in a list": (
        {"a": tuple[Pair, ...]}, {"a": tuple[Lone, ...]}, {"a": [{"a": 1, "b": 2}]}, "a[].b: the field was removed",
    ),
    "kind of a union gone": (
        {"a": Pet}, {"a": Cat}, {"a": {"type": "dog", "bark": "wow"}}, "a: object type=dog is no longer taken",
    ),
    "anything made something": ({"a": Any}, {"a": int}, {"a": "x"}, "a: any is no longer taken"),
}  # fmt: skip

GROWTH: dict[str, tuple[Form, Form, Form]] = {
    "field added with a default": ({"a": int}, {"a": int, "b": (str, "")}, {"a": 1}),
    "field made optional": ({"a": int}, {"a": (int, 0)}, {"a": 1}),
    "default changed": ({"a": (int, 0)}, {"a": (int, 1)}, {"a": 0}),
    "None allowed": ({"a": int}, {"a": int | None}, {"a": 1}),
    "enum widened": ({"a": Literal["x"]}, {"a": Literal["x", "y"]}, {"a": "x"}),
    "enum opened": ({"a": Literal["x", "y"]}, {"a": str}, {"a": "y"}),
    "integer made a number": ({"a": int}, {"a": float}, {"a": 1}),
    "bounds loosened": ({"a": High, "b": Short}, {"a": Low, "b": Long}, {"a": 5, "b": "abc"}),
    "bounds dropped": ({"a": High, "b": Hex}, {"a": int, "b": str}, {"a": 5, "b": "f"}),
    "field added within": ({"a": Lone}, {"a": Pair}, {"a": {"a": 1}}),
    "kind added to a union": ({"a": Cat}, {"a": Pet}, {"a": {"type": "cat", "lives": 1}}),
    "description changed": (
        {"a": int}, {"a": Annotated[int, Field(description="x", title="y")]}, {"a": 1},
    ),
    "order changed": ({"a": int, "b": str}, {"b": str, "a": int}, {"a": 1, "b": ""}),
}  # fmt: skip


@pytest.mark.parametrize("change", BREAKS)
def test_a_break_is_found_and_named(change: str) -> None:
    old, new, said, verdict = BREAKS[change]
    model(old).model_validate(said)
    with pytest.raises(ValidationError):
        model(new).model_validate(said)

    assert verdict in judged(old, new)


@pytest.mark.parametrize("change", GROWTH)
def test_growth_is_allowed(change: str) -> None:
    old, new, said = GROWTH[change]
    model(old).model_validate(said)
    model(new).model_validate(said)

    assert judged(old, new) == []


def test_a_table_in_which_one_name_is_now_something_else_is_a_break() -> None:
    old: Schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    new: Schema = {**old, "properties": {"k": {"type": "string"}}}
    assert incompatible(old, new) == [".k: integer is no longer taken"]


def test_what_cannot_be_judged_is_a_break() -> None:
    assert incompatible({"not": {"type": "null"}}, {"not": {"type": "string"}}) == [
        "message: not changed, which cannot be judged"
    ]


def test_what_stands_beside_a_choice_counts() -> None:
    old: Schema = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert incompatible(old, {**old, "maxLength": 3}) == ["message: maxLength went from none to 3"]


def test_a_form_that_holds_itself_is_judged_to_its_end() -> None:
    def tree(**leaf: Any) -> dict[str, Any]:
        node = {
            "type": "object",
            "properties": {
                "leaf": leaf,
                "inner": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
            },
        }
        return {"$ref": "#/$defs/Node", "$defs": {"Node": node}}

    assert incompatible(tree(type="integer"), tree(type="number")) == []
    assert incompatible(tree(type="number"), tree(type="integer")) == [
        "leaf: number is no longer taken"
    ]


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_every_message_is_compatible_with_itself(name: str) -> None:
    schema = schema_of(PROMISED[name])
    assert incompatible(schema, schema) == []


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_a_field_taken_from_any_message_or_put_into_it_is_noticed(name: str) -> None:
    schema = schema_of(PROMISED[name])
    for field in schema.get("properties", {}):
        cut = json.loads(json.dumps(schema))
        del cut["properties"][field]
        cut["required"] = [each for each in cut.get("required", []) if each != field]
        assert f"{field}: the field was removed" in incompatible(schema, cut)
    grown = json.loads(json.dumps(schema))
    grown.setdefault("properties", {})["surprise"] = {"type": "string"}
    assert incompatible(schema, grown) == []
    grown["required"] = [*grown.get("required", []), "surprise"]
    assert incompatible(schema, grown) == ["surprise: the field is new and required"]


# -- soundness: what the judge lets pass reads whatever was said before ------------------------------

WHOLE = st.integers(-4, 4)
KINDS: dict[Any, st.SearchStrategy[Any]] = {
    int: WHOLE,
    float: st.sampled_from([-1.5, 0.0, 2.5]),
    str: st.text("ab", max_size=4),
    bool: st.booleans(),
    None: st.none(),
    Literal["a", "b"]: st.sampled_from(["a", "b"]),
    Literal["a"]: st.just("a"),
    Low: st.integers(0, 9),
    High: st.integers(5, 9),
    Short: st.text("ab", max_size=3),
    Hex: st.text("ab", min_size=1, max_size=4),
    int | None: WHOLE | st.none(),
    int | str: WHOLE | st.text("ab", max_size=4),
    tuple[int, ...]: st.lists(WHOLE, max_size=3),
    tuple[High | None, ...]: st.lists(st.integers(5, 9) | st.none(), max_size=3),
    tuple[int, int]: st.lists(WHOLE, min_size=2, max_size=2),
    dict[str, int]: st.dictionaries(st.text("ab", min_size=1, max_size=1), WHOLE, max_size=2),
    Lone: st.fixed_dictionaries({"a": WHOLE}),
    Pair: st.fixed_dictionaries({"a": WHOLE}, optional={"b": WHOLE}),
    Pet: st.sampled_from([{"type": "cat", "lives": 3}, {"type": "dog"}, {"type": "dog", "bark": "a"}]),
}  # fmt: skip


@pytest.mark.parametrize("old", KINDS, ids=str)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_the_judge_lets_pass_reads_whatever_was_said_before(
    old: Any, data: st.DataObject
) -> None:
    said = {"a": data.draw(KINDS[old])}
    for new in COMPATIBLE[old]:
        FORMS[new].model_validate_json(json.dumps(said))


FORMS = {kind: model({"a": kind}) for kind in KINDS}
COMPATIBLE: dict[Any, list[Any]] = {kind: [] for kind in KINDS}
for _old, _new in product(KINDS, KINDS):
    if not incompatible(FORMS[_old].model_json_schema(), FORMS[_new].model_json_schema()):
        COMPATIBLE[_old].append(_new)


def test_the_judge_lets_something_pass_and_refuses_most() -> None:
    passed = sum(map(len, COMPATIBLE.values()))
    assert len(KINDS) < passed < len(KINDS) ** 2 / 4
    assert High in COMPATIBLE[High]
    assert Low in COMPATIBLE[High]
    assert High not in COMPATIBLE[Low]


def test_the_published_forms_lie_beside_the_samples() -> None:
    here = Path(__file__).parent
    published = {path.stem for path in (here / "published").glob("*.json")}
    assert published <= {path.stem for path in (here / "samples").glob("*.json")}
