/* The hot loops of a diffusing field. A tile is 8x8x8 voxels, v = 64 z + 8 y + x; a row of x is what a
   processor works on at once. float32 in one fixed order, so each instruction set gives the same bits. */
#ifndef METACASCADE_FIELD_H
#define METACASCADE_FIELD_H
#include <stdint.h>
#include <string.h>
#include "clones.h"

#define FIELD_INLINE static inline __attribute__((always_inline))

enum { FIELD_EDGE = 8, FIELD_VOXELS = 512, FIELD_PAD = 10 };

typedef struct {
    float per_dt;             /* [1/h] 1 / dt; 0 for a steady state */
    float uptake;             /* [mmHg/h] of one cell alone in a voxel, saturated */
    float michaelis;          /* [mmHg] half of that uptake */
    float vessel;             /* [mmHg] pressure in the vessels */
} field_t;

/* decay = 1/dt + u n / (K + c) + s and rhs = c/dt + s P: backward Euler, uptake linearized at c.
   Returns how many voxels came out negative or not a number; a field that is negative is one, and is not divided by. */
METACASCADE_CLONES
static int64_t field_coefficients(const float *restrict c, const uint16_t *restrict counts,
                                  const float *restrict supply, float *restrict decay,
                                  float *restrict rhs, int64_t n, field_t p)
{
    int64_t bad = 0;
    for (int64_t row = 0; row < n; row += FIELD_VOXELS) {
        int32_t wrong = 0;
        for (int i = 0; i < FIELD_VOXELS; i++) {
            float old = c[row + i], s = supply[row + i];
            float cells = (float)counts[row + i], from_zero = old > 0.0f ? old : 0.0f;
            float k = (p.per_dt + (p.uptake * cells) / (p.michaelis + from_zero)) + s;
            float q = old * p.per_dt + s * p.vessel;
            decay[row + i] = k;
            rhs[row + i] = q;
            wrong += !(old >= 0.0f && k >= 0.0f && k < 1e30f && q >= 0.0f && q < 1e30f);
        }
        bad += wrong;
    }
    return bad;
}

/* Copy tile `t` and the six faces round it; a face without a tile mirrors the voxels beside it. */
FIELD_INLINE void field_gather(float p[FIELD_PAD][FIELD_PAD][FIELD_PAD], const float *restrict c,
                               const int32_t *restrict neighbors, int64_t t)
{
    const float *own = c + t * FIELD_VOXELS, *face[6];
    const int far[6] = {7, -7, 56, -56, 448, -448};  /* from our face to the neighbor's */
    const int32_t *nb = neighbors + 6 * t;
    for (int k = 0; k < 6; k++)
        face[k] = nb[k] < 0 ? own : c + (int64_t)nb[k] * FIELD_VOXELS + far[k];
    for (int z = 0; z < FIELD_EDGE; z++) {
        for (int y = 0; y < FIELD_EDGE; y++) {
            int v = 64 * z + 8 * y;
            memcpy(&p[z + 1][y + 1][1], own + v, 8 * sizeof(float));
            p[z + 1][y + 1][0] = face[0][v];
            p[z + 1][y + 1][9] = face[1][v + 7];
        }
        memcpy(&p[z + 1][0][1], face[2] + 64 * z, 8 * sizeof(float));
        memcpy(&p[z + 1][9][1], face[3] + 64 * z + 56, 8 * sizeof(float));
    }
    for (int y = 0; y < FIELD_EDGE; y++) {
        memcpy(&p[0][y + 1][1], face[4] + 8 * y, 8 * sizeof(float));
        memcpy(&p[9][y + 1][1], face[5] + 448 + 8 * y, 8 * sizeof(float));
    }
}

/* One half sweep of successive over-relaxation over the voxels of one color, (x + y + z) & 1 == color, of `n` tiles:
   those in `rows`, or the first ones if that is null,
     c += omega (rhs - decay c + r sum(neighbor - c)) / (decay + 6 r), never below 0.
   The other color has weight 0: a row is worked on whole. Differences of neighbors, not a sum of six
   values: where the field is level nothing is rounded. */
METACASCADE_CLONES
static void field_sweep(float *restrict c, const float *restrict decay, const float *restrict rhs,
                        const int32_t *restrict neighbors, const int32_t *restrict rows, int64_t n, float r,
                        float omega, int color)
{
    float p[FIELD_PAD][FIELD_PAD][FIELD_PAD], weight[2][FIELD_EDGE];
    const float six = 6.0f * r;
    for (int x = 0; x < FIELD_EDGE; x++) {
        weight[0][x] = (x & 1) == color ? omega : 0.0f;
        weight[1][x] = (x & 1) == color ? 0.0f : omega;
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t t = rows ? rows[i] : i;
        field_gather(p, c, neighbors, t);
        for (int z = 0; z < FIELD_EDGE; z++)
            for (int y = 0; y < FIELD_EDGE; y++) {
                const float *m = &p[z + 1][y + 1][1], *w = weight[(y + z) & 1];
                const int64_t row = t * FIELD_VOXELS + 64 * z + 8 * y;
                for (int x = 0; x < FIELD_EDGE; x++) {
                    float mid = m[x], k = decay[row + x];
                    float flow = ((m[x - 1] - mid) + (m[x + 1] - mid))
                               + ((m[x - 10] - mid) + (m[x + 10] - mid))
                               + ((m[x - 100] - mid) + (m[x + 100] - mid));
                    float next = mid + w[x] * (((rhs[row + x] - k * mid) + r * flow) / (k + six));
                    c[row + x] = 0.0f > next ? 0.0f : next;
                }
            }
    }
}
#endif
