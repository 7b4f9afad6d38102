"""From a file's bytes to its text, headings and pages. Never reads a file, a clock or a network; never runs content.

PDF and Word have readers of our own, because kreuzberg 4.10 loses the headings, paragraphs and tables of a PDF without
tags and the numbers of Word's lists; slides, sheets, web pages and CSV go through kreuzberg; text is decoded here.
"""

from services.ingest.parsers.outcome import ALLOWED, MAX_BYTES, Parsed, Unreadable
from services.ingest.parsers.read import parse

__all__ = ["ALLOWED", "MAX_BYTES", "Parsed", "Unreadable", "parse"]
