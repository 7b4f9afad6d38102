"""Passages that are no use are named as what they are, and prose never is."""

import pytest

from contracts.document import PageSpan
from contracts.generation import Mode
from services.generate.skipping import content, is_english, reason_to_skip, repeated_lines

PROSE = (
    "Tea bushes at high elevation grow slowly, because nights are cold. Slow growth lets more"
    " aromatic oils gather in the leaf. In 1834 a committee of the [Company](https://example.org/a)"
    " went to look for places in Assam where tea might be grown, and found wild bushes there.\n"
)


def reason(passage: str, *path: str, repeated: frozenset[str] = frozenset()) -> str | None:
    return reason_to_skip(passage, content(passage), path, repeated, "question and answer")


def test_prose_is_not_skipped() -> None:
    assert reason(PROSE) is None
    assert reason("## Origins\n\n" + PROSE, "Tea", "Origins") is None


@pytest.mark.parametrize(
    ("expected", "passage", "path"),
    [
        ("too_short", "## Limits\n\nThe canal has none that anybody knows of today.", ("Limits",)),
        ("too_short", "", ()),
        ("too_short", "----\n\n----\n", ()),
        ("digits_punctuation", "12.5 | 13.7 | 99.1 (a)\n" * 12, ()),
        (
            "table_of_contents",
            "1 Origins ........ 3\n1.1 The first mills . . . . . 7\n2 Roller mills\t19\nIndex     211\n",
            (),
        ),
        (
            "table_of_contents",
            "- [Origins of the system](#o)\n- [The base units of it](#b)\n- [Glossary](#g)\n",
            ("The metric system", "Contents"),
        ),
        (
            "references",
            (
                "[1] Heilman, M. and Smith, N. (2010). Good question! In Proceedings of NAACL.\n"
                "[2] Alberti, C. et al. 2019. Synthetic QA corpora generation. arXiv.\n"
                "[3] Choi, E. 2021. Decontextualization. Journal of the ACL, vol. 9.\n"
            ),
            (),
        ),
        (
            "references",
            "- https://example.org/a\n- McCullough, The Path Between the Seas, 1977, Simon Press\n",
            ("Panama Canal", "References"),
        ),
        (
            "licence",
            (
                "Permission is hereby granted, free of charge, to any person obtaining a copy of this"
                " software, to deal in it without restriction. In no event shall the authors be liable"
                " for any claim, damages or other liability arising from the software or its use.\n"
            ),
            (),
        ),
        (
            "licence",
            (
                "This text is licensed under the terms of a free agreement, which allows everyone to"
                " copy it, to change it and to pass it on, as long as the same is allowed to others.\n"
            ),
            ("The metric system", "Licence and contact"),
        ),
        (
            "link_list",
            "".join(
                f"- [A page about subject number {n}](https://example.org/{n})\n" for n in range(9)
            ),
            ("Elsewhere",),
        ),
    ],
)
def test_a_passage_of_no_use_is_named(expected: str, passage: str, path: tuple[str, ...]) -> None:
    assert reason(passage, *path) == expected


@pytest.mark.parametrize(
    ("passage", "path"),
    [
        (PROSE * 2, ("Rust", "References")),
        (PROSE * 2, ("Contents",)),
        (PROSE + "All rights reserved.\n", ()),
        (PROSE.replace("Company", "Company, 2010, Journal of Tea, vol. 3"), ()),
        (
            "| Lock | Opened in | Width of it |\n|---|---|---|\n"
            + "| Gatun locks | 1914 | wide |\n" * 9,
            (),
        ),
    ],
)
def test_what_only_looks_like_it_is_kept(passage: str, path: tuple[str, ...]) -> None:
    assert reason(passage, *path) is None


def test_page_headers_are_the_lines_at_the_edges_of_pages() -> None:
    body = "The same sentence stands in the middle of each page.\n" + PROSE
    texts = [
        f"Annual Report 2024\nPage {n}\n\n{PROSE * 2}{body}{PROSE}Confidential\n" for n in range(9)
    ]
    starts = [sum(map(len, texts[:n])) for n in range(9)]
    pages = [
        PageSpan(number=n + 1, start=start, end=start + len(texts[n]))
        for n, start in enumerate(starts)
    ]

    repeated = repeated_lines("".join(texts), pages)

    assert repeated == {"Annual Report 0", "Page 0", "Confidential"}
    header = "Annual Report 2024\nPage 17\nConfidential\n" * 9
    assert reason(header, repeated=repeated) == "repeated_header"
    assert reason(texts[3], repeated=repeated) is None


def test_without_pages_only_lines_that_stand_alone_are_headers() -> None:
    code = "```js\nconst assert = require('assert');\n});\n```"
    text = "".join(f"Annual Report {n}\n\n{PROSE}\n{code}\n\n" for n in range(5))

    assert repeated_lines(text, ()) == {"Annual Report 0"}


def test_words_are_those_of_content() -> None:
    assert content("# A heading\n\n**Two words** [here](https://example.org/not/these)").words == 3
    assert content("### What is tea?\n\nA drink.").words == 5
    assert content("|---|:--|\n| a | b |\n<!-- not\nthis -->").words == 2
    assert content("运河连接两个大洋").words == 5


def test_summaries_need_a_longer_passage() -> None:
    mode: Mode = "summarization"

    assert reason_to_skip(PROSE, content(PROSE), (), frozenset(), mode) == "too_short"
    assert reason_to_skip(PROSE * 3, content(PROSE * 3), (), frozenset(), mode) is None


def test_english_is_told_by_its_commonest_words() -> None:
    german = "Der Kanal ist eine künstliche Wasserstraße, die die Nordsee mit der Ostsee verbindet."

    assert is_english(PROSE)
    assert not is_english(german)
