"""The page of one entry, from its file to its verdict."""

from collections.abc import Callable
from typing import Any

import pytest

from services.cli.answers import Chain, Entry
from services.cli.chain import MARKED, chain_page
from services.cli.layout import page

TEXT = "# Tea\n\nTea is a drink. It is made from leaves.\nWater boils at 100 degrees."


@pytest.fixture
def chain(entry: Callable[..., Entry]) -> Callable[..., Chain]:
    def make(**changes: Any) -> Chain:
        wire: dict[str, Any] = {
            "entry": entry().model_dump(),
            "source": {
                "file_name": "tea.txt",
                "other_names": ["copy of tea.txt"],
                "sha256": "f" * 64,
                "size": 5600,
                "media": "text/plain",
                "parser": "gristmill-text/1",
                "title": "Tea",
                "language": "en",
                "text_sha256": "a" * 64,
                "page": 2,
                "heading_path": ["Tea", "Leaves"],
            },
            "chunk": {
                "chunk_id": "c1",
                "index": 4,
                "start": 100,
                "end": 100 + len(TEXT),
                "text": TEXT,
            },
            "evidence": [{"quote": "made from leaves.\nWater", "start": 129, "end": 152}],
            "prompt": {
                "name": "qa",
                "version": 1,
                "hash": "b" * 64,
                "system": "Rules.",
                "user": "Go on.",
            },
            "call": {
                "model": "openai/small",
                "parameters": {"temperature": 0.7},
                "response_key": "k1",
                "usage": {"calls": 1},
                "exchanges": [
                    {"feedback": None, "response": "no json", "finish_reason": "stop"},
                    {"feedback": "not JSON", "response": '{"entries": []}', "finish_reason": None},
                ],
            },
            "verdict": {
                "status": "accepted",
                "reason": None,
                "reasons": [],
                "quality": 0.93,
                "quality_parts": {"form": 1.0, "evidence": 0.86},
                "category": "Tea",
                "kind": "definition",
                "difficulty": "easy",
            },
        }
        return Chain.model_validate(wire | changes)

    return make


MakeChain = Callable[..., Chain]


def shown(chain: Chain, *, full: bool = False) -> str:
    return page(chain_page(chain, 100, full=full)).plain


def test_every_link_is_shown_in_order(chain: MakeChain) -> None:
    found = shown(chain())
    places = [
        found.index(words)
        for words in (
            "1. The file",
            "f" * 64,
            "5.6 KB, text/plain",
            "gristmill-text/1",
            "2. The passage",
            f"100-{100 + len(TEXT)} of the parsed text",
            "129-152",
            "3. The prompt",
            "qa, version 1",
            "b" * 64,
            "4. The call",
            "openai/small",
            "temperature 0.7",
            "no json",
            "not JSON",
            "5. The verdict",
            "all passed",
            "0.93 = form 1.00, evidence 0.86",
        )
    ]
    assert places == sorted(places)


def test_evidence_is_marked_in_its_passage_also_across_lines(chain: MakeChain) -> None:
    found = page(chain_page(chain(), 100, full=False))
    assert "It is ⟦made from leaves.\n    Water⟧ boils" in found.plain
    coloured = [found.plain[span.start : span.end] for span in found.spans if span.style == MARKED]
    assert "".join(coloured).replace("    ", "") == "⟦made from leaves.Water⟧"


def test_the_words_of_the_prompt_are_shown_when_asked_for(chain: MakeChain) -> None:
    assert "| Rules." not in shown(chain())
    assert "1 word (--full)" in shown(chain())
    assert "| Rules." in shown(chain(), full=True)


def test_a_rejected_entry_names_every_check_that_it_failed(chain: MakeChain) -> None:
    failed = [
        {"reason": "copy", "detail": "82 of 88 words"},
        {"reason": "length", "detail": "90 words"},
    ]
    verdict = chain().verdict.model_dump() | {
        "status": "rejected",
        "reason": "copy",
        "reasons": failed,
    }
    found = shown(chain(verdict=verdict))
    assert "copy: the answer is the passage, copied" in found
    assert "length: 90 words" in found
    assert "all passed" not in found


def test_what_was_erased_is_said_and_the_rest_stays(
    chain: MakeChain, entry: Callable[..., Entry]
) -> None:
    gone = chain(
        entry=entry(question=None, answer=None, evidence=[], content=None).model_dump(),
        source={},
        chunk={"chunk_id": "c1"},
        evidence=[],
        prompt={"name": "qa", "version": 1, "hash": "b"},
        call=chain().call.model_dump() | {"exchanges": None},
    )
    found = shown(gone, full=True)
    assert "(the document was erased)" in found
    assert "(the text was erased)" in found
    assert "(erased)" in found
    assert "openai/small" in found
