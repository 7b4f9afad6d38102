"""Whether the gateway can do its work, and what it is."""

import os
import signal
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from services.gateway.deps import Here
from services.gateway.shapes import About, Health, ShuttingDown
from services.gateway.showing import BASE
from shared.errors import Refused
from shared.telemetry import exposition

router = APIRouter(tags=["service"])
VERSION = version("gristmill")


@router.get("/health", responses={503: {"model": Health}})
@router.get(f"{BASE}/health", include_in_schema=False)
async def health(deps: Here, response: Response) -> Health:
    """Healthy: the store, the bus and the views can be used."""
    state = await deps.state()
    healthy = all(value == "ok" for value in state.values())
    if not healthy:
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    return Health(
        status="healthy" if healthy else "unhealthy",
        service="gristmill",
        version=VERSION,
        position=str(deps.reached.position),
        **state,
    )


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics() -> Response:
    """What this gateway counts, in the text form of Prometheus."""
    return Response(await exposition.exposed("gateway"), media_type=exposition.CONTENT_TYPE)


@router.get("/")
async def about() -> About:
    return About(message="Gristmill API", version=VERSION, docs="/docs", health="/health")


@router.post("/shutdown", status_code=202)
async def shut_down(deps: Here) -> ShuttingDown:
    """Stop everything that `gristmill up` runs, or this gateway alone where nothing runs it. Unfinished jobs go on at
    the next start. Refused where no API key is configured.
    """
    from shared.stack import presence

    if not deps.settings.key_hashes:
        raise Refused(
            "api_key_required",
            "Only a gateway with an API key can be shut down from outside: end `gristmill up` by Ctrl-C.",
            status=403,
        )
    tree = presence(Path(deps.settings.data))
    if tree is not None and tree.pid == os.getppid():
        os.kill(tree.pid, signal.SIGTERM)
        return ShuttingDown(message="Gristmill is shutting down", scope="everything")
    deps.dismissed.set()
    return ShuttingDown(message="The gateway is shutting down", scope="gateway")
