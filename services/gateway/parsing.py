"""Parsers by the names that clients know: most stand for the readers that are here, the others for models. Pure."""

from services.gateway.not_built import not_available
from shared.errors import Refused

BUILT_IN = "the built-in readers"
OURS: dict[str, str] = {
    "auto": BUILT_IN,
    "builtin": BUILT_IN,
    "novlm": f"{BUILT_IN}, which ask no model",
    "pypdf": f"{BUILT_IN}; PDFs by pdfium",
    "unstructured": BUILT_IN,
    "gemini": f"{BUILT_IN}: gemini is the older API's default, and no model is asked",
    "grok": f"{BUILT_IN}: grok is the older API's default, and no model is asked",
}
"""Names that ask for nothing else, with what they mean here."""

NEEDS = {
    "openai": "parsing by a model, which takes an API key of OpenAI",
    "ollama": "parsing by a model, which takes an Ollama server with a model that sees",
    "huggingface": "parsing by a model, which takes model weights from the hub",
}
"""Names that ask for what is not built, with what it would need."""


def parser_meaning(name: str | None, field: str = "parser") -> str:
    """What a parser's name means here. Raise ``Refused``: not_available, invalid_parameter."""
    if not name:
        return BUILT_IN
    known = name.strip().lower()
    if known in OURS:
        return OURS[known]
    if known in NEEDS:
        raise not_available(field, f"{known} means {NEEDS[known]}; leave it out for {BUILT_IN}")
    raise Refused(
        "invalid_parameter",
        f"{field}: must be one of {', '.join((*OURS, *NEEDS))}",
        field=field,
    )
