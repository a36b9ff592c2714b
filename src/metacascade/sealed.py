"""Sealed files: the first 512 bytes say the length and the SHA-256 of the rest.

A sealed file that was cut, changed in any bit, or not written to its end is refused before a library
looks into it (HDF5 may crash on damaged input). The hash is a tree, SHA-256 over the SHA-256 of
chunks of 16 MiB, so that all ranks compute it together.
"""
import hashlib
import os
import re

from metacascade.atomic import reading, writing
from metacascade.errors import InputError
from metacascade.parallel import on_all_ranks

BLOCK = 512                       # bytes of the seal; HDF5 calls it the user block
CHUNK = 16 << 20
SEAL = re.compile(rb"METACASCADE ([A-Z]+)\nformat (\d{1,9})\nlength (\d{1,19})\nsha256 ([0-9a-f]{64})\n\n\0*")


def seal(world, path, kind, version):
    """Hash the file `path` and write its first 512 bytes. Collective; the file is complete but for these."""
    with world.together(), writing(path):
        size = os.stat(path).st_size
        hashes = _hash_chunks(path, size, world)
    root = _root(world, hashes)
    with world.together(), writing(path):
        if world.rank == 0:
            _write_block(path, _render(kind, version, size, root))


def verify(world, path, kind, version):
    """Raise InputError on every rank unless the file `path` is whole, of this kind and version. Collective."""
    with world.together(), reading(path):
        size = os.stat(path).st_size
        promised = _checked_block(path, size, kind, version)
        hashes = _hash_chunks(path, size, world)
    if _root(world, hashes) != promised:
        raise on_all_ranks(InputError(f"{path} is damaged: its content does not match its checksum"))


def kind_of(path):
    """The kind named in the first bytes of a sealed file ("CHECKPOINT"), intact or not, or None."""
    with reading(path), open(path, "rb") as file:
        found = re.match(rb"METACASCADE ([A-Z]+)\n", file.read(BLOCK))
    return found[1].decode() if found else None


def _render(kind, version, size, root):
    text = f"METACASCADE {kind}\nformat {version}\nlength {size}\nsha256 {root}\n\n"
    return text.encode().ljust(BLOCK, b"\0")


def _write_block(path, block):
    with open(path, "r+b") as file:
        file.write(block)
        file.flush()
        os.fsync(file.fileno())


def _checked_block(path, size, kind, version):
    """The checksum that the file promises, after all that can be checked without reading it."""
    with open(path, "rb") as file:
        block = file.read(BLOCK)
    found = SEAL.fullmatch(block)
    if not found:
        if block.startswith(b"METACASCADE"):
            raise InputError(f"{path} is damaged: its first {BLOCK} bytes cannot be read")
        raise InputError(f"{path} is not a metacascade {kind.lower()}, or its writing was interrupted")
    if found[1].decode() != kind:
        raise InputError(f"{path} is a metacascade {found[1].decode().lower()}, not a {kind.lower()}")
    if int(found[2]) != version:
        raise InputError(f"{path} has format {int(found[2])}; this version of metacascade reads format {version}")
    root = found[4].decode()
    if block != _render(kind, version, size, root):
        raise InputError(f"{path} is damaged: it has {size} bytes instead of {int(found[3])}")
    return root


def _hash_chunks(path, size, world):
    """SHA-256 of every world.size-th chunk of 16 MiB behind the seal, from this rank's on."""
    hashes, mine = [], range(BLOCK + world.rank * CHUNK, size, world.size * CHUNK)
    if not mine:            # a small file of many ranks: they need not all open it
        return hashes
    buffer = memoryview(bytearray(min(CHUNK, size - BLOCK)))
    with open(path, "rb", buffering=0) as file:
        for start in mine:
            length = _read_full(file, start, buffer[:min(CHUNK, size - start)])
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
