"""The bus as an AsyncAPI 3.0 document: which subject carries which messages, in which stream, who says and who hears.

What the bus is configured with stands in the bus module, which contracts may not import; a test compares the two.
"""

from collections.abc import Iterable

from pydantic import JsonValue

from contracts import COMMANDS, EVENTS, REPORTS, REQUESTS, SAYS, SERVICES
from contracts.message import (
    CLOSED,
    TENANT_PATTERN,
    Command,
    Message,
    Request,
    event_subject,
    request_subject,
    wire_type,
)
from contracts.schemas.table import heard_by, meaning, said_by

Json = dict[str, JsonValue]

STREAMS: dict[str, Json] = {
    "REQUESTS": {
        "subjects": ["gristmill.requests.*.*"], "retention": "workqueue", "discard": "new",
        "max_age_days": 0, "duplicate_window_seconds": 600,
    },
    "INBOX": {
        "subjects": ["gristmill.results.*"], "retention": "workqueue", "discard": "new",
        "max_age_days": 0, "duplicate_window_seconds": 600,
    },
    "COMMANDS": {
        "subjects": ["gristmill.commands.*"], "retention": "workqueue", "discard": "new",
        "max_age_days": 0, "duplicate_window_seconds": 600,
    },
    "EVENTS": {
        "subjects": ["gristmill.events.>"], "retention": "limits", "discard": "old",
        "max_age_days": 7, "duplicate_window_seconds": 600,
    },
    "DEAD": {
        "subjects": ["gristmill.dead.*"], "retention": "limits", "discard": "old",
        "max_age_days": 30, "duplicate_window_seconds": 600,
    },
}  # fmt: skip
"""Each JetStream stream with its policy; an age of 0 is no limit. What must not be lost stands in the log, not here."""

HEADERS: dict[str, Json] = {
    "request": {
        "gristmill-reply-to": "Inbox (under _INBOX.) that gets the answer once the request is recorded or refused."
    },
    "event": {
        "ce-time": "When it was recorded, ISO 8601.",
        "ce-subject": "Id of the stream that it belongs to.",
        "gristmill-job": "The job on whose behalf it happened; missing where there is none.",
        "gristmill-position": "Place in the log, <era>.<n>; compare for equality and order of arrival only.",
    },
    "report": {},
    "command": {
        "gristmill-attempt": "Which attempt this is, from 1; the id stays.",
        "gristmill-tenant": "Whose work it is.",
    },
}
"""Headers that one kind of message has besides those of CloudEvents."""

ANSWERS: dict[str, Json] = {
    "answer.recorded": {
        "type": "object",
        "required": ["position", "job_id"],
        "properties": {
            "position": {"type": "string", "description": "Place in the log of what it began."},
            "job_id": {
                "type": "string",
                "format": "uuid",
                "description": "What it began, or concerns.",
            },
        },
    },
    "answer.refused": {
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "string", "description": "Stable; for programs."},
            "message": {
                "type": "string",
                "description": "What was wrong and what to do; for people.",
            },
            "status": {"type": "integer", "description": "What HTTP would call it."},
            "field": {"type": "string", "description": "At fault; empty where it is none."},
        },
    },
}
"""What the ledger answers to a request, once."""

_ENVELOPE: Json = {
    "ce-specversion": {"const": "1.0"},
    "ce-id": {"type": "string", "description": "Unique within its source, percent-encoded."},
    "ce-source": {"type": "string", "description": "Who says it, percent-encoded."},
    "content-type": {"const": "application/json"},
    "traceparent": {"type": "string", "description": "W3C trace context."},
    "gristmill-blob": {
        "type": "string",
        "pattern": "^[0-9a-f]{64}/[0-9]+$",
        "description": "<sha256>/<size> of a body that was too large to travel and lies in the blob store.",
    },
}
_TENANT: Json = {"tenant": {"description": f"Whose it is; matches {TENANT_PATTERN}."}}


def asyncapi() -> Json:
    """The document. Payloads are references to the schema files beside it."""
    channels = _channels()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Gristmill",
            "version": "1.0.0",
            "description": (
                "CloudEvents 1.0 in binary mode over NATS JetStream. Other systems say requests and hear events; "
                "commands and results pass between the ledger and its workers. The tenant is that of the subject."
            ),
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": _operations(channels),
        "components": {
            "messages": {
                **{name: _message(name, cls) for name, cls in sorted(_all().items())},
                **{name: {"name": name, "payload": schema} for name, schema in ANSWERS.items()},
            },
            "messageTraits": {kind: _trait(kind) for kind in HEADERS},
        },
        "x-jetstream-streams": dict(STREAMS),
    }


def kind_of(cls: type[Message]) -> str:
    """``request``, ``command``, ``report`` or ``event``."""
    if issubclass(cls, Request):
        return "request"
    if issubclass(cls, Command):
        return "command"
    return "report" if cls in REPORTS.values() else "event"


def _all() -> dict[str, type[Message]]:
    return {**EVENTS, **REPORTS, **COMMANDS}


def _message(name: str, cls: type[Message]) -> Json:
    return {
        "name": name,
        "title": cls.__name__,
        "summary": meaning(cls),
        "contentType": "application/json",
        "traits": [{"$ref": f"#/components/messageTraits/{kind_of(cls)}"}],
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./{name}.json"},
        },
        "x-said-by": list(said_by(cls)),
        "x-heard-by": list(heard_by(cls)),
    }


def _trait(kind: str) -> Json:
    own: Json = {
        name: {"type": "string", "description": text} for name, text in HEADERS[kind].items()
    }
    required: list[JsonValue] = ["ce-specversion", "ce-id", "ce-source", "ce-type"]
    properties: Json = {"ce-type": {"type": "string", "description": "The message's name."}}
    return {
        "headers": {
            "type": "object",
            "required": required,
            "properties": properties | _ENVELOPE | own,
        }
    }


def _channels() -> Json:
    """Requests by noun, commands and results by service, events by noun and verb."""
    found: Json = {}
    subjects = sorted({request_subject(cls, "{tenant}") for cls in REQUESTS.values()})
    for subject in subjects:
        kinds = [cls for cls in REQUESTS.values() if request_subject(cls, "{tenant}") == subject]
        found["requests." + subject.rpartition(".")[2]] = _channel(subject, "REQUESTS", kinds)
    for service in SAYS:
        commands = [command for command, does in SERVICES.items() if does == service]
        found[f"commands.{service}"] = _channel(
            f"gristmill.commands.{service}", "COMMANDS", commands
        )
        results = _channel(f"gristmill.results.{service}", "INBOX", REPORTS.values())
        outcomes: list[JsonValue] = [wire_type(event) for event in SAYS[service]]
        found[f"results.{service}"] = results | {"x-outcomes": outcomes}
    for cls in EVENTS.values():
        subject = event_subject(cls, "{tenant}")
        found["events." + subject.partition("{tenant}.")[2]] = _channel(subject, "EVENTS", [cls])
    found["answers"] = {
        "address": None,
        "description": "The inbox that a request names in its header gristmill-reply-to.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in ANSWERS},
    }
    return found


def _channel(address: str, stream: str, classes: Iterable[type[Message]]) -> Json:
    channel: Json = {
        "address": address,
        "messages": {
            wire_type(cls): {"$ref": f"#/components/messages/{wire_type(cls)}"} for cls in classes
        },
        "x-jetstream": {"stream": stream, **STREAMS[stream]},
    }
    return channel | ({"parameters": _TENANT} if "{tenant}" in address else {})


def _operations(channels: Json) -> Json:
    """Who sends and who receives on each channel. Only other systems hear the events: ours read the log."""
    found: Json = {}
    for name in channels:
        group, _, rest = name.partition(".")
        match group:
            case "requests":
                found[f"gateway.send.{name}"] = _operation("send", name, "gateway") | {
                    "reply": _reply()
                }
                if rest not in CLOSED:
                    found[f"external.send.{name}"] = _operation("send", name, "external") | {
                        "reply": _reply()
                    }
                found[f"ledger.receive.{name}"] = _operation("receive", name, "ledger")
            case "commands":
                found[f"ledger.send.{name}"] = _operation("send", name, "ledger")
                found[f"{rest}.receive.{name}"] = _operation("receive", name, rest)
            case "results":
                found[f"{rest}.send.{name}"] = _operation("send", name, rest)
                found[f"ledger.receive.{name}"] = _operation("receive", name, "ledger")
            case "events":
                found[f"ledger.send.{name}"] = _operation("send", name, "ledger")
                found[f"external.receive.{name}"] = _operation("receive", name, "external")
            case _:  # answers are the replies of requests
                pass
    return found


def _operation(action: str, channel: str, service: str) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "x-service": service,
    }


def _reply() -> Json:
    return {
        "address": {
            "location": "$message.header#/gristmill-reply-to",
            "description": "{position, job_id} once it is recorded, {code, message} when it is refused.",
        },
        "channel": {"$ref": "#/channels/answers"},
        "messages": [{"$ref": f"#/channels/answers/messages/{name}"} for name in ANSWERS],
    }
