"""An entry as something asked and something answered, for formats that know nothing else. Never invents either."""

from typing import NamedTuple

from contracts.entries import Content, Instruction, QuestionAnswer, Summary

SUMMARIZE = "Summarize the text below."
"""The instruction under which a summary is trained."""


class Pair(NamedTuple):
    context: str
    """What is to be read first; "" where there is nothing."""
    instruction: str
    input: str
    """Material that the instruction works on; "" where there is none."""
    output: str


def pair(content: Content) -> Pair:
    """Raise ``ValueError`` for an entry that has only one side."""
    match content:
        case QuestionAnswer():
            return Pair(content.context or "", content.question, "", content.answer)
        case Instruction():
            return Pair(content.context or "", content.instruction, content.input, content.output)
        case Summary():
            return Pair("", SUMMARIZE, content.source, content.summary)
        case _:
            raise ValueError(f"An entry of type {content.type!r} is no pair.")


def joined(*texts: str) -> str:
    """The texts that are not empty, a blank line between them."""
    return "\n\n".join(filter(None, texts))
