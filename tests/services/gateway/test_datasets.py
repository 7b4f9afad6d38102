"""Datasets found, downloaded in parts and deleted; what is not built says so; strangers' formats are known."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from contracts.dataset import DatasetDeletionRequested
from contracts.identity import dataset_id
from services.gateway import formats
from services.gateway.routes.later import LATER
from shared.bus import Answer
from shared.errors import Refused
from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import Gateway
from tests.services.gateway.story import JOB, PROJECT, Story

DATASET = dataset_id(JOB)
UNKNOWN = "00000000-0000-0000-0000-000000000009"


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another package brings a format, and cannot even be imported here."""
    known = [EntryPoint(name, f"nowhere:{name}", formats.GROUP) for name in ("jsonl", "cards")]
    monkeypatch.setattr(formats, "entry_points", lambda group: known)
    formats.names.cache_clear()
    yield
    formats.names.cache_clear()


def test_a_strangers_format_is_known_by_its_entry_point(stranger: None) -> None:
    assert formats.names() == (*formats.BUILT_IN, "cards")
    formats.check("cards", "format")
    for name, code in (("anki", "not_available"), ("xml", "invalid_parameter")):
        with pytest.raises(Refused) as refused:
            formats.check(name, "format")
        assert refused.value.code == code


async def test_datasets_of_a_project_are_found(gateway: Gateway, told: Story) -> None:
    path = f"/datasets/list/{PROJECT}"
    everything = await gateway.get(path)
    assert everything["total_count"] == len(everything["datasets"]) > 0
    assert set(everything["datasets"][0]) == {
        *("id", "name", "format_type", "size_bytes", "entries_count"),
        *("created_at", "status", "generation_params"),
    }
    name = everything["datasets"][0]["name"]
    for query, some in (
        (f"search={name.upper()}", True),
        ("search=no-such-name%25", False),
        ("format_filter=jsonl", True),
        ("format_filter=parquet", False),
        ("date_from=2001-01-01", True),
        ("date_to=2001-01-01T00:00:00Z", False),
        ("page=1000000000", None),
    ):
        total = (await gateway.get(f"{path}?{query}"))["total_count"]
        assert some is None or bool(total) == some, query
    for query in ("page_size=0", "page=0", "date_from=soon", "search=%00"):
        assert (await gateway.get(f"{path}?{query}", 400))["code"] == "invalid_parameter"
    misspelt = await gateway.get(f"{path}?serch=x", 400)
    assert (misspelt["code"], misspelt["field"]) == ("unknown_parameter", "serch")
    assert misspelt["detail"].endswith("Did you mean search?")


async def test_a_part_of_a_file_is_downloaded(gateway: Gateway, told: Story) -> None:
    url = f"/api/v1/datasets/{DATASET}/download?format=parquet"
    async with gateway.http.head(url) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, "5")
        tag = response.headers["ETag"]
    for headers, status, data in (
        ({"Range": "bytes=1-3"}, 206, b"hol"),
        ({"Range": "bytes=-2", "If-Range": tag}, 206, b"le"),
        ({"Range": "bytes=-2", "If-Range": '"other"'}, 200, b"whole"),
        ({"Range": "bytes=0-1,3-4"}, 200, b"whole"),
    ):
        async with gateway.http.get(url, headers=headers) as response:
            assert (response.status, await response.read()) == (status, data), headers
            assert response.headers["Content-Length"] == str(len(data))
    async with gateway.http.get(url, headers={"Range": "bytes=5-"}) as response:
        assert response.status == 416
        assert response.headers["Content-Range"] == "bytes */5"
        assert (await response.json())["code"] == "range_not_satisfiable"
    for known, status in ((tag, 304), (f'"other", W/{tag}', 304), ("*", 304), ('"other"', 200)):
        async with gateway.http.get(url, headers={"If-None-Match": known}) as response:
            assert (response.status, response.headers["ETag"]) == (status, tag), known


async def test_a_file_is_downloaded_by_its_name(gateway: Gateway, told: Story) -> None:
    details = await gateway.get(f"/datasets/{DATASET}/details")
    file = next(each for each in details["exports"] if each["batch_index"] == 1)
    async with gateway.http.get(f"/api/v1/datasets/{file['file_path']}/download") as response:
        assert (response.status, await response.read()) == (200, b"two\n")
    for name in ("nothing.jsonl", "..%2f..%2fetc%2fpasswd", "a%00.jsonl"):
        await gateway.get(f"/datasets/{name}/download", 404)


async def test_what_is_not_built_says_so_and_not_that_it_is_unknown(gateway: Gateway) -> None:
    for method, path, what in LATER:
        at = path.replace("{id}", UNKNOWN).replace("{entry_id}", UNKNOWN).replace("{name}", "x")
        async with gateway.http.request(method, f"/api/v1{at}?any=1", json={"any": 1}) as response:
            said = await response.json()
        assert (response.status, said["code"]) == (400, "not_available"), (method, path)
        assert what in said["detail"]
    assert (await gateway.get("/plugins/dataset-formats"))["formats"][0] == "jsonl"


async def test_many_datasets_are_deleted_and_each_failure_is_named(
    gateway: Gateway, ledger: FakeLedger, told: Story
) -> None:
    busy = Answer(code="dataset_in_use", message="Job x works on it", status=409)
    ledger.answers[DatasetDeletionRequested] = busy
    body = {"dataset_ids": [str(DATASET), UNKNOWN, "nonsense"]}
    said = await gateway.post("/datasets/bulk-delete", body)
    assert said["deleted_count"] == 0
    failed = [(each["dataset_id"], each["code"]) for each in said["failed_deletions"]]
    assert failed == [
        (str(DATASET), "dataset_in_use"),
        (UNKNOWN, "dataset_not_found"),
        ("nonsense", "dataset_not_found"),
    ]
    assert (await gateway.post("/datasets/bulk-delete", {"dataset_ids": []}, 400))["code"] == (
        "missing_parameter"
    )
    assert (await gateway.delete(f"/datasets/{DATASET}", status=409))["code"] == "dataset_in_use"

    # The last test that needs the story's dataset: it is gone from then on.
    ledger.forget()
    gone = await gateway.delete(f"/datasets/{DATASET}/delete")
    assert (gone["deleted_count"], gone["failed_deletions"]) == (1, [])
    for path in ("", "/entries", "/details", "/download"):
        await gateway.get(f"/datasets/{DATASET}{path}", 404)
    assert (await gateway.get(f"/jobs/status/{JOB}"))["status"] == "completed"
