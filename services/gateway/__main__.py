"""Runs the gateway: ``python -m services.gateway``, with the environment's settings."""

import logging

import uvicorn

from services.gateway.app import create_app
from services.gateway.deps import Deps
from shared.settings import Settings

GRACE = 5
"""Seconds that open requests are given when the process is asked to end."""


def main() -> None:
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s gateway %(levelname)s %(message)s"
    )
    settings = Settings()
    uvicorn.run(
        create_app(Deps(settings)),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )


if __name__ == "__main__":
    main()
