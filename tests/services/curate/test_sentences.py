"""Content sentences: where they stand, and what is none."""

from hypothesis import given
from hypothesis import strategies as st

from services.curate.sentences import sentences, sentences_between, touched

TEXT = """# A heading of several words here

The canal was opened by Dr. Smith in 1914. It has e.g. three locks,
and they are 33.5 m wide. Der Bau begann am 3. Juni 1887 in Kiel.

| a table | row with | several words in it |
|---|---|---|

- A list item with more than five words
- short item

```
some code that is long enough to count
```
"""


def test_sentences_are_those_of_running_text_and_list_items() -> None:
    assert [" ".join(TEXT[a:b].split()) for a, b in sentences(TEXT)] == [
        "The canal was opened by Dr. Smith in 1914.",
        "It has e.g. three locks, and they are 33.5 m wide.",
        "Der Bau begann am 3. Juni 1887 in Kiel.",
        "A list item with more than five words",
    ]


def test_chinese_and_japanese_end_without_a_blank() -> None:
    text = "巴拿马运河于一九一四年八月开通。它连接大西洋和太平洋两个海洋。"
    assert len(sentences(text)) == 2


def test_a_quote_touches_the_sentences_it_covers_and_those_that_hold_it() -> None:
    places = sentences(TEXT)
    assert touched(places, places[0][0] + 4, places[0][1] - 4) == places[:1]
    assert touched(places, places[0][0], places[1][1]) == places[:2]
    assert touched(places, places[0][1] - 2, places[1][1]) == places[1:2]
    assert touched(places, 0, 5) == ()


@given(st.text(alphabet="Ab c.\n#|-`!?1 ä。", max_size=300), st.integers(0, 50))
def test_places_are_in_order_apart_and_inside(text: str, start: int) -> None:
    places = sentences_between(text, start, len(text))
    bounds = [bound for place in places for bound in place]
    assert bounds == sorted(bounds)
    assert all(start <= a < b <= len(text) for a, b in places)
    assert all(not text[a].isspace() and not text[b - 1].isspace() for a, b in places)
