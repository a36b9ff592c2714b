/* What a step does for many cells at once, in loops that compilers vectorize. */
#ifndef METACASCADE_BLOCKS_H
#define METACASCADE_BLOCKS_H
#include "tissue.h"

/* How far, in bytes, each of n records comes to lie behind the one before it, as those that are marked are gone; the
   last of n + 1 steps leads to the end. */
METACASCADE_CLONES static void fill_steps(const uint8_t *restrict state, int64_t n, uint8_t mark,
                                          int32_t *restrict step)
{
    step[0] = 0;
    for (int64_t i = 0; i < n; i++)
        step[i + 1] = state[i] != mark ? 12 : 0;
}

/* Copy n records by their steps: one that is gone is overwritten by the next, and a word behind each is. No branch
   tells what stays, since it would be guessed wrong. */
static inline void copy_by_steps(word_t *to, const word_t *from, int64_t n, const int32_t *step)
{
    char *at = (char *)to;
    for (int64_t i = 0; i < n; i++) {
        at += step[i];
        memcpy(at, from + 3 * i, 16);
    }
}

enum { TOGETHER = 16 };        /* more cells than most voxels hold */

/* For each byte, the places of its bits that are set, ascending. */
static inline void fill_places(uint8_t places[256][8])
{
    for (int byte = 0; byte < 256; byte++)
        for (int bit = 0, k = 0; bit < 8; bit++)
            if (byte >> bit & 1)
                places[byte][k++] = (uint8_t)bit;
}

/* Numbers i < n whose `flag` is 1 and not 0, ascending; how many. Eight flags are one number, whose bits are gathered
   in a byte by one product and counted by another; flags and numbers have room for 8 more. */
METACASCADE_CLONES static int list_flagged(uint8_t *restrict flag, int n, const uint8_t places[256][8],
                                           int32_t *restrict number)
{
    int k = 0;
    memset(flag + n, 0, 8);
    for (int i = 0; i < n; i += 8) {
        uint64_t eight;
        memcpy(&eight, flag + i, 8);
        const uint8_t *place = places[eight * 0x0102040810204080u >> 56];
        for (int j = 0; j < 8; j++)
            number[k + j] = i + place[j];
        k += (int)(eight * 0x0101010101010101u >> 56);
    }
    return k;
}

/* The voxel of each cell. No branch tells where one ends, since it would be guessed wrong: there is room for TOGETHER
   more cells than there are. */
METACASCADE_CLONES static void fill_voxels(const int32_t *first, uint16_t *restrict of)
{
    for (int v = 0; v < 512; v++) {
        int i = first[v];
        do
            for (int j = 0; j < TOGETHER; j++, i++)
                of[i] = (uint16_t)v;
        while (i < first[v + 1]);
    }
}

/* Which cells are motile, EMT > 0. */
METACASCADE_CLONES static void flag_motile(const word_t *restrict cells, int n, uint8_t *restrict flag)
{
    for (int i = 0; i < n; i++)
        flag[i] = (cells[3 * i + 2] & 255) != 0;
}

/* Which cells of a tile are looked at: those whose hash, of the record and keyed by tile and step, is not above the
   limit of their voxel: each with the chance `bound`, whatever the others do. Then a cell has its event with the true
   chance over the bound: exact thinning. The hash goes word by word through rounds of a shift and a product with the
   constants of triple32, and a last one of lowbias32 (C. Wellons, hash-prospector), of 32 bits since most processors
   have no vectors of products of 64. A product carries bits upward alone: so the upper half of the third word enters
   below as well, and a product comes last, as the upper bits are compared. `limit` has room for TOGETHER more cells
   than there are. */
METACASCADE_CLONES static void flag_candidates(const word_t *restrict cells, const int32_t *first, uint64_t key,
                                               const voxel_table_t *table, uint32_t *restrict limit,
                                               uint8_t *restrict flag)
{
    const uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
    for (int v = 0; v < 512; v++) {
        int i = first[v];
        do
            for (int j = 0; j < TOGETHER; j++, i++)
                limit[i] = table->limit[v];
        while (i < first[v + 1]);
    }
    for (int i = 0; i < first[512]; i++) {
        const uint32_t traits = cells[3 * i + 2];
        uint32_t h = cells[3 * i] ^ key0;
        h = (h ^ h >> 17) * 0xED5AD4BBu;
        h = (h ^ h >> 11 ^ cells[3 * i + 1] ^ key1) * 0xAC4C1B51u;
        h = (h ^ h >> 15 ^ traits ^ traits >> 16) * 0x31848BABu;
        h = (h ^ h >> 14) * 0x846CA68Bu;
        flag[i] = h <= limit[i];
    }
}

typedef struct {               /* a block of cells, column by column */
    uint32_t xy[BLOCK + SPARE], zc[BLOCK + SPARE], traits[BLOCK + SPARE];   /* the words of the record */
    uint32_t voxel[BLOCK + SPARE];
    int32_t speed[BLOCK + SPARE];      /* of 256 */
    int32_t bias[3][BLOCK + SPARE];
    int32_t cell[BLOCK + SPARE];       /* which it is in the tile */
    uint32_t high[BLOCK + SPARE], low[BLOCK + SPARE];   /* a random word of 64 bits */
    uint32_t code[BLOCK + SPARE];      /* where it goes; of those that hop, in their order, the face that they pass */
    double at[BLOCK + SPARE];          /* where its number lies below the bound of the voxel */
} block_t;

/* The word that decides on each of n cells. */
METACASCADE_CLONES static void draw_events(block_t *restrict b, int n, uint64_t key)
{
    const uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
    for (int i = 0; i < n; i++) {
        uint32_t r0 = b->xy[i], r1 = b->zc[i], r2 = b->traits[i], r3 = b->voxel[i] | USE_EVENT << 16;
        uint32_t k0 = key0, k1 = key1;
        PHILOX_10(r0, r1, r2, r3, k0, k1);
        b->high[i] = r0;
        b->low[i] = r1;
    }
}

/* A double in (0, 1] from 64 bits; small ones keep their relative precision. */
static inline double unit64(uint32_t high, uint32_t low)
{
    return (high * 4294967296.0 + low + 0.5) * (1.0 / 18446744073709551616.0);
}

/* The places in a block of the cells that hop while nothing competes with that, bound < 1, and behind them those of the
   others; how many hop. */
METACASCADE_CLONES static int hops_first(block_t *restrict b, int n, const voxel_table_t *table, int32_t *place)
{
    int hops = 0, others = n;
    for (int i = 0; i < n; i++) {
        const uint32_t v = b->voxel[i];
        b->at[i] = unit64(b->high[i], b->low[i]) * table->bound[v];
        b->code[i] = (b->at[i] < table->hop[v]) & (table->bound[v] < 1.0f);
    }
    for (int i = 0; i < n; i++) {
        const int hop = (int)b->code[i];
        others -= !hop;
        place[hop ? hops : others] = i;
        hops += hop;
    }
    return hops;
}

static inline __attribute__((always_inline)) void pass(block_t *b, const int32_t *place, int n,
                                                       const voxel_table_t *table, float mobility, int resists)
{
    for (int j = 0; j < n; j++) {
        const int32_t i = place[j];
        b->code[j] = (uint32_t)face(table, (int)b->voxel[i], mobility, b->at[i], resists);
    }
}

/* The faces that n cells pass, which are at `place` in the block: `code` of the first, second ... */
METACASCADE_CLONES static void pass_faces(block_t *b, const int32_t *place, int n, const voxel_table_t *table,
                                          float mobility)
{
    if (table->resists)
        pass(b, place, n, table, mobility, 1);
    else
        pass(b, place, n, table, mobility, 0);
}

#endif
