"""What a kill leaves of files that were being written goes after its time, and nothing else does."""

import os
from datetime import timedelta
from pathlib import Path

from shared.clock import now
from shared.leftovers import sweep


def test_only_what_nobody_has_written_to_for_long_is_removed(tmp_path: Path) -> None:
    old = [tmp_path / "blobs/incoming/a", tmp_path / "incoming/b", tmp_path / "tmp/c/part.jsonl"]
    new = [tmp_path / "blobs/incoming/d", tmp_path / "tmp/e/part.jsonl"]
    kept = [tmp_path / "blobs/default/text/ab/abc", tmp_path / "exports/f.jsonl"]
    for path in (*old, *new, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    long_ago = (now() - timedelta(days=2)).timestamp()
    for path in (*old, *kept, tmp_path / "tmp/c", tmp_path / "tmp/e"):
        os.utime(path, (long_ago, long_ago))

    removed = sweep(tmp_path, now() - timedelta(days=1))

    assert removed == 3
    assert not any(path.exists() for path in (*old, tmp_path / "tmp/c"))
    assert all(path.exists() for path in (*new, *kept))


def test_a_data_folder_without_any_of_it_is_left_alone(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none", now()) == 0
