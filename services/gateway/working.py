"""Who works, heard from the workers' beats. A hint for people: nothing is decided by it."""

from collections import defaultdict
from typing import Any

import orjson

from shared.clock import monotonic

SILENT = 10.0
"""Seconds without a beat after which a worker is not counted."""


class Workers:
    """The workers that were heard lately."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str], tuple[float, int]] = {}

    async def hear(self, message: Any) -> None:
        """Take a beat; what is none is passed over."""
        try:
            said = orjson.loads(message.data)
            who, units = str(said["incarnation"]), len(said["units"])
        except (ValueError, KeyError, TypeError):
            return
        self._heard[message.subject.rsplit(".", 1)[-1], who] = monotonic(), units

    def alive(self) -> dict[str, dict[str, int]]:
        """Units in hand, by service and worker."""
        now, found = monotonic(), defaultdict[str, dict[str, int]](dict)
        self._heard = {key: each for key, each in self._heard.items() if now - each[0] < SILENT}
        for (service, who), (_, units) in self._heard.items():
            found[service][who] = units
        return found
