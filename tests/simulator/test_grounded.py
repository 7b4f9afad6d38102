"""The built-in model behind HTTP, with defects whose labels stay out of the answers."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from services.generate.prompts import fence
from services.generate.prompts.read import PromptUnreadable
from tests.simulator.behaviour import Behaviour
from tests.simulator.defects import MAKERS
from tests.simulator.process import Simulation
from tests.simulator.said import Said, Writer

METRIC = (Path(__file__).parents[1] / "data/documents/metric-system.md").read_text("utf-8")
SECTIONS = [f"## {section}" for section in METRIC.split("\n## ")[2:]]
SYSTEM = "Mode: question and answer\n\nRules."
CODE = "0123456789ab"


def messages(section: str, slots: int = 4) -> list[dict[str, str]]:
    plan = [f"Entries to write, at most: {slots}"]
    plan += [f"{n}. kind: any; difficulty: easy" for n in range(1, slots + 1)]
    document = 'Title: "The metric system"\nSummary: "On units."'
    user = "\n\n".join([
        fence.block("document", CODE, document),
        fence.block("passage", CODE, fence.escape(section)),
        fence.block("plan", CODE, "\n".join(plan)),
    ])  # fmt: skip
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}]


def say(writer: Writer, behaviour: Behaviour, section: str, request: str) -> tuple[Said, list[Any]]:
    said = writer.write(messages(section), behaviour, request)
    return said, json.loads(said.text)["entries"]


def test_sound_entries_are_the_built_in_models_and_carry_no_label() -> None:
    said, entries = say(Writer(), Behaviour(mode="grounded"), SECTIONS[1], "r")
    assert entries
    assert len(entries) <= 4
    assert said.labels == []
    assert said.entries == len(entries)
    for entry in entries:
        assert all(quote in SECTIONS[1] for quote in entry["evidence"])


def test_a_prompt_that_lost_its_passage_is_noticed() -> None:
    broken = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "Write entries."}]
    with pytest.raises(PromptUnreadable):
        Writer().write(broken, Behaviour(mode="grounded"), "r")


def test_labels_name_exactly_the_entries_that_differ_from_sound_ones() -> None:
    sound, spoilt = (
        Behaviour(mode="grounded"),
        Behaviour.model_validate(
            {"mode": "grounded", "defects": {"chatter": 0.3, "meta_reference": 0.3}}
        ),
    )
    differ, labelled = 0, 0
    for n, section in enumerate(SECTIONS):
        _, before = say(Writer(), sound, section, str(n))
        said, after = say(Writer(), spoilt, section, str(n))
        changed = [
            k for k, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]
        ]
        assert [label.n for label in said.labels] == changed
        assert [label.entry for label in said.labels] == [after[k] for k in changed]
        assert "chatter" not in said.text
        assert "meta_reference" not in said.text
        differ += len(changed)
        labelled += len(said.labels)
    assert differ == labelled > 3


def test_most_codes_can_be_had_from_one_document() -> None:
    writer, found = Writer(), Counter[str]()
    rate = 1 / (len(MAKERS) + 1)
    for seed in range(12):
        behaviour = Behaviour.model_validate(
            {"mode": "grounded", "seed": seed, "defects": dict.fromkeys(MAKERS, rate)}
        )
        for n, section in enumerate(SECTIONS):
            said, _ = say(writer, behaviour, section, f"{seed}.{n}")
            found.update(label.code for label in said.labels)
    assert set(found) >= set(MAKERS) - {"copy"}


async def test_labels_are_read_from_the_side(simulator: Simulation) -> None:
    import aiohttp

    simulator.control(mode="grounded", defects={"refusal": 1.0})
    body = {"model": "m", "messages": messages(SECTIONS[1])}
    url = f"{simulator.openai_base_url}/chat/completions"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        answer = await response.json()
    entries = json.loads(answer["choices"][0]["message"]["content"])["entries"]
    labels = simulator.labels()
    assert [label["code"] for label in labels] == ["refusal"] * len(entries)
    assert [label["entry"] for label in labels] == entries
    simulator.reset()
    assert simulator.labels() == []


async def test_a_prompt_without_its_passage_is_an_error_on_the_wire(simulator: Simulation) -> None:
    import aiohttp

    simulator.control(mode="grounded")
    body = {"model": "m", "messages": [{"role": "user", "content": "Write entries."}]}
    url = f"{simulator.openai_base_url}/chat/completions"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        assert response.status == 422
        assert (await response.json())["error"]["code"] == "prompt_unreadable"
