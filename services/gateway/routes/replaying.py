"""Replaying the log into fresh views beside the live ones, for whoever doubts what the gateway shows."""

import asyncio
from dataclasses import asdict

from fastapi import APIRouter

from services.gateway.deps import Here
from services.gateway.overview_shapes import Replayed
from services.gateway.views.replaying import Replay, replay
from shared.errors import Refused

router = APIRouter(prefix="/service", tags=["service"])


@router.post("/replay", status_code=202)
async def start_replay(deps: Here) -> Replayed:
    """Fold the log once more beside the live views, compare them row by row, and swap where they differ.

    One at a time (409 `replay_running`); `GET` tells how far it is and what it found.
    """
    if deps.replay is not None and deps.replay.running:
        raise Refused("replay_running", "The views are being replayed already.", status=409)
    deps.replay = Replay()
    deps.replaying = asyncio.create_task(replay(deps.settings.required_database_url(), deps.replay))
    return Replayed(**asdict(deps.replay))


@router.get("/replay")
async def get_replay(deps: Here) -> Replayed:
    """The replay that runs, or the last that this gateway ran."""
    if deps.replay is None:
        raise Refused("replay_not_found", "This gateway has replayed nothing yet.", status=404)
    return Replayed(**asdict(deps.replay))
