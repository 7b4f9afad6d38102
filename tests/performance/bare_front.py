"""The yardstick of the front door: a bare FastAPI application whose endpoints read and write one row of Postgres."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from shared.clock import fresh_id


class Body(BaseModel):
    project_id: str
    entries: int | None = None


def create_app(url: str) -> FastAPI:
    pools: list[Any] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        pools.append(await asyncpg.create_pool(url, min_size=1, max_size=8))
        await pools[0].execute("create table if not exists bare (id uuid primary key, data jsonb)")
        yield
        await pools[0].close()

    app = FastAPI(lifespan=lifespan)

    @app.get("/row/{id}")
    async def read(id: UUID) -> dict[str, Any]:
        row = await pools[0].fetchrow("select id, data from bare where id = $1", id)
        return dict(row) if row else {}

    @app.post("/row")
    async def write(body: Body) -> dict[str, Any]:
        id = fresh_id()
        await pools[0].execute("insert into bare values ($1, $2)", id, body.model_dump_json())
        return {"id": id}

    return app


if __name__ == "__main__":
    uvicorn.run(
        create_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning",
        access_log=False, ws="none",
    )  # fmt: skip
