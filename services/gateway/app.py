"""The API as one ASGI application. Wiring only: what it answers is said in routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from services.gateway import problems
from services.gateway.deps import Deps
from services.gateway.limits import BodyLimit, OneSlash
from services.gateway.positions import Positions
from services.gateway.routes import (
    datasets,
    documents,
    downloads,
    entries,
    events,
    jobs,
    projects,
    service,
    streams,
)
from services.gateway.shapes import Problem
from services.gateway.showing import BASE

PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem} for status in (400, 404, 409, 413, 429, 503)
}


def create_app(deps: Deps) -> FastAPI:
    """The API over these connections, which live as long as the application."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await deps.start()
        try:
            yield
        finally:
            await deps.stop()

    app = FastAPI(
        title="Gristmill",
        summary="Grinds documents into fine-tuning datasets.",
        version=service.VERSION,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.deps = deps
    api = APIRouter(prefix=BASE)
    for resource in (projects, documents, downloads, entries, datasets, jobs, streams, events):
        api.include_router(resource.router, responses=PROBLEMS)
    api.include_router(jobs.of_datasets, responses=PROBLEMS)
    app.include_router(service.router)
    app.include_router(api)
    problems.install(app)
    app.add_middleware(Positions, reached=deps.reached)
    app.add_middleware(BodyLimit)
    app.add_middleware(OneSlash)
    return app
