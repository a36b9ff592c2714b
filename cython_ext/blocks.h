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

/* The cells of a tile that are looked at, and their voxels; how many. Those are whose hash (multiplications and shifts
   of splitmix64 on the record, keyed by tile and step) is not above the limit of their voxel: each with the chance
   `bound`, whatever the others do. Then a cell has its event with the true chance over the bound: exact thinning. No
   branch tells who it is, nor where a voxel ends, since it would be guessed wrong; `limit` and `of`, the voxels of all
   cells, have room for TOGETHER more than there are. */
METACASCADE_CLONES static int list_candidates(const word_t *restrict cells, const int32_t *first, uint64_t key,
                                              const voxel_table_t *table, uint32_t *restrict limit,
                                              uint16_t *restrict of, int32_t *restrict candidate,
                                              int32_t *restrict voxel)
{
    const int n = first[512];
    int k = 0;
    for (int v = 0; v < 512; v++) {
        int i = first[v];
        do
            for (int j = 0; j < TOGETHER; j++, i++) {
                limit[i] = table->limit[v];
                of[i] = (uint16_t)v;
            }
        while (i < first[v + 1]);
    }
    for (int i = 0; i < n; i++) {
        uint64_t h = (cells[3 * i] | (uint64_t)cells[3 * i + 1] << 32) ^ key;
        h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9u;
        h = (h ^ h >> 27 ^ cells[3 * i + 2]) * 0x94D049BB133111EBu;
        h = (h ^ h >> 31) * 0x9E3779B97F4A7C15u;
        limit[i] = (uint32_t)(h >> 32) <= limit[i];
    }
    for (int i = 0; i < n; i++) {
        candidate[k] = i;
        k += (int)limit[i];
    }
    for (int i = 0; i < k; i++)
        voxel[i] = of[candidate[i]];
    return k;
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
