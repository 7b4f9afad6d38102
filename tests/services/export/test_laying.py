"""Finished files in a folder of the data folder: whole or not at all, and never through a link."""

import os
import stat
from pathlib import Path

import pytest

from services.export.laying import STALE, lay
from shared.errors import Rejected


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    return tmp_path / "outside"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = [tmp_path / f"dataset_1_batch_{n}.jsonl" for n in range(2)]
    for file in found:
        file.write_text(file.name, encoding="utf-8")
    return found


def refusal(data: Path, output_dir: str, files: list[Path]) -> Rejected:
    with pytest.raises(Rejected) as rejected:
        lay(data, output_dir, files)
    return rejected.value


def texts(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}


@pytest.mark.parametrize("output_dir", ["mine", "a/b/c"])
def test_files_lie_in_the_folder_and_laying_again_is_laying_once(
    data: Path, output_dir: str, files: list[Path]
) -> None:
    for _ in range(2):
        lay(data, output_dir, files)
        folder = data / "exports" / output_dir
        assert texts(folder) == {file.name: file.name for file in files}
        assert not stat.S_ISLNK((folder / files[0].name).lstat().st_mode)


def test_files_of_several_jobs_lie_side_by_side_and_a_file_of_the_same_name_is_replaced(
    data: Path, files: list[Path]
) -> None:
    lay(data, "mine", files[:1])
    files[1].write_text("of another job", encoding="utf-8")
    lay(data, "mine", files[1:])
    files[0].write_text("anew", encoding="utf-8")
    lay(data, "mine", files[:1])
    assert texts(data / "exports" / "mine") == {
        files[0].name: "anew",
        files[1].name: "of another job",
    }


@pytest.mark.parametrize("link", ["exports", "exports/a", "exports/a/b"])
@pytest.mark.parametrize("leads", ["outside", "nowhere", "inside"])
def test_a_link_on_the_way_is_refused_and_nothing_is_written_behind_it(
    data: Path, outside: Path, files: list[Path], link: str, leads: str
) -> None:
    (data / "inside").mkdir()
    target = {"outside": outside, "nowhere": outside / "nowhere", "inside": data / "inside"}[leads]
    (data / link).parent.mkdir(parents=True, exist_ok=True)
    (data / link).symlink_to(target)
    problem = refusal(data, "a/b", files)
    assert problem.code == "output_dir_leads_out"
    assert f"{link} of the data folder is a link" in problem.message
    assert [*outside.rglob("*"), *(data / "inside").rglob("*")] == []


def test_a_link_of_the_files_name_is_replaced_and_not_followed(
    data: Path, outside: Path, files: list[Path]
) -> None:
    precious = outside / "precious"
    precious.write_text("precious", encoding="utf-8")
    (data / "exports" / "mine").mkdir(parents=True)
    (data / "exports" / "mine" / files[0].name).symlink_to(precious)
    lay(data, "mine", files)
    assert precious.read_text(encoding="utf-8") == "precious"
    assert texts(data / "exports" / "mine") == {file.name: file.name for file in files}


def test_the_data_folder_itself_may_be_a_link(
    tmp_path: Path, data: Path, files: list[Path]
) -> None:
    (tmp_path / "linked").symlink_to(data)
    lay(tmp_path / "linked", "mine", files)
    assert len(texts(data / "exports" / "mine")) == 2


def test_what_is_no_folder_and_a_folder_of_the_files_name_are_told(
    data: Path, files: list[Path]
) -> None:
    (data / "exports" / "taken" / files[0].name / "x").mkdir(parents=True)
    (data / "exports" / "file").write_text("", encoding="utf-8")
    for output_dir in ("file", "file/below", "taken"):
        problem = refusal(data, output_dir, files)
        assert problem.code == "output_dir_not_writable"
        assert f"exports/{output_dir}" in problem.message
        assert str(data) not in problem.message
    assert [file.name for file in (data / "exports" / "taken").iterdir()] == [files[0].name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_told_and_leaves_nothing(
    data: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def onto_a_full_disk(
        path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        found = opened(path, flags, mode, dir_fd=dir_fd)
        if flags & os.O_CREAT:
            os.close(found)
            return opened("/dev/full", os.O_WRONLY)
        return found

    monkeypatch.setattr(os, "open", onto_a_full_disk)
    assert refusal(data, "mine", files).code == "output_dir_disk_full"
    assert texts(data / "exports" / "mine") == {}


def test_what_a_killed_writer_left_is_swept_and_what_another_writes_stays(
    data: Path, files: list[Path]
) -> None:
    folder = data / "exports" / "mine"
    folder.mkdir(parents=True)
    killed, writing, strange = (
        f".{files[0].name}.{n}.part" for n in ("killed", "writing", "strange")
    )
    strange = strange.replace("dataset", "other")
    for name in (killed, writing, strange):
        (folder / name).write_text("half", encoding="utf-8")
    for name in (killed, strange):
        long_ago = (folder / name).stat().st_mtime - 2 * STALE
        os.utime(folder / name, (long_ago, long_ago))
    lay(data, "mine", files)
    assert set(texts(folder)) == {writing, strange, *(file.name for file in files)}
