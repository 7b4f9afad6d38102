"""What services find in their environment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.environment import environment, of_blobs
from shared.settings import Settings
from shared.stack import SERVICES

KEYS = {
    "OPENAI_API_KEY": "k1",
    "GRISTMILL_OPENAI_API_KEY": "k2",
    "HF_TOKEN": "k3",
    "AWS_SECRET_ACCESS_KEY": "k4",
}


@pytest.mark.parametrize("service", SERVICES)
def test_keys_reach_only_the_services_that_call_models(service: str) -> None:
    found = environment(service, KEYS | {"PATH": "/bin", "GRISTMILL_ACK_WAIT": "2"}, {})
    assert (KEYS.items() <= found.items()) == (service in {"gateway", "generate"})
    assert KEYS.items().isdisjoint(found.items()) == (service not in {"gateway", "generate"})
    assert found["PATH"] == "/bin"
    assert found["GRISTMILL_ACK_WAIT"] == "2"


@given(
    service=st.sampled_from(SERVICES),
    inherited=st.dictionaries(
        st.sampled_from(["GRISTMILL_NATS_URL", "GRISTMILL_DATABASE_URL", "HOME"]), st.text()
    ),
)
def test_no_address_is_inherited_and_what_is_given_wins(
    service: str, inherited: dict[str, str]
) -> None:
    found = environment(service, inherited, {"GRISTMILL_NATS_URL": "its own", "HOME": "given"})
    assert found["GRISTMILL_NATS_URL"] == "its own"
    assert found["HOME"] == "given"
    assert "GRISTMILL_DATABASE_URL" not in found


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_given_the_s3_server_and_inherits_none(service: str) -> None:
    inherited = {"S3_ENDPOINT": "http://other", "S3_SECRET_KEY": "x", "GRISTMILL_S3_BUCKET": "y"}
    assert not inherited.keys() & environment(service, inherited, {}).keys()
    given = of_blobs(
        Settings.model_validate(
            {"s3_endpoint": "http://s3.example", "s3_access_key": "key", "s3_secret_key": "secret"}
        )
    )
    found = environment(service, inherited, given)
    assert given.items() <= found.items()
    assert {"http://s3.example", "key", "secret"} <= set(found.values())


def test_blobs_in_the_data_folder_need_no_variable() -> None:
    assert of_blobs(Settings()) == {}
