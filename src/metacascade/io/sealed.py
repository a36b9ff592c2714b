"""Sealed files: the first 512 bytes say the length and the SHA-256 of the rest.

A sealed file that was cut, changed in any bit, or not written to its end is refused before a library
looks into it (HDF5 may crash on damaged input, or never end). The hash is a tree, SHA-256 over the SHA-256 of
chunks of 16 MiB, so that all ranks compute it together. Large tables may stand apart: a second hash, of all but
their rows, lets a file be opened at once, and the first is checked when rows are read.
"""
import hashlib
import os
import re
from dataclasses import dataclass

from metacascade.base.errors import InputError, on_all_ranks
from metacascade.io import manyruns
from metacascade.io.atomic import reading, writing

BLOCK = 512                       # bytes of the seal; HDF5 calls it the user block
CHUNK = 16 << 20
SEAL = re.compile(rb"METACASCADE ([A-Z]+)\nformat (\d{1,9})\nlength (\d{1,19})\n((?:rows \d{1,19} \d{1,19}\n)*)"
                  rb"(?:head ([0-9a-f]{64})\n)?sha256 ([0-9a-f]{64})\n\n\0*")
HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class Seal:
    """What a seal says: `head` is the hash of all but `rows`, byte ranges (start, end); None where it has none."""

    kind: str
    version: int
    size: int
    rows: tuple
    head: str | None
    root: str

    def block(self):
        """The seal as bytes, BLOCK of them."""
        rows = "".join(f"rows {start} {end}\n" for start, end in self.rows)
        head = f"head {self.head}\n" if self.head else ""
        text = f"METACASCADE {self.kind}\nformat {self.version}\nlength {self.size}\n{rows}{head}sha256 {self.root}\n\n"
        return text.encode().ljust(BLOCK, b"\0")


def seal(world, path, kind, version, rows=()):
    """Hash the file `path` and write its first 512 bytes. Collective; the file is complete but for these.

    `rows`: byte ranges (start, end), ascending, that `verify` leaves out with ``head_only``.
    """
    with world.together(), writing(path):
        size = os.stat(path).st_size
        whole = _hash_chunks(path, [(BLOCK, size)], world)
        head = _hash_chunks(path, _without(rows, size), world) if rows else []
    root, head = _root(world, whole), _root(world, head) if rows else None
    with world.together(), writing(path):
        if world.rank == 0:
            _write_block(path, Seal(kind, version, size, tuple(rows), head, root).block())


def verify(world, path, kind, version, head_only=False):
    """Raise InputError on every rank unless the file `path` is whole, of this kind and version. Collective.

    With `head_only`, rows that stand apart are left out; else both hashes must fit, since that of the whole does not
    see what the seal says of the head. Returns the Seal.
    """
    with world.together(), reading(path), _opened(path, buffering=0) as file:    # one, if it is just replaced
        size = os.fstat(file.fileno()).st_size
        found = _checked_seal(path, file.read(BLOCK), size, kind, version)
        said = {found.head: _without(found.rows, size)} if found.head else {}
        if not (head_only and said):
            said[found.root] = [(BLOCK, size)]
        hashes = [_hash_chunks(file.fileno(), spans, world) for spans in said.values()]
    if [_root(world, part) for part in hashes] != list(said):
        raise on_all_ranks(InputError(f"{path} is damaged: its content does not match its checksum"))
    return found


def kind_of(path):
    """The kind named in the first bytes of a sealed file ("CHECKPOINT"), intact or not, or None."""
    with reading(path), _opened(path) as file:
        found = re.match(rb"METACASCADE ([A-Z]+)\n", file.read(BLOCK))
    return found[1].decode() if found else None


def _opened(path, **how):
    """The file `path`; where it is not there, InputError if its directory is one of many runs."""
    try:
        return open(path, "rb", **how)
    except FileNotFoundError:
        manyruns.refuse(os.path.dirname(path) or ".")
        raise


def _write_block(path, block):
    with open(path, "r+b") as file:
        file.write(block)
        file.flush()
        os.fsync(file.fileno())


def _checked_seal(path, block, size, kind, version):
    """The Seal in the first bytes of a file, after all that can be checked without reading the rest."""
    found = SEAL.fullmatch(block)
    if not found:
        raise InputError(_why_not(path, block, kind))
    if found[1].decode() != kind:
        raise InputError(f"{path} is a metacascade {_name(found[1].decode())}, not a {_name(kind)}")
    if int(found[2]) != version:
        raise InputError(f"{path} has format {int(found[2])}; this version of metacascade reads format {version}: "
                         + _other_format(int(found[2]), version))
    numbers = [int(word) for word in found[4].split() if word.isdigit()]
    rows = tuple(zip(numbers[::2], numbers[1::2]))
    said = Seal(kind, version, size, rows, found[5] and found[5].decode(), found[6].decode())
    if int(found[3]) != size:
        raise InputError(f"{path} is damaged: it has {size} bytes instead of {int(found[3])}")
    if block != said.block() or bool(rows) != bool(said.head) or [BLOCK, *numbers, size] != sorted(
            [BLOCK, *numbers, size]):
        raise InputError(f"{path} is damaged: its first {BLOCK} bytes contradict themselves")
    return said


def _other_format(found, version):
    """What to do with a file of another format, in one line."""
    if found > version:
        return "install the newer version that wrote it"
    return "go on with the version that wrote it, or run its config again with this one; h5py reads the file as it is"


def _why_not(path, block, kind):
    if block.startswith(b"METACASCADE"):
        return f"{path} is damaged: its first {BLOCK} bytes cannot be read"
    if block.startswith(HDF5):
        return (f"{path} is not a metacascade {_name(kind)}, or of a version before these had a seal: "
                "read it with that version, or with h5py")
    return f"{path} is not a metacascade {_name(kind)}, or its writing was interrupted"


def _name(kind):
    return "results file" if kind == "RESULTS" else kind.lower()


def _without(rows, size):
    """The spans of a file of `size` bytes, behind the seal, that are not in `rows`."""
    starts, ends = [BLOCK, *(end for _, end in rows)], [*(start for start, _ in rows), size]
    return list(zip(starts, ends))


def _hash_chunks(file, spans, world):
    """SHA-256 of every world.size-th chunk of 16 MiB, from this rank's on, of `spans` of a path or open file."""
    chunks = [(start, min(start + CHUNK, end)) for first, end in spans for start in range(first, end, CHUNK)]
    hashes, mine = [], chunks[world.rank::world.size]
    if not mine:            # a small file of many ranks: they need not all open it
        return hashes
    buffer = memoryview(bytearray(max(end - start for start, end in mine)))
    with open(file, "rb", buffering=0, closefd=not isinstance(file, int)) as opened:
        for start, end in mine:
            length = _read_full(opened, start, buffer[:end - start])
            hashes.append(hashlib.sha256(buffer[:length]).digest())
    return hashes


def _read_full(file, start, buffer):
    """Fill `buffer` from `start` on; fewer bytes only at the end of the file."""
    file.seek(start)
    done = 0
    while done < len(buffer) and (n := file.readinto(buffer[done:])):
        done += n
    return done


def _root(world, hashes):
    """Hex SHA-256 over the hashes of all chunks in the order of the file."""
    everyone = world.allgather(b"".join(hashes))
    root = hashlib.sha256()
    for i in range(max(map(len, everyone)) // 32):
        for part in everyone:
            root.update(part[32 * i:32 * i + 32])
    return root.hexdigest()
