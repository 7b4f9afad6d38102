"""Why a text cannot be cut as asked. Holds no rule of its own."""


class ChunkingRefused(ValueError):
    """``code`` is stable: ``invalid_pattern`` or ``invalid_tokenizer``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
