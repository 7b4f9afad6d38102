"""Being written."""
from services.generate.extractive.page import Page


def entries(page: Page) -> list[dict[str, object]]:
    return []
