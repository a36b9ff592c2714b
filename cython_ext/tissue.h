/* What a step does for every voxel and for every cell of a tile, in loops that compilers vectorize. */
#ifndef METACASCADE_TISSUE_H
#define METACASCADE_TISSUE_H
#include "clones.h"
#include "philox.h"
#include <math.h>
#include <string.h>

typedef uint32_t __attribute__((may_alias)) word_t;

typedef struct {               /* what the cells of a voxel share in a step */
    int32_t push_low[3][512];  /* drift at the low face of each axis [edge/32768] */
    int32_t push_rise[3][512]; /* drift at the high face minus that */
    int32_t lean[3][512];      /* drift of a fully motile cell up the oxygen gradient [edge/65536] */
    uint32_t limit[512];       /* a cell whose first word is below it may have an event */
} voxel_table_t;

enum { PADDED = 1000, PAD_FIRST = 111, SLACK = 32, BLOCK = 1024 };

/* The 512 voxels of a tile with one layer of its neighbors' round them; a missing neighbor is a mirror. */
#define DEFINE_PAD(name, in_t, out_t, VALUE)                                                        \
static void name(const in_t *all, int64_t row, const int32_t *neighbors, int32_t capacity, out_t *pad) \
{                                                                                                   \
    static const int offset[6] = {12, 14, 10, 16, 4, 22};                                           \
    const in_t *own = all + 512 * row;                                                              \
    (void)capacity;                                                                                 \
    for (int z = 0; z < 8; z++)                                                                     \
        for (int y = 0; y < 8; y++)                                                                 \
            for (int x = 0; x < 8; x++)                                                             \
                pad[PAD_FIRST + 100 * z + 10 * y + x] = VALUE(own[64 * z + 8 * y + x]);             \
    for (int face = 0; face < 6; face++) {                                                          \
        const int32_t other = neighbors[offset[face]];                                              \
        const int axis = face >> 1, high = face & 1, step = axis == 0 ? 1 : axis == 1 ? 10 : 100;   \
        const int near = high ? 7 : 0, far = other < 0 ? near : 7 - near;                           \
        const in_t *from = other < 0 ? own : all + 512 * (int64_t)other;                            \
        for (int b = 0; b < 8; b++)                                                                 \
            for (int a = 0; a < 8; a++) {                                                           \
                const int v = axis == 0 ? 64 * b + 8 * a + far : axis == 1 ? 64 * b + 8 * far + a   \
                                                               : 64 * far + 8 * b + a;              \
                const int at = axis == 0 ? 100 * b + 10 * a + near : axis == 1 ? 100 * b + 10 * near + a \
                                                                   : 100 * near + 10 * b + a;       \
                pad[PAD_FIRST + at + (high ? step : -step)] = VALUE(from[v]);                       \
            }                                                                                       \
    }                                                                                               \
}
#define EXCESS(n) ((n) > capacity ? (n) - capacity : 0)
#define SAME(value) (value)
DEFINE_PAD(pad_excess, uint16_t, int32_t, EXCESS)
DEFINE_PAD(pad_oxygen, float, float, SAME)

static inline int32_t clamped(int32_t value, int32_t limit)
{
    return value > limit ? limit : value < -limit ? -limit : value;
}

/* Darcy drift at both faces of each voxel: gain times the fall of the cells above capacity. */
METACASCADE_CLONES static void fill_push(const int32_t *pad, int32_t gain, int32_t limit, voxel_table_t *table)
{
    static const int step[3] = {1, 10, 100};
    for (int axis = 0; axis < 3; axis++)
        for (int row = 0; row < 64; row++) {
            const int32_t *here = pad + PAD_FIRST + 100 * (row >> 3) + 10 * (row & 7);
            for (int x = 0; x < 8; x++) {
                const int32_t low = clamped(gain * clamped(here[x - step[axis]] - here[x], 4096), limit);
                const int32_t high = clamped(gain * clamped(here[x] - here[x + step[axis]], 4096), limit);
                table->push_low[axis][8 * row + x] = low;
                table->push_rise[axis][8 * row + x] = high - low;
            }
        }
}

/* lean g / (|g| + half), g the central difference of oxygen [mmHg/edge]. */
METACASCADE_CLONES static void fill_lean(const float *pad, float lean, float half, voxel_table_t *table)
{
    for (int row = 0; row < 64; row++) {
        const float *here = pad + PAD_FIRST + 100 * (row >> 3) + 10 * (row & 7);
        for (int x = 0; x < 8; x++) {
            const float gx = 0.5f * (here[x + 1] - here[x - 1]);
            const float gy = 0.5f * (here[x + 10] - here[x - 10]);
            const float gz = 0.5f * (here[x + 100] - here[x - 100]);
            const float scale = lean / (sqrtf(gx * gx + gy * gy + gz * gz) + half);
            table->lean[0][8 * row + x] = (int32_t)(gx * scale);
            table->lean[1][8 * row + x] = (int32_t)(gy * scale);
            table->lean[2][8 * row + x] = (int32_t)(gz * scale);
        }
    }
}

/* An upper bound of the chance of any event in 2^-32: 1 - exp(-h dt) <= h dt, with the largest h. It only
   decides which cells are looked at closely. Arguments are chances per step. */
METACASCADE_CLONES static void fill_limit(
    const uint16_t *counts, const float *oxygen, const int32_t *first, int32_t capacity, float birth, float death,
    float hypoxia, float threshold, float full, float enter, voxel_table_t *table)
{
    for (int v = 0; v < 512; v++) {
        const float room = 1.0f - (float)counts[v] / (float)capacity;
        const float lack = (threshold - oxygen[v]) / (threshold - full);
        float h = death + (room > 0.0f ? birth * room : 0.0f)
                  + hypoxia * (lack < 0.0f ? 0.0f : lack > 1.0f ? 1.0f : lack)
                  + (first[v + 1] > first[v] ? enter : 0.0f);
        h = h * 4294967296.0f * 1.00001f + (h > 0.0f ? 16.0f : 0.0f);
        /* two 31-bit halves: conversion to a signed word is the one that all instruction sets have */
        table->limit[v] = h >= 4294967040.0f ? 0xffffffffu : 2u * (uint32_t)(int32_t)(h * 0.5f) + 1u;
        table->limit[v] = h > 0.0f ? table->limit[v] : 0u;
    }
}

/* The voxel of each cell of a tile; writes up to SLACK places beyond the last. */
static int expand_voxels(const uint16_t *counts, uint16_t *voxel)
{
    int at = 0;
    for (int v = 0; v < 512; v++) {
        for (int k = 0; k < counts[v]; k += 16)
            for (int j = 0; j < 16; j++)
                voxel[at + k + j] = (uint16_t)v;
        at += counts[v];
    }
    return at;
}

typedef struct { int32_t of[10][BLOCK + SLACK]; } cell_table_t;   /* the voxel table, cell by cell */

/* Columns of the table for the next cells, BLOCK at most, from cell `done` of voxel `v` on; moves on. How many. */
static int expand_table(const voxel_table_t *table, const uint16_t *counts, int *v, int *done, int with_push,
                        cell_table_t *wide)
{
    int at = 0;
    while (*v < 512 && at < BLOCK) {
        const int left = counts[*v] - *done, n = left < BLOCK - at ? left : BLOCK - at;
        for (int k = 0; k < n; k += 16) {
#define COLUMN(c, value) do { const int32_t value_ = (int32_t)(value);                             \
            for (int j = 0; j < 16; j++) wide->of[c][at + k + j] = value_; } while (0)
            COLUMN(0, table->lean[0][*v]); COLUMN(1, table->lean[1][*v]); COLUMN(2, table->lean[2][*v]);
            COLUMN(3, table->limit[*v]);
            if (with_push) {
                for (int axis = 0; axis < 3; axis++) {
                    COLUMN(4 + axis, table->push_low[axis][*v]);
                    COLUMN(7 + axis, table->push_rise[axis][*v]);
                }
            }
#undef COLUMN
        }
        at += n;
        *done += n;
        if (n == left) {
            ++*v;
            *done = 0;
        }
    }
    return at;
}

typedef struct {               /* the cells of a tile in a step, column by column */
    uint32_t *first;           /* first random word of each cell */
    uint32_t *xy, *zc, *traits;/* the words of its record after the step */
    uint16_t *voxel;           /* before the step */
    uint16_t *code;            /* after it: a voxel, a place in another tile, or GONE */
    uint8_t *hit;              /* whether something may happen to it */
} columns_t;

/* A cell's new place is (voxel + fraction) + displacement per axis. The destination code is the voxel where
   that lies in this tile; else bit 15 and, per axis in five bits, the place + 8: 0..7 in the tile before,
   8..15 in this tile, 16..23 in the tile after. */
#define DEFINE_MOVE(name, PUSH)                                                                     \
METACASCADE_CLONES static void name(                                                                \
    const word_t *restrict record, int n, uint64_t key, int32_t amplitude, const cell_table_t *restrict wide, \
    const uint16_t *restrict voxel, uint32_t *restrict first, uint32_t *restrict xy, uint32_t *restrict zc,   \
    uint32_t *restrict traits, uint16_t *restrict code, uint8_t *restrict hit)                      \
{                                                                                                   \
    const uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);                              \
    for (int i = 0; i < n; i++) {                                                                   \
        const uint32_t w0 = record[3 * i], w1 = record[3 * i + 1], w2 = record[3 * i + 2], v = voxel[i]; \
        uint32_t r0 = w0, r1 = w1, r2 = w2, r3 = v, k0 = key0, k1 = key1;                           \
        PHILOX_10(r0, r1, r2, r3, k0, k1);                                                          \
        const int32_t emt = (int32_t)(w2 & 255u), motile = emt + (emt >> 7);      /* 0..256 */      \
        const int32_t x = (int32_t)(w0 & 65535u), y = (int32_t)(w0 >> 16), z = (int32_t)(w1 & 65535u); \
        const int32_t px = (int32_t)((v & 7u) << 16) + x + STEP(0, r1) + PUSH(0, x);                \
        const int32_t py = (int32_t)((v >> 3 & 7u) << 16) + y + STEP(1, r2) + PUSH(1, y);           \
        const int32_t pz = (int32_t)((v >> 6) << 16) + z + STEP(2, r3) + PUSH(2, z);                \
        const uint32_t to = (uint32_t)((px >> 16) + 8) | (uint32_t)((py >> 16) + 8) << 5            \
                            | (uint32_t)((pz >> 16) + 8) << 10;                                     \
        const uint32_t there = (to & 7u) | (to >> 2 & 0x38u) | (to >> 4 & 0x1c0u);                  \
        first[i] = r0;                                                                              \
        xy[i] = ((uint32_t)px & 65535u) | (uint32_t)py << 16;                                       \
        zc[i] = ((uint32_t)pz & 65535u) | (w1 & 0xffff0000u);                                       \
        traits[i] = w2;                                                                             \
        code[i] = (uint16_t)((to & 0x6318u) == 0x2108u ? there : 0x8000u | to);                     \
        hit[i] = r0 < (uint32_t)wide->of[3][i];                                                     \
    }                                                                                               \
}
#define STEP(axis, r) (((((((int32_t)((r) & 65535u) + (int32_t)((r) >> 16) - 65535) * motile) >> 8) * amplitude \
                         + 2048) >> 12) + ((wide->of[axis][i] * motile) >> 8))
#define DRIFT(axis, place) (2 * wide->of[4 + axis][i] + ((wide->of[7 + axis][i] * ((place) >> 1)) >> 14))
#define NO_DRIFT(axis, place) 0
DEFINE_MOVE(move_freely, NO_DRIFT)
DEFINE_MOVE(move_crowded, DRIFT)

/* Draw for and move all cells of a tile. */
static void draw_and_move(const word_t *record, const uint16_t *counts, uint64_t key, int32_t amplitude,
                          const voxel_table_t *table, int with_push, cell_table_t *wide, const columns_t *c)
{
    int v = 0, done = 0, at = 0, n;
    while ((n = expand_table(table, counts, &v, &done, with_push, wide))) {
        (with_push ? move_crowded : move_freely)(
            record + 3 * at, n, key, amplitude, wide, c->voxel + at, c->first + at, c->xy + at, c->zc + at,
            c->traits + at, c->code + at, c->hit + at);
        at += n;
    }
}

/* Cells to look at closely: their indices, ascending; how many. `list` has room for n + 1. */
static int list_hits(const uint8_t *hit, int n, int32_t *list)
{
    int k = 0;
    for (int i = 0; i < n; i++) {
        list[k] = i;
        k += hit[i] != 0;
    }
    return k;
}

/* Cells that are no longer in their voxel: their indices, ascending; how many. */
static int list_moved(const uint16_t *code, const uint16_t *voxel, int n, int32_t *list)
{
    int k = 0;
    for (int i = 0; i < n; i++) {
        list[k] = i;
        k += code[i] != voxel[i];
    }
    return k;
}

/* Write the cells that stay to their places, voxel by voxel; `place` holds the first place of each voxel. */
static void put_back(word_t *record, const columns_t *c, int n, int32_t *place)
{
    int last = 0, at = place[0];
    for (int i = 0; i < n; i++) {
        const int v = c->code[i];
        if (v >= 512)
            continue;
        if (v != last) {
            place[last] = at;
            at = place[v];
            last = v;
        }
        record[3 * at] = c->xy[i];
        record[3 * at + 1] = c->zc[i];
        record[3 * at + 2] = c->traits[i];
        at++;
    }
}
#endif
