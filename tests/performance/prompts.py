"""Prompts for measurements: as long and as shaped as a job's, every one different, made without reading a file."""

import hashlib

from services.generate.prompts import fence

SYSTEM = "Mode: question and answer\n\n" + "Follow the rules below when you write entries. " * 90
_TEXT = """
harbour engine granite lantern meadow turbine orchard compass glacier foundry canal beacon
furnace viaduct quarry reservoir pendulum aqueduct windmill telescope sawmill lighthouse ferry
causeway bastion cistern dynamo kiln weir observatory
"""
_WORDS = _TEXT.split()


def prompt(number: int, slots: int = 3, sentences: int = 40) -> tuple[str, str]:
    """System and user message of call ``number``; 40 sentences are about 4 kB."""
    passage = " ".join(_sentence(number, n) for n in range(sentences))
    code = hashlib.sha256(str(number).encode()).hexdigest()[:12]
    plan = [f"Entries to write, at most: {slots}"]
    plan += [f"{n}. kind: fact; difficulty: easy" for n in range(1, slots + 1)]
    user = (
        fence.block("passage", code, passage) + "\n\n" + fence.block("plan", code, "\n".join(plan))
    )
    return SYSTEM, user


def _sentence(number: int, n: int) -> str:
    first, second, third = (
        _WORDS[
            int.from_bytes(hashlib.blake2b(f"{number}.{n}.{k}".encode(), digest_size=2).digest())
            % 30
        ]
        for k in range(3)
    )
    return f"The {first} of Station {number}-{n} was joined with a {second} and a wooden {third} after the great flood."
