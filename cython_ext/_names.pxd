# Header only: the laws that kernels are given by name, as dicts, of which Cython fills a struct.


cdef inline int same_names(dict given, dict taken) except -1:
    """Refuse names that the struct `taken` does not have; that it has all of its own is seen when it is filled."""
    unknown = sorted(given.keys() - taken.keys())
    if unknown:
        raise ValueError(f"the kernel takes no {', '.join(unknown)}, but {', '.join(taken)}")
    return 0
