"""Expected failures, each with a stable code that users and other systems may rely on.

    GristmillError
    ├── Refused            a request asks for what cannot be had; nothing was done   (HTTP 4xx)
    ├── Rejected           an input cannot be used; the rest of its job goes on      (a rejection event)
    └── Unavailable        something outside is away; ask again later                (503, UnitDeferred)

A message says what was wrong, where, and what to do; it never holds a secret or a stack trace.
"""


class GristmillError(Exception):
    """Root of everything that Gristmill expects to go wrong."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Refused(GristmillError):
    """The request is at fault. ``status`` is the HTTP status that says so."""

    def __init__(self, code: str, message: str, *, status: int = 400, field: str = "") -> None:
        super().__init__(code, message)
        self.status = status
        self.field = field


class Rejected(GristmillError):
    """A document, a seed or another input is at fault."""


class Unavailable(GristmillError):
    """What is needed is away for now. ``retry_after`` is in seconds."""

    def __init__(self, code: str, message: str, *, waiting_for: str, retry_after: float) -> None:
        super().__init__(code, message)
        self.waiting_for = waiting_for
        self.retry_after = retry_after
