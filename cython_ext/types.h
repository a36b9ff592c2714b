/* The records of the model, once: kernel = NumPy dtype = message = file. Widest field first, so that
   the packed size is the aligned size. _types.pxd shows them to Cython, _layout.pyx to Python. */
#ifndef METACASCADE_TYPES_H
#define METACASCADE_TYPES_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {              /* what a cell is, wherever it is: 6 bytes */
    uint16_t clone;           /* row of the clone table */
    uint8_t emt;              /* 0 epithelial and immotile .. 255 mesenchymal */
    uint8_t adhesion;         /* 0 free .. 255 bound to its neighbors */
    uint8_t bits;             /* states that are on or off; the plan says which */
    uint8_t flags;            /* FLAG_*: how it came where it is */
} traits_t;

typedef struct {              /* a tumor cell in tissue: 12 bytes, three words of a Philox counter */
    uint16_t x, y, z;         /* place inside its voxel, in 1/65536 of the edge */
    traits_t traits;
} cell_t;

typedef struct {              /* a cell on its way to another tile: 24 bytes */
    uint64_t key;             /* curve key of the tile it goes to */
    cell_t cell;
    uint16_t voxel;           /* index of the voxel in that tile, 64 z + 8 y + x */
    uint16_t mutant;          /* 0; of a daughter with a mutation, the high bits of the id of her clone */
} migrant_t;

typedef struct {              /* a circulating tumor cell or cluster: 64 bytes */
    uint64_t id;              /* hash of seed, step, place and record; the same on any ranks */
    double t_event;           /* [h] when the next event is due; once ended, when it ended */
    double t_shed;            /* [h] when it entered the blood */
    float x, y, z;            /* [um] where it left the tissue; of one that a lesion has shed x and y are the bytes of
                                 the id of that lesion, see ctc_source; 0 for other origins */
    float distance;           /* [um] from the vessel's center line when it left */
    float diameter;           /* [um] of one cell; of a cluster of the widest */
    uint32_t hop;             /* draws made so far: the counter of its walk */
    traits_t traits;          /* of a cluster those of its leader; member_t has the others */
    uint16_t n;               /* cells in it; 1 is a single cell */
    uint8_t node;             /* node of the circuit where it is or ended */
    uint8_t place;            /* place_e */
    uint8_t fate;             /* fate_e */
    uint8_t origin;           /* node from which it entered the blood */
    uint8_t pending;          /* event_e that happens at t_event */
    uint8_t zone;             /* zone_e of the place where it left the tissue, by the outline of then */
    uint8_t bits_shed;        /* `bits` when it entered the blood */
    uint8_t maturity;         /* of the vessel by which it left, in 1/255 */
} ctc_t;

typedef struct {              /* of a cluster each cell but its leader, whose traits are those of the CTC: 16 bytes */
    uint64_t id;              /* of the CTC */
    traits_t traits;
    uint16_t index;           /* 1 .. n - 1, in the order in which they followed; the last one goes first */
} member_t;

typedef struct {              /* a lesion: what the cells of one clone began that left the blood together: 96 bytes */
    uint64_t id;              /* of its founder */
    uint64_t source;          /* of the lesion that shed the founder; 0: the tumor did, or it was injected */
    int64_t n;                /* cells alive */
    int64_t born, died, shed; /* cells since it was founded */
    double t_founded;         /* [h] when the founder left the blood */
    double t_state;           /* [h] when it entered its present state */
    double t_event;           /* [h] when what is pending happens, of one that does not divide; else infinite */
    double t_detected;        /* [h] when it was first so large that it is seen; until then infinite */
    traits_t traits;
    uint8_t node;             /* the organ */
    uint8_t state;            /* lesion_e */
    uint32_t hop;             /* draws made so far, for what is pending */
    uint8_t pending;          /* lesion_event_e that happens at t_event */
    uint8_t origin;           /* node from which the founder entered the blood */
    uint16_t pad16;           /* zero */
} lesion_t;

/* A cell that a lesion has shed came from no place in tissue: the bytes of x and y hold the id of the lesion. */
static inline void ctc_source(ctc_t *c, uint64_t source)
{
    memcpy((char *)c + offsetof(ctc_t, x), &source, sizeof source);
}

static inline uint64_t source_of_ctc(const ctc_t *c)
{
    uint64_t source;
    memcpy(&source, (const char *)c + offsetof(ctc_t, x), sizeof source);
    return source;
}
#endif
