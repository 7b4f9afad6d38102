"""Whether the gateway can do its work, and what it is."""

from importlib.metadata import version

from fastapi import APIRouter, Response

from services.gateway.deps import Here
from services.gateway.shapes import About, Health

router = APIRouter(tags=["service"])
VERSION = version("gristmill")


@router.get("/health", responses={503: {"model": Health}})
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


@router.get("/")
async def about() -> About:
    return About(message="Gristmill API", version=VERSION, docs="/docs", health="/health")
