/* Named rates of the tissue: a base times factors of what a voxel holds, times tables of clone and state.

   The rates of all voxels of a tile, without the factors of the single cell, stand in one table of float32. It serves
   the bound that decides which cells are looked at, and the truth for those. */
#ifndef METACASCADE_RATES_H
#define METACASCADE_RATES_H
#include <stdint.h>
#include "clones.h"

enum { MOST_RATES = 64, MOST_SIGNALS = 64 };
enum { SPARE = 16 };          /* floats behind each row of a table: rows a power of two apart would share cache lines */
enum { LARGEST_RATIO = 1000000000 };  /* of a signal and its half: where the fourth power of a larger one is no number
                                         any more, its share has long been 1 */
enum { DENSITY = -1 };        /* the signal that no field holds: cells of the voxel / capacity */

typedef enum {                /* what happens to the cell */
    DIVIDE,                   /* a daughter comes to lie anywhere in the voxel */
    REMOVE,                   /* it dies; `detail`: which cause of death */
    SHED,                     /* it enters the nearest vessel in reach, with followers or alone */
    SET, CLEAR,               /* the bits `detail` of its byte of bits */
    RAISE, LOWER,             /* a byte by `detail` & 255, within 0..255: EMT, or adhesion if that has 256 beside */
    DRAIN                     /* it enters the lymphatics of its voxel, with followers or alone */
} action_e;

typedef enum {                /* of a signal s >= 0 */
    HILL1, HILL2, HILL4,      /* s^k / (s^k + a^k) */
    FALL1, FALL2, FALL4,      /* a^k / (a^k + s^k) */
    BOOST,                    /* 1 + b s / (s + a) */
    RAMP,                     /* (s - a) / (b - a), not below 0 nor above 1; a: zero, b: full */
    ITSELF                    /* s: a factor that was computed elsewhere */
} shape_e;

typedef struct {
    double base;              /* [1/h] of this step */
    double most;              /* the tables of clone and state multiply it by this at most */
    int32_t first, factors;   /* its factors of the voxel: rows first .. first + factors - 1 of the list */
    int32_t action;           /* action_e */
    int32_t detail;
} rate_t;

typedef struct {
    int32_t signal;           /* index of a field, or DENSITY */
    int32_t shape;            /* shape_e */
    float a, b;
} factor_t;

typedef struct {              /* a field on the voxels of the tiles */
    const float *value;       /* (rows, width) */
    int64_t width;            /* values of a tile: 512, or 64 or 8, which 8 or 64 voxels share */
} signal_t;

/* Values of edge^3 cubes, 4 or 2 along an edge, known when this is compiled, in the 512 voxels. */
static inline __attribute__((always_inline)) void widen(const float *restrict value, float *restrict wide,
                                                        const int edge)
{
    const int along = 8 / edge;
    for (int row = 0; row < 64; row++) {
        const float *from = value + edge * (edge * ((row >> 3) / along) + (row & 7) / along);
        for (int x = 0; x < 8; x++)
            wide[8 * row + x] = from[x / along];
    }
}

/* The values of a signal in the 512 voxels of tile `row`; `wide` has room for them if they are fewer. */
static const float *signal_of(const signal_t *signal, int64_t row, float *wide)
{
    const float *value = signal->value + signal->width * row;
    if (signal->width == 512)
        return value;
    if (signal->width == 64)
        widen(value, wide, 4);
    else
        widen(value, wide, 2);
    return wide;
}

static inline float squared(float x)
{
    return x * x;
}

/* s / a, not above LARGEST_RATIO. */
static inline float ratio(float s, float a)
{
    const float x = s / a;
    return x > LARGEST_RATIO ? LARGEST_RATIO : x;
}

static inline float ramp(float s, float a, float b)
{
    const float x = (s - a) / (b - a);
    return x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
}

/* rate[v] *= shape(s[v]) for 512 voxels; single precision in this order, so each instruction set has the same bits. */
METACASCADE_CLONES static void multiply(float *restrict rate, const float *restrict s, const factor_t *f)
{
    const float a = f->a, b = f->b;
#define EACH(value) for (int v = 0; v < 512; v++) rate[v] = rate[v] * (value); break
    switch (f->shape) {
    case HILL1: EACH(s[v] / (s[v] + a));
    case HILL2: EACH(squared(ratio(s[v], a)) / (squared(ratio(s[v], a)) + 1.0f));
    case HILL4: EACH(squared(squared(ratio(s[v], a))) / (squared(squared(ratio(s[v], a))) + 1.0f));
    case FALL1: EACH(a / (a + s[v]));
    case FALL2: EACH(1.0f / (1.0f + squared(ratio(s[v], a))));
    case FALL4: EACH(1.0f / (1.0f + squared(squared(ratio(s[v], a)))));
    case BOOST: EACH(1.0f + b * (s[v] / (s[v] + a)));
    case RAMP: EACH(ramp(s[v], a, b));
    case ITSELF: EACH(s[v]);
    }
#undef EACH
}

/* Row r of the table: rate r [1/h] in the 512 voxels of tile `row`. */
static void fill_rates(const rate_t *rates, int n, const factor_t *factors, const signal_t *signals, int64_t row,
                       const float *density, float (*table)[512 + SPARE])
{
    float wide[512];
    for (int r = 0; r < n; r++) {
        for (int v = 0; v < 512; v++)
            table[r][v] = (float)rates[r].base;
        for (int k = rates[r].first; k < rates[r].first + rates[r].factors; k++) {
            const int s = factors[k].signal;
            multiply(table[r], s == DENSITY ? density : signal_of(&signals[s], row, wide), &factors[k]);
        }
    }
}
#endif
