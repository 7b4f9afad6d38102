"""Derived identities: the same for ever, and different for different things."""

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from contracts import identity

A = UUID("11111111-1111-4111-8111-111111111111")
B = UUID("22222222-2222-4222-8222-222222222222")
SHA = "ab" * 32

GOLDEN: dict[str, tuple[Callable[..., UUID], tuple[object, ...], str]] = {
    "project": (
        identity.project_id,
        ("default", "gristmill://gateway", "key 1"),
        "10478f01-be23-53c7-ae53-4d1ade893f83",
    ),
    "job": (
        identity.job_id,
        ("default", "gristmill://gateway", "key 1"),
        "ecf0de47-bbf5-5988-980e-1bf78094ab20",
    ),
    "request": (
        identity.request_message,
        ("default", "gristmill://gateway", "key 1"),
        "485c5a1f-e3f1-598a-97f3-45d178f9fb65",
    ),
    "document": (identity.document_id, (A, SHA), "771804d9-9483-58e1-88ba-f89f943a81fa"),
    "chunk": (
        identity.chunk_id,
        (A, "markdown/2000/0", 17),
        "40a520ef-9b0b-56e6-adb1-0cc30d97d479",
    ),
    "dataset": (identity.dataset_id, (A,), "5e24aa14-38a4-55d8-93d6-66a899a71a6d"),
    "unit": (identity.unit_id, (A, "admit/3"), "2925c2e5-5f8d-506b-8a7e-e2875120a62b"),
    "seed unit": (identity.seed_unit, (A, 17), "81237901-484e-54f9-8fff-f2e717ac5701"),
    "entry": (identity.entry_id, (A, 0, 2), "25c1fe40-cb00-5742-bbb4-f982e11cb038"),
    "outcome": (identity.outcome_id, (A, 1, B), "113583fa-1a74-532d-aa85-44548a5d8b4c"),
    "answered": (identity.answered_id, (A, 1), "6870fedc-9010-5280-930e-0472c2e2c4f0"),
    "event": (identity.event_id, (A, 0), "b8460d79-ad35-57b8-b6d2-80f4427e20dd"),
    "call": (identity.call_id, (A, 1, B, 0), "8487c9e6-2678-58de-991a-9c9b53fbee6a"),
    "body": (identity.body_id, (A, "entries"), "14b792f6-7bbf-5adc-8b9a-2a2321ac8976"),
    "followup": (identity.followup_id, (A, 4), "2b9e09d8-ff0d-515a-8a25-c6e2cfc9c3cc"),
    "command": (identity.command_id, (A,), "c5749240-cb72-5816-8123-809d5d2d37d1"),
    "calls stream": (identity.calls_stream, (A,), "47729362-d377-57c9-8b60-787dea691f3c"),
}
"""Recorded once. A change here would make every log that exists unreadable to the code."""


@pytest.mark.parametrize("name", GOLDEN)
def test_an_identity_is_the_same_for_ever(name: str) -> None:
    derive, arguments, golden = GOLDEN[name]
    assert str(derive(*arguments)) == golden


def test_every_identity_has_a_golden_value() -> None:
    public = {
        function
        for name, function in vars(identity).items()
        if callable(function)
        and not name.startswith("_")
        and getattr(function, "__module__", "") == identity.__name__
    }
    assert public == {derive for derive, _, _ in GOLDEN.values()}


def test_one_thing_derives_many_identities_and_all_of_them_differ() -> None:
    derived = [derive(*arguments) for derive, arguments, _ in GOLDEN.values()]
    assert len(set(derived)) == len(derived)


TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.text("/%:a", max_size=6)
IDS = st.sampled_from([A, B])
NUMBERS = st.integers(0, 30)
TENANTS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,4}", fullmatch=True)
KEYS = st.tuples(TENANTS, TEXT, TEXT)
WHAT_THINGS_ARE: list[tuple[Callable[..., UUID], st.SearchStrategy[tuple[object, ...]]]] = [
    (identity.project_id, KEYS),
    (identity.job_id, KEYS),
    (identity.request_message, KEYS),
    (identity.document_id, st.tuples(IDS, st.from_regex(r"[0-9a-f]{64}", fullmatch=True))),
    (
        identity.chunk_id,
        st.tuples(
            IDS, st.sampled_from(["markdown/20/1", "markdown/2/01", "sentence/2/0"]), NUMBERS
        ),
    ),
    (identity.unit_id, st.tuples(IDS, TEXT)),
    (identity.seed_unit, st.tuples(IDS, NUMBERS)),
    (identity.entry_id, st.tuples(IDS, NUMBERS, NUMBERS)),
    (identity.outcome_id, st.tuples(IDS, NUMBERS, IDS)),
    (identity.answered_id, st.tuples(IDS, NUMBERS)),
    (identity.event_id, st.tuples(IDS, NUMBERS)),
    (identity.call_id, st.tuples(IDS, NUMBERS, IDS, NUMBERS)),
    (identity.body_id, st.tuples(IDS, TEXT)),
    (identity.followup_id, st.tuples(IDS, NUMBERS)),
]


@pytest.mark.parametrize("what", WHAT_THINGS_ARE, ids=lambda what: what[0].__name__)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_different_things_have_different_identities(
    what: tuple[Callable[..., UUID], st.SearchStrategy[tuple[object, ...]]], data: st.DataObject
) -> None:
    derive, things = what
    one, other = data.draw(things), data.draw(things)
    assume(one != other)
    assert derive(*one) != derive(*other)


def test_a_source_that_is_a_path_does_not_lend_its_end_to_the_key() -> None:
    assert identity.job_id("t", "/a", "b/c") != identity.job_id("t", "/a/b", "c")
    assert identity.job_id("t", "/a%2F", "c") != identity.job_id("t", "/a/", "c")


def test_doing_a_unit_again_yields_the_same_entry_and_another_outcome() -> None:
    unit = identity.seed_unit(A, 3)
    assert identity.entry_id(unit, 0, 0) == identity.entry_id(unit, 0, 0)
    assert identity.outcome_id(unit, 1, B) != identity.outcome_id(unit, 2, B)
