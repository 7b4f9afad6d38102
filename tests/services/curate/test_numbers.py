"""Quantities agree however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.curate.numbers import absent, quantities


def _absent(said: str, source: str, language: str = "en") -> list[str]:
    return list(absent(quantities(said, language), quantities(source, language)))


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("1,000 ships", "one thousand ships", "en"),
        ("1.5 million people", "1,500,000 people", "en"),
        ("twenty-one locks", "21 locks", "en"),
        ("one hundred and five", "105", "en"),
        ("33.5 metres", "33.5 m", "en"),
        ("45 %", "45 percent", "en"),
        ("1.000 Schiffe", "tausend Schiffe", "de"),
        ("einundzwanzig", "21", "de"),
        ("zweihundertfünfzig", "250", "de"),
        ("98,6 Kilometer", "98,6 km", "de"),
        ("quatre-vingt-dix-sept", "97", "fr"),
        ("soixante et onze", "71", "fr"),
        ("1 000 mètres", "mille mètres", "fr"),
        ("treinta y uno", "31", "es"),
        ("15 August 1914", "on August 15, 1914", "en"),
    ],
)
def test_the_same_quantity_agrees(one: str, other: str, language: str) -> None:
    assert _absent(one, other, language) == []
    assert _absent(other, one, language) == []


@pytest.mark.parametrize(
    ("said", "source", "language"),
    [
        ("1,001 ships", "1,000 ships", "en"),
        ("33.5 km", "33.5 m", "en"),
        ("15 July 1914", "15 August 1914", "en"),
        ("twelve chambers", "three chambers", "en"),
        ("soixante-treize écluses", "soixante-trois écluses", "fr"),
        ("zwölf Brücken", "zehn Brücken", "de"),
    ],
)
def test_another_quantity_is_absent(said: str, source: str, language: str) -> None:
    assert _absent(said, source, language)


def test_articles_list_markers_and_sequence_words_are_no_quantities() -> None:
    assert _absent("1. One of the ships comes first.\n2. The second one follows.", "ships") == []


def test_a_month_may_stand_in_a_numeric_date() -> None:
    assert _absent("August 1914", "1914-08-15") == []


def test_a_unit_may_stand_in_the_table_head() -> None:
    assert _absent("The lock is 33.5 m wide.", "| width (m) |\n| 33.5 |") == []


@given(st.integers(0, 999_999_999))
def test_thousands_may_be_parted(number: int) -> None:
    assert _absent(f"{number:,}", f"{number}") == []
    assert _absent(f"{number}", f"{number:,}") == []


@given(st.text(max_size=200), st.sampled_from(["en", "de", "fr", "es", "it", "pt", "zh", None]))
def test_no_text_breaks_the_reading_and_a_text_agrees_with_itself(
    text: str, language: str | None
) -> None:
    read = quantities(text, language)
    assert list(absent(read, read)) == []
