"""Reads Parquet as a test must: Arrow's reading threads have been seen to abort a process that ends soon after."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def read_parquet(path: Path) -> pa.Table:
    """The whole file, read by the calling thread alone."""
    with pq.ParquetFile(path, pre_buffer=False) as file:
        return file.read(use_threads=False)
