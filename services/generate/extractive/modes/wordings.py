"""Wordings of the built-in instructions, several for each task; which one is used follows from a hash of what it is about."""

import hashlib

_WORDINGS = {
    "explain": (
        "Explain {clause}.",
        "Explain in a few words {clause}.",
        "Tell a newcomer to the subject {clause}.",
        "Briefly explain {clause}.",
        "Write a short explanation of {clause}.",
        "State in plain language {clause}.",
    ),
    "list": (
        "List the {what}.",
        "Name the {what}.",
        "Give a list of the {what}.",
        "Write down the {what} as a bulleted list.",
        "Enumerate the {what}.",
    ),
    "procedure": (
        "Describe the steps to {goal}.",
        "Write step-by-step instructions on how to {goal}.",
        "Give numbered steps to {goal}.",
        "Explain step by step how to {goal}.",
        "List, in order, what has to be done to {goal}.",
    ),
    "dates": (
        "Extract every date from the text below, each with the sentence that states it.",
        "List all dates in the text below together with the sentence that each occurs in.",
        "Go through the text below and write down each date, followed by the sentence about it.",
        "Pull out the dates from the following text, one per line, with the sentence that mentions each.",
        "For every date in the text below, give the date and the sentence it comes from.",
    ),
    "title": (
        "Write a title for the text below.",
        "Give the text below a short title.",
        "Suggest a heading for the text below.",
        "Find a fitting headline for the text below.",
    ),
    "row": (
        "Turn this table row into a sentence.",
        "Write the following table row as a full sentence.",
        "Express the table row below in one sentence.",
        "Rewrite this row of a table as a sentence.",
    ),
    "expand": (
        "Expand the abbreviation in the text below.",
        "Rewrite the sentence below with its abbreviation written out in full.",
        "Replace the abbreviation in the text below by what it stands for.",
        "Spell out the abbreviation in the sentence below.",
    ),
    "summary": (
        "Summarize the text below in two sentences.",
        "Condense the text below to its two most important sentences.",
        "Give a two-sentence summary of the text below.",
        "Sum up the text below in two sentences.",
        "In two sentences, say what the text below is about.",
    ),
}


def pick(task: str, about: str) -> str:
    """The wording of a task for what it is about."""
    choices = _WORDINGS[task]
    digest = hashlib.blake2b(f"{task}:{about}".encode(), digest_size=4).digest()
    return choices[int.from_bytes(digest, "big") % len(choices)]
