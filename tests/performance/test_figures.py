"""A figure never stands alone, and says how often it was measured."""

from tests.performance.figures import Figure, spread, table

FIGURE = Figure("rows", "rows/s", (90.0, 110.0, 100.0), "bare", (200.0,), "more", "of 3 runs")


def test_a_ratio_is_one_of_medians() -> None:
    assert FIGURE.ratio == 0.5


def test_repeated_measurements_show_their_spread() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2 (1–3, n=3)"
    assert spread([12345.6]) == "12,346"


def test_a_row_names_its_yardstick_and_its_note() -> None:
    text = table([FIGURE])
    assert "bare" in text.splitlines()[1]
    assert "0.5" in text.splitlines()[1]
    assert text.splitlines()[2].strip() == "of 3 runs"
