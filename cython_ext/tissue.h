/* The two loops over the cells of a tile that are worth a vector unit: draw and move, and unpack. */
#ifndef METACASCADE_TISSUE_H
#define METACASCADE_TISSUE_H
#include "clones.h"
#include "philox.h"

typedef uint32_t __attribute__((may_alias)) word_t;

typedef struct {               /* what the cells of a voxel share in a step; one table per tile */
    int32_t push[3][512];      /* drift at the two faces of each axis, two int16 [edge/32768] */
    int32_t lean[3][512];      /* drift of a fully motile cell up the oxygen gradient [edge/65536] */
    uint32_t limit[512];       /* a cell whose first word is below it may have an event */
} voxel_table_t;

/* A cell's new place is (voxel + fraction) + displacement per axis. The destination code is the voxel where
   that lies in this tile; else bit 15 and, per axis in five bits, the place + 8: 0..7 in the tile before,
   8..15 in this tile, 16..23 in the tile after. */
METACASCADE_CLONES static void draw_and_move(
    const word_t *restrict record, const uint16_t *restrict voxel, int n, uint64_t key, int32_t amplitude,
    const voxel_table_t *restrict table, uint32_t *restrict first, uint32_t *restrict xy,
    uint32_t *restrict zc, uint32_t *restrict traits, uint16_t *restrict code, uint8_t *restrict hit)
{
    const uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC ivdep
#endif
    for (int i = 0; i < n; i++) {
        const uint32_t w0 = record[3 * i], w1 = record[3 * i + 1], w2 = record[3 * i + 2];
        const uint32_t v = voxel[i];
        uint32_t r0 = w0, r1 = w1, r2 = w2, r3 = v, k0 = key0, k1 = key1;
        PHILOX_10(r0, r1, r2, r3, k0, k1);
        const int32_t emt = (int32_t)(w2 & 255u), motile = emt + (emt >> 7);         /* 0..256 */
        const int32_t x = (int32_t)(w0 & 65535u), y = (int32_t)(w0 >> 16), z = (int32_t)(w1 & 65535u);
#define DISPLACEMENT(axis, place, r)                                                              \
        (((((int32_t)((r) & 65535u) + (int32_t)((r) >> 16) - 65535) * motile >> 8) * amplitude    \
            + 2048 >> 12)                                                                         \
         + (table->lean[axis][v] * motile >> 8)                                                   \
         + (2 * (int32_t)(int16_t)table->push[axis][v]                                            \
            + ((((table->push[axis][v] >> 16) - (int32_t)(int16_t)table->push[axis][v])           \
                * ((place) >> 1)) >> 14)))
        const int32_t px = (int32_t)((v & 7u) << 16) + x + DISPLACEMENT(0, x, r1);
        const int32_t py = (int32_t)((v >> 3 & 7u) << 16) + y + DISPLACEMENT(1, y, r2);
        const int32_t pz = (int32_t)((v >> 6) << 16) + z + DISPLACEMENT(2, z, r3);
#undef DISPLACEMENT
        first[i] = r0;
        xy[i] = ((uint32_t)px & 65535u) | (uint32_t)py << 16;
        zc[i] = ((uint32_t)pz & 65535u) | (w1 & 0xffff0000u);
        traits[i] = w2;
        const uint32_t to = (uint32_t)((px >> 16) + 8) | (uint32_t)((py >> 16) + 8) << 5
                            | (uint32_t)((pz >> 16) + 8) << 10;
        const uint32_t there = (to & 7u) | (to >> 2 & 0x38u) | (to >> 4 & 0x1c0u);
        code[i] = (uint16_t)((to & 0x6318u) == 0x2108u ? there : 0x8000u | to);
        hit[i] = r0 < table->limit[v];
    }
}
#endif
