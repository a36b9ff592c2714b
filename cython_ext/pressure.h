/* What the pressure of crowded tissue is solved from: how much fuller a voxel is than its capacity. float32 in one
   fixed order. */
#ifndef METACASCADE_PRESSURE_H
#define METACASCADE_PRESSURE_H
#include <stdint.h>
#include "clones.h"

enum { PRESSURE_VOXELS = 512 };

/* f = n / capacity - 1. */
METACASCADE_CLONES
static void pressure_excess(const uint16_t *restrict counts, float *restrict f, int64_t n, float per_capacity)
{
    for (int64_t i = 0; i < n * PRESSURE_VOXELS; i++)
        f[i] = (float)counts[i] * per_capacity - 1.0f;
}

/* How many of the voxels of `n` tiles are negative or not a number. */
METACASCADE_CLONES
static int64_t pressure_bad(const float *restrict p, int64_t n)
{
    int64_t bad = 0;
    for (int64_t i = 0; i < n * PRESSURE_VOXELS; i++)
        bad += !(p[i] >= 0.0f && p[i] < 1e30f);
    return bad;
}

/* smooth = f + share sum(neighbor - f) in the voxels of `n` tiles; without a tile a mirror, or no cell, f = -1. */
METACASCADE_CLONES
static void pressure_smooth(const float *restrict f, float *restrict smooth, const int32_t *restrict neighbors,
                            int64_t n, float share, int mirror)
{
    static const int step[3] = {1, 8, 64};
    for (int64_t t = 0; t < n; t++) {
        const float *own = f + t * PRESSURE_VOXELS;
        for (int v = 0; v < PRESSURE_VOXELS; v++) {
            const float mid = own[v], beyond = mirror ? mid : -1.0f;
            float flow[3];
            for (int axis = 0; axis < 3; axis++) {
                const int32_t *beside = neighbors + 6 * t + 2 * axis;
                const int at = v / step[axis] & 7, back = 7 * step[axis];
                float low = beyond, high = beyond;
                if (at > 0)
                    low = own[v - step[axis]];
                else if (beside[0] >= 0)
                    low = f[(int64_t)beside[0] * PRESSURE_VOXELS + v + back];
                if (at < 7)
                    high = own[v + step[axis]];
                else if (beside[1] >= 0)
                    high = f[(int64_t)beside[1] * PRESSURE_VOXELS + v - back];
                flow[axis] = (low - mid) + (high - mid);
            }
            smooth[t * PRESSURE_VOXELS + v] = mid + share * ((flow[0] + flow[1]) + flow[2]);
        }
    }
}
#endif
