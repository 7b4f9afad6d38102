"""What Gristmill's model client costs over the bare one: the same prompts through ``shared.llm``.

``python -m tests.performance.model_client http://127.0.0.1:PORT/v1 --calls 500 --concurrency 64``.
"""

import argparse
import asyncio
import json
import sys
import time

from shared.llm.client import ModelClient
from shared.llm.model import ModelRequest
from shared.llm.registry import client_from
from shared.settings import Settings
from tests.performance.bare_client import cpu
from tests.performance.prompts import prompt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--first", type=int, default=0, help="number of the first prompt")
    given = parser.parse_args()
    prompts = [prompt(number) for number in range(given.first, given.first + given.calls)]
    settings = Settings.model_validate({"openai_base_url": given.base_url})
    began, used = time.perf_counter(), cpu()
    characters = asyncio.run(ask(client_from(settings, {}), prompts, given.concurrency))
    figures = {
        "client": "gristmill",
        "calls": given.calls,
        "concurrency": given.concurrency,
        "wall_s": round(time.perf_counter() - began, 3),
        "cpu_s": round(cpu() - used, 3),
        "cpu_ms_per_call": round((cpu() - used) * 1000 / given.calls, 3),
        "characters": characters,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


async def ask(client: ModelClient, prompts: list[tuple[str, str]], concurrency: int) -> int:
    """Send every prompt, ``concurrency`` at a time; the number of characters that came back."""
    waiting = iter(prompts)

    async def one_after_another() -> int:
        total = 0
        for system, user in waiting:
            request = ModelRequest(
                model="simulated",
                messages=(("system", system), ("user", user)),
                temperature=0.7,
                max_tokens=2000,
            )
            total += len((await client.call("openai", request)).answer.text)
        return total

    async with client:
        return sum(await asyncio.gather(*(one_after_another() for _ in range(concurrency))))


if __name__ == "__main__":
    main()
