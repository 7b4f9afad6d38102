"""From a file's bytes to its text, headings and pages. Never reads a file, a clock or a network; never runs content.

PDF and Word have readers of our own, because kreuzberg 4.10 loses the headings, paragraphs and tables of a PDF without
tags and the numbers of Word's lists; JSON, XML, mail and books are read here too; slides, sheets, web pages, rich text,
old Office files and CSV go through kreuzberg, fetched pages through trafilatura, pictures through Tesseract.
"""

from services.ingest.parsers.outcome import ALLOWED, MAX_BYTES, Parsed, Unreadable
from services.ingest.parsers.read import parse
from services.ingest.parsers.recognition import Means, Ocr

__all__ = ["ALLOWED", "MAX_BYTES", "Means", "Ocr", "Parsed", "Unreadable", "parse"]
