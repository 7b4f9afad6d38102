"""Runs the simulated model server: ``python -m tests.simulator --port 0 latency_ms=500 mode=grounded``.

Prints one line with its address when it is ready, and stops on SIGINT or SIGTERM.
"""

import argparse
import asyncio
import gc
import json
import signal
import sys
from pathlib import Path

if __package__ in {None, ""}:
    # Run by its folder's path: the folder itself must not be searched for modules, the project must.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.simulator.behaviour import Behaviour
from tests.simulator.server import Simulator


def main() -> None:
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument(
        "behaviour", nargs="*", metavar="name=value", help="fields of Behaviour, values in JSON"
    )
    given = parser.parse_args()
    values = dict(pair.split("=", 1) for pair in given.behaviour)
    behaviour = Behaviour.model_validate({name: _value(text) for name, text in values.items()})
    asyncio.run(serve(given.host, given.port, behaviour))


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def serve(host: str, port: int, behaviour: Behaviour) -> None:
    loop = asyncio.get_running_loop()
    simulator = Simulator(behaviour)
    server = await loop.create_server(simulator.connection, host, port, backlog=4096)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    gc.freeze()
    sys.stdout.write(f"http://{host}:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await stop.wait()
    server.close()
    for connection in tuple(simulator.connections):
        connection.close()


if __name__ == "__main__":
    main()
