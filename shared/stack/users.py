"""What each service may say and hear on the bus, as NATS configuration; written to ``deploy/nats/users.conf`` too.

``python -m shared.stack > deploy/nats/users.conf`` renews that file; a test fails when it is stale. Each
service's inbox prefix is ``_INBOX.<service>``, so that none hears another's answers. Other systems are in an account of
their own: what they name as a reply, or as the subject of a consumer, is a subject there and never one of the mill.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.stack.folder import NATS_USERS

MILL = "MILL"
"""The account of the services."""

OUTSIDE = "OUTSIDE"
"""The account of other systems. Permissions cannot keep them out of the mill by themselves, since the server checks
neither the reply that a message names nor where a consumer delivers to, and would write there in its own name.
"""

DOOR = "gristmill.outside"
"""Where the ledger makes the stream of other systems (``shared/outside.py``)."""

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
                "gristmill.drain.>",
                "$JS.API.STREAM.INFO.*",
                "$JS.API.CONSUMER.INFO.*.*",
                # A message as JSON: with a consumer, or a message as it is, it could have the bus speak for it.
                "$JS.API.STREAM.MSG.GET.DEAD",
            ),
            subscribe=("gristmill.beat.>", "gristmill.control.>", "gristmill.drain.gateway", inbox),
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
        subscribe=("gristmill.control.>", f"gristmill.drain.{user}", inbox),
    )


def _of_others(tenant: str) -> Rights:
    """Says requests and reads events of one tenant, and may name no inbox but its own.

    EVENTS is here the copy in its own account, which holds that tenant's events only. It answers nobody: with a message
    of EVENTS comes the inbox where the ledger waits for the bus's word that it has it.
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
    """The accounts with their users. A password may be a variable such as ``$NATS_PASSWORD_LEDGER``."""
    inside = "\n".join(_user(user, passwords[user]) for user in NATS_USERS if user != "external")
    requests = [f"gristmill.requests.default.{noun}" for noun in OPEN]
    # An answer to a request is said by the ledger on the inbox that the request names.
    heard = ["gristmill.events.default.>", "_INBOX.external.>"]
    # The ledger makes the copy of EVENTS that other systems read, and keeps it as it is declared.
    calls = [f"STREAM.{verb}.EVENTS" for verb in ("CREATE", "UPDATE", "INFO", "PURGE")]
    mill = [
        *(f'{{service: "{subject}", accounts: [{OUTSIDE}]}}' for subject in requests),
        *(f'{{stream: "{subject}", accounts: [{OUTSIDE}]}}' for subject in heard),
    ]
    outside = [
        *(f'{{service: {{account: {MILL}, subject: "{subject}"}}}}' for subject in requests),
        *(f'{{stream: {{account: {MILL}, subject: "{subject}"}}}}' for subject in heard),
    ]
    given = [f'{{service: "$JS.API.{call}", accounts: [{MILL}]}}' for call in calls]
    taken = [
        f'{{service: {{account: {OUTSIDE}, subject: "$JS.API.{call}"}}, to: "{DOOR}.{call}"}}'
        for call in calls
    ]
    return (
        "authorization {\n  timeout: 5\n}\naccounts {\n"
        + _account(MILL, "enabled", inside, exports=mill, imports=taken)
        + _account(
            OUTSIDE,
            "{max_streams: 1, max_consumers: 1000}",
            _user("external", passwords["external"]),
            exports=given,
            imports=outside,
        )
        + "}\n"
    )


def _account(
    name: str, jetstream: str, users: str, *, exports: Sequence[str], imports: Sequence[str]
) -> str:
    out, into = ("\n".join(f"      {line}" for line in lines) for lines in (exports, imports))
    return f"""  {name} {{
    jetstream: {jetstream}
    exports: [
{out}
    ]
    imports: [
{into}
    ]
    users: [
{users}
    ]
  }}
"""


def _user(user: str, password: str) -> str:
    allowed = rights(user)
    publish, subscribe = (
        "\n".join(f"            {json.dumps(subject)}" for subject in subjects)
        for subjects in (allowed.publish, allowed.subscribe)
    )
    return f"""      {{
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
