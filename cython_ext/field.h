/* The hot loops of a diffusing field. A tile is 8x8x8 voxels, v = 64 z + 8 y + x; a row of x is what a
   processor works on at once. float32 in one fixed order, so each instruction set gives the same bits.

   Voxels have two colors, (x + y + z) & 1, and those of one are computed from those of the other. So that a row
   is full of one color, tiles are folded in the middle of z: row (y, z), z < 4, of a color holds at x the voxel
   (x, y, z) if that has the color, else (x, y, 7 - z), which then has it. All six neighbors of what is at a place are
   beside the same place in the other color; beyond z = 3 that is the place itself. */
#ifndef METACASCADE_FIELD_H
#define METACASCADE_FIELD_H
#include <stdint.h>
#include <string.h>
#include "clones.h"

#define FIELD_INLINE static inline __attribute__((always_inline))

enum { FIELD_EDGE = 8, FIELD_VOXELS = 512, FIELD_COLOR = 256,
       FIELD_ROW = 16, FIELD_AT = 8, FIELD_PLANE = 10 * FIELD_ROW };      /* a row with its ends, aligned */

typedef uint32_t field_row_t __attribute__((vector_size(32)));
typedef float field_color_t[5][10][FIELD_ROW];     /* one color of a tile: z = -1 (and 8), 0 .. 3; y = -1 .. 8 */

/* c in the unit of the field; a voxel may have several cells, and what one does is as if it filled a voxel. */
typedef struct {
    float per_dt;             /* [1/h] 1 / dt; 0 for a steady state */
    float decay;              /* [1/h] everywhere */
    float linear;             /* [1/h] uptake by a cell, in proportion to c */
    float uptake;             /* [unit/h] uptake by a cell, saturated */
    float michaelis;          /* half of that uptake */
    float vessel;             /* in the vessels */
    float source;             /* [unit/h] secretion by a weight of one */
} field_t;

static const field_row_t FIELD_ODD[2] = {{0, ~0u, 0, ~0u, 0, ~0u, 0, ~0u}, {~0u, 0, ~0u, 0, ~0u, 0, ~0u, 0}};

/* Fold two rows of voxels, at z and at 7 - z, into rows of color 0 and 1, or back; odd = (y + z) & 1. */
FIELD_INLINE void field_fold_rows(float *to, float *other, const float *a, const float *b, int odd)
{
    field_row_t p, q;
    memcpy(&p, a, sizeof p);
    memcpy(&q, b, sizeof q);
    field_row_t swapped = (p ^ q) & FIELD_ODD[odd];
    p ^= swapped;
    q ^= swapped;
    memcpy(to, &p, sizeof p);
    memcpy(other, &q, sizeof q);
}

/* The voxels of a tile by color, 256 of each. */
FIELD_INLINE void field_fold_tile(float *folded, const float *voxels)
{
    for (int z = 0; z < 4; z++)
        for (int y = 0; y < FIELD_EDGE; y++) {
            int v = 64 * z + 8 * y;
            field_fold_rows(folded + v, folded + FIELD_COLOR + v, voxels + v, voxels + 64 * (7 - z) + 8 * y,
                            (y + z) & 1);
        }
}

/* Fold `n` tiles in place. */
METACASCADE_CLONES
static void field_fold(float *voxels, int64_t n)
{
    float tile[FIELD_VOXELS];
    for (int64_t t = 0; t < n; t++) {
        memcpy(tile, voxels + t * FIELD_VOXELS, sizeof tile);
        field_fold_tile(voxels + t * FIELD_VOXELS, tile);
    }
}

/* Fold tile `t` and the faces of those round it. A face without a tile has what is `beyond`. */
FIELD_INLINE void field_gather(field_color_t *restrict color, const float *restrict c,
                               const int32_t *restrict neighbors, int64_t t, const float *beyond)
{
    static const int far[6] = {7, -7, 56, -56, 448, -448};  /* from our face to the neighbor's */
    const float *own = c + t * FIELD_VOXELS, *face[6];
    for (int k = 0; k < 6; k++) {
        int32_t beside = neighbors[6 * t + k];
        face[k] = beside >= 0 ? c + (int64_t)beside * FIELD_VOXELS + far[k] : beyond;
    }
    for (int z = 0; z < 4; z++) {
        for (int y = 0; y < FIELD_EDGE; y++) {
            int low = 64 * z + 8 * y, high = 64 * (7 - z) + 8 * y, odd = (y + z) & 1;
            float *to = &color[0][z + 1][y + 1][FIELD_AT], *other = &color[1][z + 1][y + 1][FIELD_AT];
            field_fold_rows(to, other, own + low, own + high, odd);
            to[-1] = face[0][odd ? low : high];
            other[-1] = face[0][odd ? high : low];
            to[8] = face[1][(odd ? high : low) + 7];
            other[8] = face[1][(odd ? low : high) + 7];
        }
        field_fold_rows(&color[0][z + 1][0][FIELD_AT], &color[1][z + 1][0][FIELD_AT],
                        face[2] + 64 * z, face[2] + 64 * (7 - z), (z + 1) & 1);
        field_fold_rows(&color[0][z + 1][9][FIELD_AT], &color[1][z + 1][9][FIELD_AT],
                        face[3] + 64 * z + 56, face[3] + 64 * (7 - z) + 56, z & 1);
    }
    for (int y = 0; y < FIELD_EDGE; y++)
        field_fold_rows(&color[0][0][y + 1][FIELD_AT], &color[1][0][y + 1][FIELD_AT],
                        face[4] + 8 * y, face[5] + 448 + 8 * y, (y + 1) & 1);
}

/* The voxels of one color from those of the other,
     c += omega (rhs - decay c + r sum(neighbor - c)) / (decay + 6 r), never below 0.
   Differences of neighbors, not a sum of six values: where the field is level nothing is rounded. A tile of values at
   `ahead` is fetched from memory meanwhile: no processor foresees which is next, as no two of a sweep touch. */
FIELD_INLINE void field_half_sweep(field_color_t own, field_color_t other, const float *restrict gain,
                                   const float *restrict decay, const float *restrict rhs, float r, float omega,
                                   const float *ahead)
{
    for (int z = 0; z < 4; z++) {
        const int above = z < 3 ? FIELD_PLANE : 0;
        for (int y = 0; y < FIELD_EDGE; y++) {
            float *restrict m = &own[z + 1][y + 1][FIELD_AT];
            const float *restrict o = &other[z + 1][y + 1][FIELD_AT];
            const int row = 64 * z + 8 * y;
            __builtin_prefetch(ahead + 2 * row);
            for (int x = 0; x < FIELD_EDGE; x++) {
                float mid = m[x];
                float flow = ((o[x - 1] - mid) + (o[x + 1] - mid))
                           + ((o[x - FIELD_ROW] - mid) + (o[x + FIELD_ROW] - mid))
                           + ((o[x - FIELD_PLANE] - mid) + (o[x + above] - mid));
                float next = mid + (omega * gain[row + x]) * ((rhs[row + x] - decay[row + x] * mid) + r * flow);
                m[x] = 0.0f > next ? 0.0f : next;
            }
        }
    }
}

/* Does a tile stay 0 where a field is 0 if no tile is there: nothing in it or beside it, and rhs nowhere above 0? */
FIELD_INLINE int field_stays_zero(const field_color_t *color, const float *restrict rhs)
{
    const int size = 2 * (int)(sizeof(field_color_t) / sizeof(float));
    const float *c = &color[0][0][0][0];
    int32_t any = 0;
    for (int v = 0; v < FIELD_VOXELS; v++)
        any |= rhs[v] > 0.0f;
    for (int i = 0; i < size; i++)
        any |= c[i] > 0.0f;
    return !any;
}

/* What lies beside `near` where no tile is: as far from `outside` as `near`, times `mirror`; 1 lets nothing flow. */
FIELD_INLINE float field_beyond(float near, float mirror, float outside)
{
    return outside + mirror * (near - outside);
}

/* Red-black over-relaxation of decay c - r sum(neighbor - c) = rhs, c >= 0, in `n` tiles, those in `rows`, one by one
   in the cache: `halves` half sweeps of factors `omega`, the colors in turn, during which all that is round a tile
   stays as it is. No two of the tiles may touch. decay and rhs are folded; decay is 1 if it is null. Beyond a face
   without a tile there is field_beyond(what is beside it). */
METACASCADE_CLONES
static void field_relax(float *restrict c, const float *restrict decay, const float *restrict rhs,
                        const int32_t *restrict neighbors, const int32_t *restrict rows, int64_t n, float r,
                        const float *restrict omega, int halves, float mirror, float outside)
{
    static const float nothing[FIELD_VOXELS];
    const int is_nothing = mirror == 0.0f && outside == 0.0f, is_mirror = mirror == 1.0f;
    float beyond[FIELD_VOXELS];
    _Alignas(64) field_color_t color[2] = {{{{0}}}};
    _Alignas(64) float gain[FIELD_VOXELS], ones[FIELD_VOXELS];
    const float six = 6.0f * r;
    for (int v = 0; v < FIELD_VOXELS; v++) {
        ones[v] = 1.0f;
        gain[v] = 1.0f / (1.0f + six);
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t tile = (int64_t)rows[i] * FIELD_VOXELS;
        const float *k = decay ? decay + tile : ones, *q = rhs + tile;
        for (int v = 0; !is_nothing && !is_mirror && v < FIELD_VOXELS; v++)
            beyond[v] = field_beyond(c[tile + v], mirror, outside);
        field_gather(color, c, neighbors, rows[i], is_nothing ? nothing : is_mirror ? c + tile : beyond);
        if (is_nothing && field_stays_zero(color, q))
            continue;
        if (decay)
            for (int v = 0; v < FIELD_VOXELS; v++)
                gain[v] = 1.0f / (k[v] + six);
        const int64_t next = i + 1 < n ? (int64_t)rows[i + 1] * FIELD_VOXELS : tile;
        const float *const ahead[3] = {c + next, rhs + next, decay ? decay + next : rhs + next};
        for (int half = 0; half < halves; half++) {
            const int at = (half & 1) * FIELD_COLOR;
            field_half_sweep(color[half & 1], color[~half & 1], gain + at, k + at, q + at, r, omega[half],
                             ahead[half % 3]);
        }
        for (int z = 0; z < 4; z++)
            for (int y = 0; y < FIELD_EDGE; y++)
                field_fold_rows(c + tile + 64 * z + 8 * y, c + tile + 64 * (7 - z) + 8 * y,
                                &color[0][z + 1][y + 1][FIELD_AT], &color[1][z + 1][y + 1][FIELD_AT], (y + z) & 1);
    }
}
#endif
