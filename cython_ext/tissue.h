/* What a step does for every voxel, in loops that compilers vectorize; for many cells at once: blocks.h. */
#ifndef METACASCADE_TISSUE_H
#define METACASCADE_TISSUE_H
#include "clones.h"
#include "philox.h"
#include "rates.h"
#include <float.h>
#include <math.h>
#include <string.h>

typedef uint32_t __attribute__((may_alias)) word_t;

enum { PAD_FIRST = 111, BLOCK = 1024 };
_Static_assert(MOST_RATES == 64 && SPARE == 16 && BLOCK == 1024,
               "the arrays of _tiles.pxd, _rates.pxd and _hazards.pxd, and HOP, have these lengths as numbers");

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are read as words, and flags eight at a time");

/* Counters of the draws of a tile in a step are a cell's record and voxel | use << 16. */
enum { USE_WALK = 0, USE_EVENT = 1, USE_CHILD = 2, USE_TIME = 3 };

typedef struct {               /* what the cells of a voxel share in a step */
    float rate[MOST_RATES][512 + SPARE];   /* [1/h] without the factors of the single cell */
    float wall[512 + SPARE];           /* no vessel in reach is more permeable; 0: there is none */
    float density[512 + SPARE];        /* cells / capacity */
    float pressure[1000];              /* with a layer of the neighbors' voxels round them */
    float resistance[1000];            /* of what resists, in the same way */
    int resists;                       /* does it? */
    float hop[512 + SPARE];            /* chance that a cell is pushed out, over all faces */
    double bound[512 + SPARE];         /* no cell has a greater chance that anything happens to it, hops included */
    uint32_t limit[512 + SPARE];       /* a cell is looked at if its hash is not above it: with the chance `bound` */
    float signal[1000];                /* a field whose gradient cells follow, in the same way */
    int32_t bias[3][512 + SPARE];      /* bias of a fully motile cell up gradients [edge/65536] */
    uint8_t bin[512 + SPARE];          /* of the signal that the speed of a cell depends on */
} voxel_table_t;

/* The edge^3 values of a tile, edge known when this is compiled, with a layer of its neighbors' at its faces. Beyond a
   missing neighbor lies a mirror, or 0. */
static inline __attribute__((always_inline)) void pad_cube(const float *all, int64_t row, const int32_t *neighbors,
                                                           int mirror, float *pad, const int edge)
{
    static const int offset[6] = {12, 14, 10, 16, 4, 22};
    static const float none[512];
    const int wide = edge + 2, values = edge * edge * edge;
    float *const first = pad + 1 + wide + wide * wide;
    for (int z = 0; z < edge; z++)
        for (int y = 0; y < edge; y++)
            memcpy(first + wide * (wide * z + y), all + values * row + edge * (edge * z + y), edge * sizeof(float));
    for (int face = 0; face < 6; face++) {
        const int32_t other = neighbors[offset[face]];
        const int high = face & 1, near = high ? edge - 1 : 0, there = high ? edge : -1;
        const int from = other < 0 ? near : edge - 1 - near;
        const float *value = other >= 0 ? all + values * (int64_t)other : mirror ? all + values * row : none;
        for (int b = 0; b < edge; b++)
            if (face < 2)
                for (int a = 0; a < edge; a++)
                    first[wide * (wide * b + a) + there] = value[edge * (edge * b + a) + from];
            else if (face < 4)
                memcpy(first + wide * (wide * b + there), value + edge * (edge * b + from), edge * sizeof(float));
            else
                memcpy(first + wide * (wide * there + b), value + edge * (edge * from + b), edge * sizeof(float));
    }
}

static void pad_tile(const float *all, int64_t row, const int32_t *neighbors, int mirror, float *pad)
{
    pad_cube(all, row, neighbors, mirror, pad, 8);
}

/* The resistance of the field that resists, from its values: `most` where it is 1. */
METACASCADE_CLONES static void fill_resistance(float most, float *resistance)
{
    for (int i = 0; i < 1000; i++)
        resistance[i] *= most;
}

static inline float fall(float here, float there)
{
    const float d = here - there;
    return d > 0.0f ? d : 0.0f;
}

/* The fall of pressure that pushes cells from one voxel into the next, less what is resisted more there. */
static inline __attribute__((always_inline)) float push(const float *p, const float *r, int step, int resists)
{
    return fall(p[0], resists ? p[step] + fall(r[step], r[0]) : p[step]);
}

static inline __attribute__((always_inline)) void add_hops(const voxel_table_t *table, float mobility, int resists,
                                                           float *restrict hop)
{
    for (int row = 0; row < 64; row++) {
        const int at = PAD_FIRST + 100 * (row >> 3) + 10 * (row & 7);
        const float *p = table->pressure + at, *r = table->resistance + at;
        for (int x = 0; x < 8; x++, p++, r++)
            hop[8 * row + x] = mobility * (((push(p, r, -1, resists) + push(p, r, 1, resists))
                                            + (push(p, r, -10, resists) + push(p, r, 10, resists)))
                                           + (push(p, r, -100, resists) + push(p, r, 100, resists)));
    }
}

/* mobility dt / edge^2 times what pushes over the six faces: the chance of a hop of each cell. */
METACASCADE_CLONES static void fill_hop(voxel_table_t *table, float mobility)
{
    float hop[512];
    if (table->resists)
        add_hops(table, mobility, 1, hop);
    else
        add_hops(table, mobility, 0, hop);
    memcpy(table->hop, hop, sizeof hop);
}

/* The face, -x +x -y +y -z +z, that a cell of voxel v passes: chances lie one behind the other, `at` in one of them. */
static inline __attribute__((always_inline)) int face(const voxel_table_t *table, int v, float mobility, double at,
                                                      int resists)
{
    static const int step[6] = {-1, 1, -10, 10, -100, 100};
    const int place = PAD_FIRST + 100 * (v >> 6) + 10 * (v >> 3 & 7) + (v & 7);
    int face = 0, last = 0;
    double end = 0.0;
    for (int k = 0; k < 6; k++) {
        const float chance = mobility * push(table->pressure + place, table->resistance + place, step[k], resists);
        end += chance;
        last = chance > 0.0f ? k : last;
        face += at >= end;
    }
    return face < 6 ? face : last;                 /* 6: rounded up, to beyond the last that has a chance */
}

static inline int face_of(const voxel_table_t *table, int v, float mobility, double at)
{
    return table->resists ? face(table, v, mobility, at, 1) : face(table, v, mobility, at, 0);
}

METACASCADE_CLONES static void fill_density(const uint16_t *counts, float capacity, float *density)
{
    for (int v = 0; v < 512; v++)
        density[v] = (float)counts[v] / capacity;
}

/* List the voxels whose vessels are worth a look: in which half a cell or more would be looked at for their sake; how
   many. In all others they count as open: `wall` is 1, or 0 where the list of the voxel, from `first` on, is empty. */
METACASCADE_CLONES static int list_walls(const rate_t *rates, int n, double dt_h, const uint16_t *counts,
                                         const int32_t *first, voxel_table_t *table, uint16_t *list)
{
    float shed[512];
    uint8_t worth[512], any = 0;
    int k = 0;
    memset(shed, 0, sizeof shed);
    for (int r = 0; r < n; r++) {
        const float most = rates[r].action == SHED ? (float)(rates[r].most * dt_h) : 0.0f;
        if (most > 0.0f)
            for (int v = 0; v < 512; v++)
                shed[v] += table->rate[r][v] * most;
    }
    for (int v = 0; v < 512; v++) {
        table->wall[v] = first[v + 1] > first[v] ? 1.0f : 0.0f;
        worth[v] = shed[v] * (float)counts[v] * table->wall[v] >= 0.5f;
        any |= worth[v];
    }
    for (int v = 0; any && v < 512; v++) {
        list[k] = (uint16_t)v;
        k += worth[v];
    }
    return k;
}

/* A bound of the chance that anything happens to a cell: the chances of the events add up to e phi(z) with
   e = sum of rates dt and z at most b, the share of divisions, and phi(z) = (exp(z) - 1) / z <= 1 + b / 2 + b^2 / 4
   while b <= 1; above that the chance is 1. It may be loose, is where few cells are saved, and is rounded up to what a
   hash can tell.
   Returns whether any voxel with cells has chances that are not finite: nothing would ever happen there. */
METACASCADE_CLONES static int fill_bound(const rate_t *rates, int n, double dt_h, const uint16_t *counts,
                                         voxel_table_t *table)
{
    float event[512], birth[512];
    int odd = 0;
    memset(event, 0, sizeof event);
    memset(birth, 0, sizeof birth);
    for (int r = 0; r < n; r++) {
        const float most = (float)(rates[r].most * dt_h), births = rates[r].action == DIVIDE ? most : 0.0f;
        if (rates[r].action == SHED)
            for (int v = 0; v < 512; v++)
                event[v] += table->rate[r][v] * most * table->wall[v];
        else
            for (int v = 0; v < 512; v++) {
                event[v] += table->rate[r][v] * most;
                birth[v] += table->rate[r][v] * births;
            }
    }
    for (int v = 0; v < 512; v++) {
        const float b = birth[v];
        const float p = 1.0001f * (event[v] * (1.0f + b * (0.5f + 0.25f * b)) + table->hop[v]);
        odd |= (counts[v] > 0) & !(event[v] + table->hop[v] <= FLT_MAX);
        event[v] = p <= 0.5f ? p : 1.0f;
    }
    for (int v = 0; v < 512; v++) {
        const int32_t steps = (int32_t)((event[v] < 1.0f ? event[v] : 0.0f) * 2147483648.0f);  /* of two hashes each */
        table->limit[v] = event[v] < 1.0f ? 2u * (uint32_t)steps + 1u : 0xffffffffu;
        table->bound[v] = event[v] < 1.0f ? (steps + 1) * (1.0 / 2147483648.0) : 1.0;
    }
    return odd;
}

#endif
