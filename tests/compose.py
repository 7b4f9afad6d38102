"""What docker-compose.yml says, for tests that run it: its containers, and a fresh .env for them."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
CONTAINERS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
    "services"
]


def drawn() -> dict[str, str]:
    """What `deploy/make-env` writes into .env."""
    said = subprocess.run(["sh", DEPLOY / "make-env"], capture_output=True, text=True, check=True)
    return dict(re.findall(r"(?m)^([A-Z0-9_]+)=(.*)$", said.stdout))


def environment(container: str, env: Mapping[str, str]) -> dict[str, str]:
    """What a container is given when .env says this; a variable that only passes through is left out."""
    given = CONTAINERS[container].get("environment", {}).items()
    return {name: _filled(str(value), env) for name, value in given if value is not None}


def _filled(value: str, env: Mapping[str, str]) -> str:
    return re.sub(r"\$\{([A-Z0-9_]+)(?::[?-][^}]*)?\}", lambda found: env[found[1]], value)
