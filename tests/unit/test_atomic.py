import errno
import os

import numpy as np
import pytest

from metacascade.base.errors import RunError
from metacascade.io import atomic, datasets, sealed
from metacascade.io.datasets import Table
from metacascade.ranks.parallel import serial_world

WORLD = serial_world()


def test_a_file_that_cannot_be_written_whole_leaves_the_former_one(tmp_path):
    path = tmp_path / "list"
    atomic.write_text(path, "former")

    def pieces():
        yield 0, b"new"
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(RunError, match="cannot write .*list: No space left on device; free some space"):
        atomic.write_bytes(path, pieces())
    assert path.read_text() == "former" and os.listdir(tmp_path) == ["list"]


@pytest.mark.parametrize("number, remedy", [
    (errno.EROFS, "must be writable"), (errno.EDQUOT, "free some space"), (errno.EIO, "metacascade resume")])
def test_an_error_says_what_to_do(number, remedy):
    with pytest.raises(RunError, match=remedy), atomic.writing("file"):
        raise OSError(number, os.strerror(number))




@pytest.mark.parametrize("rows, size", [(0, 0), (3, 24), (3_000_000, 24_000_000)])
def test_a_sealed_file_is_hashed_in_chunks_of_16_MiB(tmp_path, rows, size):
    import hashlib
    path = tmp_path / "file"
    datasets.write(WORLD, path, [Table.of("a", np.arange(rows))], seal=("PART", 1))
    sealed.verify(WORLD, path, "PART", 1)
    data = path.read_bytes()[512:]
    chunks = [data[i:i + (16 << 20)] for i in range(0, len(data), 16 << 20)]
    root = hashlib.sha256(b"".join(hashlib.sha256(chunk).digest() for chunk in chunks)).hexdigest()
    assert len(data) >= size
    assert path.read_bytes()[:512].rstrip(b"\0") == (
        f"METACASCADE PART\nformat 1\nlength {len(data) + 512}\nsha256 {root}\n\n".encode())
    assert sealed.kind_of(path) == "PART"


def test_a_table_that_brings_other_rows_than_promised_is_not_written(tmp_path):
    for rows, slab in ((3, np.arange(2)), (3, np.arange(4)), (3, np.arange(3, dtype="f4"))):
        table = Table("a", np.dtype("i8"), rows, slabs=lambda slab=slab: [slab])
        with pytest.raises(ValueError, match="^a: "):
            datasets.write(WORLD, tmp_path / "file", [table])
    assert os.listdir(tmp_path) == []


def test_a_file_that_several_write_is_told_by_its_own_name(tmp_path):
    with pytest.raises(RunError, match=r"cannot write \S*none/sweep\.csv: "):
        atomic.write_shared(tmp_path / "none" / "sweep.csv", "a")


def test_where_space_cannot_be_reserved_the_file_is_the_same(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.EOPNOTSUPP, "not supported")
    table = Table.of("a", np.arange(100_000))
    datasets.write(WORLD, tmp_path / "one", [table])
    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    datasets.write(WORLD, tmp_path / "two", [table])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
