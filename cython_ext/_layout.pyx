"""The records, enumerations and random draws of the kernels, as Python sees them.

Everything here is derived from ``types.h``, ``_types.pxd`` and ``_random.pxd``: there is no second copy.
"""
import enum

import numpy as np

cimport _random
cimport _rates
cimport _types
from _random cimport draw
from _rates cimport factor_t, rate_t
from _types cimport cell_t, ctc_t, lesion_t, member_t, migrant_t, traits_t
from libc.stdint cimport uint32_t, uint64_t


def flat(dtype):
    """The dtype with the fields of its ``traits`` side by side with the others: the same bytes."""
    fields = {}
    for name in dtype.names:
        kind, at = dtype.fields[name][:2]
        if name == "traits":
            fields |= {trait: (inner, at + more) for trait, (inner, more, *_) in kind.fields.items()}
        else:
            fields[name] = (flat(kind) if kind.names else kind, at)
    return np.dtype({"names": list(fields), "formats": [kind for kind, _ in fields.values()],
                     "offsets": [at for _, at in fields.values()], "itemsize": dtype.itemsize})


def _dtypes():
    cdef traits_t traits
    cdef cell_t cell
    cdef migrant_t migrant
    cdef ctc_t ctc
    cdef member_t member
    cdef lesion_t lesion
    return [flat(np.asarray(view).dtype) for view in (
        <traits_t[:1]>&traits, <cell_t[:1]>&cell, <migrant_t[:1]>&migrant, <ctc_t[:1]>&ctc, <member_t[:1]>&member,
        <lesion_t[:1]>&lesion)]


_TRAITS, CELL, MIGRANT, CTC, MEMBER, LESION = _dtypes()
TRAITS = _TRAITS.names          # fields that a cell, a CTC, a member of a cluster and a lesion have in common


def _rate_dtypes():
    cdef rate_t rate
    cdef factor_t factor
    return np.asarray(<rate_t[:1]>&rate).dtype, np.asarray(<factor_t[:1]>&factor).dtype


RATE, FACTOR = _rate_dtypes()
MOST_RATES, MOST_SIGNALS, DENSITY = _rates.MOST_RATES, _rates.MOST_SIGNALS, _rates.DENSITY
LARGEST_RATIO = _rates.LARGEST_RATIO


class Flag(enum.IntFlag):
    RETURNED = _types.FLAG_RETURNED
    INJECTED = _types.FLAG_INJECTED
    LESION = _types.FLAG_LESION
    LYMPH = _types.FLAG_LYMPH
    CLONOGENIC = _types.FLAG_CLONOGENIC


HERITABLE = Flag(_types.HERITABLE)


class Place(enum.IntEnum):
    CIRCULATING = _types.CIRCULATING
    BOUND = _types.BOUND
    TRAPPED = _types.TRAPPED
    RETURNING = _types.RETURNING
    ENDED = _types.ENDED


class Zone(enum.IntEnum):
    NOWHERE = _types.NOWHERE
    CORE = _types.CORE
    BORDER = _types.BORDER
    OUTSIDE = _types.OUTSIDE


class Fate(enum.IntEnum):
    OPEN = _types.FATE_OPEN
    ANOIKIS = _types.FATE_ANOIKIS
    SHEAR = _types.FATE_SHEAR
    NK = _types.FATE_NK
    DRAWN = _types.FATE_DRAWN
    DIED_AT_EXIT = _types.FATE_DIED_AT_EXIT
    EXTRAVASATED = _types.FATE_EXTRAVASATED
    SELF_SEEDED = _types.FATE_SELF_SEEDED
    RESECTED = _types.FATE_RESECTED
    IRRADIATED = _types.FATE_IRRADIATED
    ARRESTED_DEATH = _types.FATE_ARRESTED_DEATH


class Event(enum.IntEnum):
    ARRIVE = _types.EVENT_ARRIVE
    ANOIKIS = _types.EVENT_ANOIKIS
    SHEAR = _types.EVENT_SHEAR
    NK = _types.EVENT_NK
    RELEASE = _types.EVENT_RELEASE
    EXTRAVASATE = _types.EVENT_EXTRAVASATE
    BIND = _types.EVENT_BIND
    SPLIT = _types.EVENT_SPLIT
    TORN = _types.EVENT_TORN
    ARRESTED_DEATH = _types.EVENT_ARRESTED_DEATH
    DIVIDE = _types.EVENT_DIVIDE
    STAY = _types.EVENT_STAY


class LesionState(enum.IntEnum):
    SEEDED = _types.SEEDED
    DORMANT = _types.DORMANT
    MICRO = _types.MICRO
    VASCULAR = _types.VASCULAR
    CLEARED = _types.CLEARED


class LesionEvent(enum.IntEnum):
    CELL_DIES = _types.CELL_DIES
    STARTS = _types.STARTS
    SLEEPS = _types.SLEEPS
    WAKES = _types.WAKES
    GREW = _types.GREW
    TRANSFORMS = _types.TRANSFORMS


class Action(enum.IntEnum):
    DIVIDE = _rates.DIVIDE
    REMOVE = _rates.REMOVE
    SHED = _rates.SHED
    SET = _rates.SET
    CLEAR = _rates.CLEAR
    RAISE = _rates.RAISE
    LOWER = _rates.LOWER
    DRAIN = _rates.DRAIN


class Term(enum.IntEnum):
    SECRETE = _rates.SECRETE
    ADD = _rates.ADD
    LOSE = _rates.LOSE
    ADMIT = _rates.ADMIT


class Shape(enum.IntEnum):
    HILL1 = _rates.HILL1
    HILL2 = _rates.HILL2
    HILL4 = _rates.HILL4
    FALL1 = _rates.FALL1
    FALL2 = _rates.FALL2
    FALL4 = _rates.FALL4
    BOOST = _rates.BOOST
    RAMP = _rates.RAMP
    ITSELF = _rates.ITSELF


class Draw(enum.IntEnum):
    TILE = _random.DRAW_TILE
    PLACE = _random.DRAW_PLACE
    NODE = _random.DRAW_NODE
    SEGMENT = _random.DRAW_SEGMENT
    DIAMETER = _random.DRAW_DIAMETER
    WALK = _random.DRAW_WALK
    COLONIZE = _random.DRAW_COLONIZE
    LESION = _random.DRAW_LESION
    LESION_SHED = _random.DRAW_LESION_SHED
    CHILD = _random.DRAW_CHILD
    RETURN = _random.DRAW_RETURN
    SAMPLE = _random.DRAW_SAMPLE
    INJECT = _random.DRAW_INJECT
    RESECT = _random.DRAW_RESECT
    RESECT_RECORD = _random.DRAW_RESECT_RECORD
    IRRADIATE = _random.DRAW_IRRADIATE
    IRRADIATE_RECORD = _random.DRAW_IRRADIATE_RECORD
    MUTATION = _random.DRAW_MUTATION
    SPROUT = _random.DRAW_SPROUT
    TIP = _random.DRAW_TIP
    BRANCH = _random.DRAW_BRANCH
    RADIUS = _random.DRAW_RADIUS
    FLOW = _random.DRAW_FLOW
    COLLAPSE = _random.DRAW_COLLAPSE
    SPLIT = _random.DRAW_SPLIT
    CLONOGENIC = _random.DRAW_CLONOGENIC
    LESION_EVENT = _random.DRAW_LESION_EVENT
    FOLLOWED = _random.DRAW_FOLLOWED
    LUMPED = _random.DRAW_LUMPED
    LUMPED_CHILD = _random.DRAW_LUMPED_CHILD
    PATIENT = _random.DRAW_PATIENT
    CELLSEARCH = _random.DRAW_CELLSEARCH


def philox(counter, uint64_t key):
    """Philox4x32-10 of four counter words: a tuple of four words."""
    cdef uint32_t c[4]
    cdef uint32_t out[4]
    c[0], c[1], c[2], c[3] = counter
    _random.philox4x32(c, key, out)
    return out[0], out[1], out[2], out[3]


def unit52(high, low):
    """A double in (0, 1), both ends open, from 52 bits of two words: as in the kernels, for arrays of uint32."""
    return ((high.astype(np.uint64) << np.uint64(20) | low.astype(np.uint64) >> np.uint64(12)) + 0.5) / 2**52


def draws(uint64_t seed, uint32_t use, const uint64_t[::1] a not None, const uint32_t[::1] b not None):
    """``draw(seed, use, a[i], b[i])`` for each i: an array of uint32, shape (n, 4)."""
    if a.shape[0] != b.shape[0]:
        raise ValueError(f"a has {a.shape[0]} values and b has {b.shape[0]}")
    out = np.empty((a.shape[0], 4), np.uint32)
    cdef uint32_t[:, ::1] o = out
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        draw(seed, use, a[i], b[i], &o[i, 0])
    return out
