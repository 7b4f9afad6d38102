"""Stable codes in plain words, for people who read a summary. Pure; a code that is not listed is shown as it is."""

from collections.abc import Mapping

from contracts.dataset import Counts

REJECTED: Mapping[str, str] = {
    "malformed": "what the model said could not be read as an entry",
    "empty": "a field that must hold text is empty",
    "truncated": "the text breaks off before its end",
    "meta_reference": 'speaks of "the text" or "this section" instead of the subject',
    "dangling_reference": 'nobody can tell what "it" or "the company" is without the source',
    "underspecified": "the question fits other passages better than its own",
    "evidence_not_found": "the quote does not stand in the source",
    "ungrounded": "the answer says something that the source does not",
    "answer_in_question": "the question gives its answer away",
    "echo": "the answer only repeats the question",
    "copy": "the answer is the passage, copied",
    "wrong_language": "not in the language that was asked for",
    "trivia": "about the document itself, not about its subject",
    "compound": "asks two things at once",
    "refusal": "the model declined instead of answering",
    "chatter": "chat phrases or markup were left in the text",
    "duplicate": "asks what another entry asks, or states the same fact",
    "wrong_kind": "not the kind of question that it claims to be",
    "length": "too short or too long",
    "low_quality": "scored below the asked quality",
    "content_erased": "its source was erased",
}

SKIPPED: Mapping[str, str] = {
    "language_not_supported": "not in English, which is all that the built-in model reads",
    "table_of_contents": "table of contents",
    "references": "references",
    "licence": "licence text",
    "link_list": "list of links",
    "repeated_header": "repeated page header or footer",
    "digits_punctuation": "mostly digits and punctuation",
    "too_short": "too few words",
}

ENDINGS: Mapping[str, str] = {
    "enough": "that many were accepted",
    "seeds_used_up": "every passage was asked once",
    "exhausted": "asking the same passages again adds next to nothing",
    "rounds_used_up": "the passages were asked as often as is allowed",
    "cancelled": "the job was cancelled",
}

LANGUAGES: Mapping[str, str] = {
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "zh": "Chinese",
}


def plural(n: int, noun: str, many: str = "") -> str:
    """A number with its noun, as in "1 entry" and "1,204 entries"."""
    if not many:
        many = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{n:,} {noun if n == 1 else many}"


def size(n: int) -> str:
    """Bytes, to three digits."""
    for unit, bytes_ in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if n >= bytes_:
            return f"{n / bytes_:.3g} {unit}"
    return plural(n, "byte")


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def seeds(counts: Counts) -> str:
    """What became of the seeds that were planned; the sum is ``counts.seeds``."""
    return (
        f"{counts.done:,} done + {counts.failed:,} failed + {counts.in_flight:,} in flight"
        f" + {counts.not_needed:,} not needed"
    )


def generated(counts: Counts) -> str:
    """What became of the entries that were generated; the sum is ``counts.generated``."""
    return (
        f"{counts.accepted:,} accepted + {counts.rejected:,} rejected + {counts.surplus:,} surplus"
        f" + {counts.awaiting:,} awaiting"
    )
