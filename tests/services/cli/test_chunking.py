"""``--chunking`` as the API takes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.cli.chunking import chunking_of
from shared.errors import Refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("token", {"strategy": "token"}),
        (
            "token size=256 overlap=32 tokenizer=bert",
            {"strategy": "token", "size": 256, "overlap": 32, "tokenizer": "bert"},
        ),
        ("semantic similarity_drop=0.5", {"strategy": "semantic", "similarity_drop": 0.5}),
        (
            """delimiter 'delimiters=["\\n\\n", "#"]' merge=true""",
            {"strategy": "delimiter", "delimiters": ["\n\n", "#"], "merge": True},
        ),
    ],
)
def test_a_strategy_is_followed_by_its_values(words: str, said: dict[str, Any]) -> None:
    assert chunking_of(words) == said


def test_rules_are_read_from_a_file(tmp_path: Path) -> None:
    schema = {"rules": [{"type": "pattern", "value": "^Q:"}], "include_pattern": True}
    (tmp_path / "rules.json").write_text(json.dumps(schema))
    assert chunking_of(f"schema rules=@{tmp_path}/rules.json") == {"strategy": "schema", **schema}


@pytest.mark.parametrize("words", ["", "token size", "token =3", "'token", "schema rules=@no.json"])
def test_other_words_are_refused(words: str) -> None:
    with pytest.raises(Refused) as caught:
        chunking_of(words)
    assert caught.value.code == "invalid_chunking"
