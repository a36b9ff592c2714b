"""What a process does with memory that it needs no more."""
import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3      # of mallopt(3), in GNU libc
OWN_PAGES = 1 << 20              # bytes
KEPT = 1 << 24                   # bytes


def give_back():
    """Give large arrays pages of their own, which go back to the system when the array is freed.

    GNU libc else comes to keep the memory of arrays of up to 32 MB, in holes between others: some bytes for each cell.
    Of smaller arrays it keeps what is free at the end of its heap, up to KEPT, and not 128 kB, which it would get again
    all the time. Other libraries of C are left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, OWN_PAGES)
        mallopt(TRIM_THRESHOLD, KEPT)
