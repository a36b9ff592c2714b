/* How motile cells move: their bias up gradients, and blocks of them, in loops that compilers vectorize. */
#ifndef METACASCADE_MOTION_H
#define METACASCADE_MOTION_H
#include "tissue.h"

enum { MOST_BIASES = 3, BINS = 16 };

typedef struct {               /* cells follow the gradient of a field */
    signal_t field;
    float bias, half;          /* largest bias [edge/65536]; gradient that gives half of it [unit/edge of a voxel] */
} bias_t;

/* out += bias g / (|g| + half), g the central difference of a field of edge^3 values a tile, edge known when this is
   compiled [unit/edge of a voxel]; voxels that share a value have one gradient. */
static inline __attribute__((always_inline)) void bias_of(const bias_t *up, int64_t row, const int32_t *neighbors,
                                                          voxel_table_t *table, const int edge)
{
    const int wide = edge + 2, along = 8 / edge;
    int32_t bias[3][512];
    pad_cube(up->field.value, row, neighbors, 1, table->signal, edge);
    for (int line = 0; line < edge * edge; line++) {
        const float *here = table->signal + 1 + wide + wide * wide + wide * (wide * (line / edge) + line % edge);
        for (int x = 0, i = edge * line; x < edge; x++, i++) {
            const float gx = 0.5f / along * (here[x + 1] - here[x - 1]);
            const float gy = 0.5f / along * (here[x + wide] - here[x - wide]);
            const float gz = 0.5f / along * (here[x + wide * wide] - here[x - wide * wide]);
            const float scale = up->bias / (sqrtf(gx * gx + gy * gy + gz * gz) + up->half);
            bias[0][i] = (int32_t)(gx * scale);
            bias[1][i] = (int32_t)(gy * scale);
            bias[2][i] = (int32_t)(gz * scale);
        }
    }
    for (int axis = 0; axis < 3; axis++)
        for (int line = 0; line < 64; line++) {
            const int32_t *from = bias[axis] + edge * (edge * ((line >> 3) / along) + (line & 7) / along);
            for (int x = 0; x < 8; x++)
                table->bias[axis][8 * line + x] += from[x / along];
        }
}

METACASCADE_CLONES static void add_bias(const bias_t *up, int64_t row, const int32_t *neighbors, voxel_table_t *table)
{
    if (up->field.width == 512)
        bias_of(up, row, neighbors, table, 8);
    else if (up->field.width == 64)
        bias_of(up, row, neighbors, table, 4);
    else
        bias_of(up, row, neighbors, table, 2);
}

/* The bias of a fully motile cell in each voxel: the sum over `n` fields. */
static void fill_biases(const bias_t *biases, int n, int64_t row, const int32_t *neighbors, voxel_table_t *table)
{
    memset(table->bias, 0, sizeof table->bias);
    for (int i = 0; i < n; i++)
        add_bias(&biases[i], row, neighbors, table);
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
                         + 2048) >> 12) + ((b->bias[axis][i] * b->speed[i]) >> 8))
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
