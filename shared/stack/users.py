"""What each service may say and hear on the bus, as NATS configuration; written to ``deploy/nats/users.conf`` too.

``python -m shared.stack > deploy/nats/users.conf`` renews that file; a test fails when it is stale. Each
service's inbox prefix is ``_INBOX.<service>``, so that none hears another's answers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from shared.stack.folder import NATS_USERS

WORKERS = ("ingest", "chunk", "generate", "curate", "export")
OPEN = ("document", "export", "generation", "job", "processing", "project")
"""Nouns of the requests that another system may say. What takes away is said on another noun."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Subjects with wildcards; all else is refused by the server."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    responds: bool = True
    """May answer whoever sent it a message, on the inbox that the message names."""


def rights(user: str) -> Rights:
    """The least that a service needs.

    ``operator`` is a person, or the recovery of a broken bus; ``external`` is every other system of tenant default.
    """
    if user == "external":
        return _of_others("default")
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


def _of_others(tenant: str) -> Rights:
    """Says requests and reads events of one tenant, and may name no inbox but its own.

    A consumer is made by a name with a filter, since the server compares the filter with the subject that was allowed;
    the shorter subjects of that call would open the events of every tenant. It answers nobody: with a message of EVENTS
    comes the inbox where the ledger waits for the bus's word that it has it.
    """
    return Rights(
        publish=(
            *(f"gristmill.requests.{tenant}.{noun}" for noun in OPEN),
            f"$JS.API.CONSUMER.CREATE.EVENTS.*.gristmill.events.{tenant}.>",
            "$JS.API.CONSUMER.INFO.EVENTS.*",
            "$JS.API.CONSUMER.MSG.NEXT.EVENTS.*",
            "$JS.FC.EVENTS.>",
        ),
        subscribe=(f"gristmill.events.{tenant}.>", "_INBOX.external.>"),
        responds=False,
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
        allow_responses: {json.dumps(allowed.responds)}
      }}
    }}"""
