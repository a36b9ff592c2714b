/* How motile cells move: their lean up gradients, and blocks of them, in loops that compilers vectorize. */
#ifndef METACASCADE_MOTION_H
#define METACASCADE_MOTION_H
#include "tissue.h"

enum { MOST_LEANS = 3, BINS = 16 };

typedef struct {               /* cells follow the gradient of a field */
    signal_t field;
    float lean, half;          /* largest lean [edge/65536]; gradient that gives half of it [unit/edge of a voxel] */
} lean_t;

/* out += lean g / (|g| + half), g the central difference of a field that is padded [unit/edge]. */
METACASCADE_CLONES static void add_lean(const float *pad, float lean, float half, int32_t (*restrict out)[512 + SPARE])
{
    for (int row = 0; row < 64; row++) {
        const float *here = pad + PAD_FIRST + 100 * (row >> 3) + 10 * (row & 7);
        for (int x = 0; x < 8; x++) {
            const float gx = 0.5f * (here[x + 1] - here[x - 1]);
            const float gy = 0.5f * (here[x + 10] - here[x - 10]);
            const float gz = 0.5f * (here[x + 100] - here[x - 100]);
            const float scale = lean / (sqrtf(gx * gx + gy * gy + gz * gz) + half);
            out[0][8 * row + x] += (int32_t)(gx * scale);
            out[1][8 * row + x] += (int32_t)(gy * scale);
            out[2][8 * row + x] += (int32_t)(gz * scale);
        }
    }
}

/* Of a coarse field, of 2^bits values along an edge, the value beside that at `place`; a mirror where no tile is. */
static float coarse_beside(const lean_t *l, int bits, int64_t row, const int32_t *neighbors, const int *place, int face)
{
    static const int offset[6] = {12, 14, 10, 16, 4, 22};
    const int axis = face >> 1, along = 1 << bits, there = place[axis] + (face & 1 ? 1 : -1);
    int at[3] = {place[0], place[1], place[2]};
    if (there < 0 || there >= along) {
        const int32_t other = neighbors[offset[face]];
        at[axis] = other < 0 ? place[axis] : there & (along - 1);
        row = other < 0 ? row : other;
    } else
        at[axis] = there;
    return l->field.value[l->field.width * row + (at[2] << 2 * bits) + (at[1] << bits) + at[0]];
}

/* The same as add_lean for a field that has fewer values than voxels: those that share a value have one gradient. */
static void add_coarse_lean(const lean_t *l, int64_t row, const int32_t *neighbors, int32_t (*out)[512 + SPARE])
{
    const int bits = l->field.width == 64 ? 2 : 1, drop = 3 - bits, mask = (1 << bits) - 1;
    int32_t drift[3][64];
    for (int i = 0; i < l->field.width; i++) {
        const int place[3] = {i & mask, i >> bits & mask, i >> 2 * bits};
        float g[3];
        for (int axis = 0; axis < 3; axis++)
            g[axis] = 0.5f / (float)(1 << drop) * (coarse_beside(l, bits, row, neighbors, place, 2 * axis + 1)
                                                   - coarse_beside(l, bits, row, neighbors, place, 2 * axis));
        const float scale = l->lean / (sqrtf(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]) + l->half);
        for (int axis = 0; axis < 3; axis++)
            drift[axis][i] = (int32_t)(g[axis] * scale);
    }
    for (int v = 0; v < 512; v++) {
        const int i = (v >> 6) >> drop << 2 * bits | (v >> 3 & 7) >> drop << bits | (v & 7) >> drop;
        for (int axis = 0; axis < 3; axis++)
            out[axis][v] += drift[axis][i];
    }
}

/* The lean of a fully motile cell in each voxel: the sum over `n` fields. */
static void fill_leans(const lean_t *leans, int n, int64_t row, const int32_t *neighbors, voxel_table_t *table)
{
    memset(table->lean, 0, sizeof table->lean);
    for (const lean_t *l = leans; l < leans + n; l++)
        if (l->field.width == 512) {
            pad_tile(l->field.value, row, neighbors, 1, table->signal);
            add_lean(table->signal, l->lean, l->half, table->lean);
        } else
            add_coarse_lean(l, row, neighbors, table->lean);
}

/* Which of BINS values of a signal, 0 to (BINS - 1) / per, is nearest in each voxel. */
static void fill_bins(const signal_t *signal, int64_t row, float per, uint8_t *bin)
{
    float wide[512];
    const float *s = signal_of(signal, row, wide);
    for (int v = 0; v < 512; v++) {
        const float x = s[v] * per + 0.5f;
        bin[v] = x < (float)BINS ? (uint8_t)x : BINS - 1;
    }
}

/* Move n cells: a cell's new place is (voxel + fraction) + displacement per axis. The code of its destination is the
   voxel where that lies in this tile; else bit 15 and, per axis in five bits, the place + 8: 0..7 in the tile before,
   8..15 in this tile, 16..23 in the tile after. */
METACASCADE_CLONES static void move_block(block_t *restrict b, int n, uint64_t key, int32_t amplitude)
{
    const uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
    for (int i = 0; i < n; i++) {
        const uint32_t v = b->voxel[i];
        uint32_t r0 = b->xy[i], r1 = b->zc[i], r2 = b->traits[i], r3 = v | USE_WALK << 16, k0 = key0, k1 = key1;
        const int32_t x = (int32_t)(r0 & 65535u), y = (int32_t)(r0 >> 16), z = (int32_t)(r1 & 65535u);
        const uint32_t clone = r1 & 0xffff0000u;
        PHILOX_10(r0, r1, r2, r3, k0, k1);
#define STEP(axis, r) (((((((int32_t)((r) & 65535u) + (int32_t)((r) >> 16) - 65535) * b->speed[i]) >> 8) * amplitude \
                         + 2048) >> 12) + ((b->lean[axis][i] * b->speed[i]) >> 8))
        const int32_t px = (int32_t)((v & 7u) << 16) + x + STEP(0, r1);
        const int32_t py = (int32_t)((v >> 3 & 7u) << 16) + y + STEP(1, r2);
        const int32_t pz = (int32_t)((v >> 6) << 16) + z + STEP(2, r3);
#undef STEP
        const uint32_t to = (uint32_t)((px >> 16) + 8) | (uint32_t)((py >> 16) + 8) << 5
                            | (uint32_t)((pz >> 16) + 8) << 10;
        const uint32_t there = (to & 7u) | (to >> 2 & 0x38u) | (to >> 4 & 0x1c0u);
        b->xy[i] = ((uint32_t)px & 65535u) | (uint32_t)py << 16;
        b->zc[i] = ((uint32_t)pz & 65535u) | clone;
        b->code[i] = (to & 0x6318u) == 0x2108u ? there : 0x8000u | to;
    }
}
#endif
