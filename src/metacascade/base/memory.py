"""Memory of a process: how much it has, and what it does with that which it needs no more."""
import ctypes
import resource

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


def resident():
    """Resident memory of this process now [bytes]; the peak where the system does not tell."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return peak()


def peak():
    """Largest resident memory of this process so far [bytes]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
