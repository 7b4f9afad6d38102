"""The API as one ASGI application. Wiring only: what it answers is said in routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from services.gateway import describing, problems
from services.gateway.deps import Deps
from services.gateway.known_parameters import only_known
from services.gateway.limits import BodyLimit, Cors, OneSlash
from services.gateway.locking import Lock
from services.gateway.positions import Positions
from services.gateway.rates import RateLimit
from services.gateway.request_ids import RequestIds
from services.gateway.routes import (
    arrivals,
    chunking,
    chunks,
    content,
    dataset_deletion,
    dataset_lists,
    datasets,
    dead_letters,
    document_jobs,
    documents,
    downloads,
    draining,
    entries,
    events,
    jobs,
    later,
    projects,
    replaying,
    service,
    streams,
)
from services.gateway.shapes import Problem
from services.gateway.showing import BASE
from services.gateway.watching import Watched

TOLD = (
    *("X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
    *("Retry-After", "Gristmill-Position", "Content-Disposition", "Content-Range", "ETag"),
)
"""Headers that a web page may read."""

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
    known = [Depends(only_known)]
    # A request is held against one route after the other, which takes most of the time of a short answer: what is asked
    # most comes first, and no router lies in another. Routes with fixed words precede those that take any word.
    for router in (
        datasets.asked_for,
        jobs.router,
        later.router,
        *(
            resource.router
            for resource in (
                *(projects, arrivals, chunking, documents, document_jobs, content, chunks),
                *(downloads, entries, dataset_deletion, dataset_lists, datasets, streams, events),
                *(dead_letters, draining, replaying),
            )
        ),
        jobs.of_datasets,
        dataset_lists.plugins,
    ):
        # Those of later issues know no parameters, so none is unknown to them.
        if router is later.router:
            app.include_router(router, prefix=BASE)
        else:
            app.include_router(router, prefix=BASE, responses=PROBLEMS, dependencies=known)
    app.include_router(service.router)
    problems.install(app)
    describing.install(app)
    _wrap(app, deps)
    return app


def _wrap(app: FastAPI, deps: Deps) -> None:
    """What every request passes before a route: the last line here is the first that it meets."""
    settings = deps.settings
    app.add_middleware(Positions, reached=deps.reached)
    app.add_middleware(BodyLimit, within=settings.upload_idle)
    app.add_middleware(Lock, hashes=settings.key_hashes)
    app.add_middleware(RateLimit, settings=settings)
    app.add_middleware(OneSlash)
    app.add_middleware(
        Cors,
        allow_origins=[each.strip() for each in settings.cors_origins.split(",") if each.strip()],
        allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
        allow_headers=["Content-Type", "Idempotency-Key", "Last-Event-ID", "Range", "X-API-Key"],
        expose_headers=TOLD,
    )
    app.add_middleware(Watched)
    app.add_middleware(RequestIds)
