"""A data folder remembers where its blobs lie, and never looks for them elsewhere."""

from pathlib import Path

import pytest

from shared.errors import GristmillError, Refused
from shared.settings import Settings
from shared.stack import Place, place

FOLDER, SEAWEED = Place(kind="folder"), Place(kind="seaweedfs")


def own(bucket: str = "grain") -> Settings:
    return Settings(s3_endpoint="http://s3.example:9000", s3_bucket=bucket)


def test_a_fresh_folder_holds_its_blobs_itself_and_says_so_ever_after(tmp_path: Path) -> None:
    assert place(tmp_path, Settings()) == FOLDER
    for wanted, embedded in ((Settings(), True), (own(), False)):
        with pytest.raises(Refused) as refused:
            place(tmp_path, wanted, embedded=embedded)
        assert refused.value.code == "blobs_elsewhere"
        assert "lie in the folder itself" in refused.value.message
    assert place(tmp_path, Settings()) == FOLDER


def test_a_folder_from_before_it_was_written_down_keeps_its_blobs(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    with pytest.raises(Refused, match="the folder itself"):
        place(tmp_path, Settings(), embedded=True)


def test_a_folder_that_was_made_with_s3_needs_not_be_told_again(tmp_path: Path) -> None:
    assert place(tmp_path, Settings(), embedded=True) == SEAWEED
    assert place(tmp_path, Settings()) == SEAWEED
    with pytest.raises(Refused, match=r"the embedded S3 server \(--s3\), not in bucket grain"):
        place(tmp_path, own())


def test_a_bucket_of_the_users_must_be_named_again_and_be_the_same(tmp_path: Path) -> None:
    first = place(tmp_path, own())
    assert place(tmp_path, own()) == first
    with pytest.raises(Refused, match="set S3_ENDPOINT"):
        place(tmp_path, Settings())
    with pytest.raises(Refused, match="not in bucket chaff"):
        place(tmp_path, own("chaff"))
    (tmp_path / "blobs.json").unlink()
    assert place(tmp_path, own("chaff")).bucket == "chaff"


def test_two_servers_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        place(tmp_path, own(), embedded=True)
    assert refused.value.code == "conflicting_options"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_ours_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "blobs.json").write_text('{"kind": "tape"}')
    with pytest.raises(GristmillError, match="restore it"):
        place(tmp_path, Settings())
