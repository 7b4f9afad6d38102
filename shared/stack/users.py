"""What each service may say and hear on the bus, as NATS configuration; written to ``deploy/nats/users.conf`` too.

``python -m shared.stack > deploy/nats/users.conf`` renews that file; a test fails when it is stale. Each
service's inbox prefix is ``_INBOX.<service>``, so that none hears another's answers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from shared.stack.folder import NATS_USERS

WORKERS = ("ingest", "chunk", "generate", "curate", "export")


@dataclass(frozen=True, slots=True)
class Rights:
    """Subjects with wildcards; all else is refused by the server."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def rights(user: str) -> Rights:
    """The least that a service needs. ``operator`` is a person, or the recovery of a broken bus."""
    own = (f"gristmill.beat.{user}", f"gristmill.dead.{user}", "gristmill.ask.>", "$JS.API.INFO")
    inbox = f"_INBOX.{user}.>"
    if user == "operator":
        return Rights(publish=(">",), subscribe=(">",))
    if user == "ledger":
        return Rights(
            publish=("gristmill.>", "$JS.API.>", "$JS.ACK.>", "_INBOX.>"),
            subscribe=("gristmill.>", "$JS.EVENT.ADVISORY.>", inbox),
        )
    if user == "gateway":
        return Rights(
            publish=(
                *own,
                "gristmill.requests.>",
                "gristmill.control.>",
                "$JS.API.STREAM.INFO.*",
                "$JS.API.CONSUMER.INFO.*.*",
            ),
            subscribe=("gristmill.beat.>", "gristmill.control.>", inbox),
        )
    return Rights(
        publish=(
            *own,
            f"gristmill.results.{user}",
            "$JS.API.STREAM.INFO.COMMANDS",
            f"$JS.API.CONSUMER.INFO.COMMANDS.{user}",
            f"$JS.API.CONSUMER.MSG.NEXT.COMMANDS.{user}",
            # The subject of an ack, in the form before server 2.15 and in today's (domain and account first).
            f"$JS.ACK.COMMANDS.{user}.>",
            f"$JS.ACK.*.*.COMMANDS.{user}.>",
        ),
        subscribe=("gristmill.control.>", inbox),
    )


def configuration(passwords: Mapping[str, str]) -> str:
    """The ``authorization`` block. A password may be a variable such as ``$NATS_PASSWORD_LEDGER``."""
    blocks = "\n".join(_user(user, passwords[user]) for user in NATS_USERS)
    return f"authorization {{\n  timeout: 5\n  users: [\n{blocks}\n  ]\n}}\n"


def _user(user: str, password: str) -> str:
    allowed = rights(user)
    publish, subscribe = (
        "\n".join(f"          {json.dumps(subject)}" for subject in subjects)
        for subjects in (allowed.publish, allowed.subscribe)
    )
    return f"""    {{
      user: {user}
      password: {password}
      permissions: {{
        publish: [
{publish}
        ]
        subscribe: [
{subscribe}
        ]
        allow_responses: true
      }}
    }}"""
