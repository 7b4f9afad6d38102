"""``gristmill bus``: where and as whom another system connects to the bus of a running ``up``. Connects to nothing."""

from pathlib import Path

import typer

from shared.errors import Refused
from shared.stack import presence
from shared.stack.folder import passwords

USER = "external"


def bus(data: Path) -> None:
    """Print the address, which holds a password, alone on one line, so that a script can take it.

    Raises ``Refused`` (not_running) where nothing runs on the folder.
    """
    found = presence(data)
    if found is None or found.bus is None:
        raise Refused(
            "not_running",
            f"Nothing runs on {data}: start `gristmill up`, or name its folder with --data.",
            status=409,
            field="data",
        )
    typer.echo(f"nats://{USER}:{passwords(data).nats[USER]}@{found.bus}")
    typer.echo(
        f"Keep it secret. Inboxes are under _INBOX.{USER}, requests on gristmill.requests.default.<noun>,"
        " events on gristmill.events.default.>",
        err=True,
    )
