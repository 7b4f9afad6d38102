"""Runs a service of the mill with its addresses led through proxies, and with a fault built in where that is asked.

``python tests/chaos/via.py SERVICE NAME FOLDER [BROKEN]``: FOLDER holds ``proxies.json`` (ports by process and server);
where the servers really are is written there. Only chaos runs start services so.
"""

import json
import os
import re
import runpy
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

VARIABLES = {"nats": "GRISTMILL_NATS_URL", "postgres": "GRISTMILL_DATABASE_URL"}
PORT = re.compile(r"(?<=@127\.0\.0\.1:)\d+")


def main() -> None:
    service, name, folder, *broken = sys.argv[1:]
    ports = json.loads(Path(folder, "proxies.json").read_text())[name]
    for server, variable in VARIABLES.items():
        url = os.environ.get(variable)
        if url is None:
            continue
        found = PORT.search(url)
        assert found is not None
        _write(Path(folder, server), found[0])
        os.environ[variable] = PORT.sub(str(ports[server]), url, count=1)
    if "OPENAI_BASE_URL" in os.environ:
        os.environ["OPENAI_BASE_URL"] = f"http://127.0.0.1:{ports['model']}/{name}/v1"
    if broken:
        from tests.chaos.broken import BROKEN

        BROKEN[broken[0]](service)
    sys.argv[1:] = []
    runpy.run_module(f"services.{service}", run_name="__main__", alter_sys=True)


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_text(text)
    part.replace(path)


if __name__ == "__main__":
    main()
