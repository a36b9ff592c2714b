/* The sweeps of a field that has fewer values than a tile has voxels; see field.h. */
#ifndef METACASCADE_FIELDCOARSE_H
#define METACASCADE_FIELDCOARSE_H
#include <stdint.h>
#include "clones.h"
#include "field.h"

/* field_relax for one tile of edge^3 values, 4 or 2, a number when this is compiled; nothing is folded. */
FIELD_INLINE void field_relax_small(float *restrict c, const float *restrict decay, const float *restrict rhs,
                                    const int32_t *restrict neighbors, int64_t t, float r, const float *restrict omega,
                                    int halves, float mirror, float outside, const int edge)
{
    enum { PAD = 6, UP = PAD * PAD };                 /* room for 4 values and one beyond each face */
    const int step[3] = {1, edge, edge * edge}, pad[3] = {1, PAD, UP}, values = edge * edge * edge;
    float p[PAD * UP], gain[64], *own = c + t * values;
    const float *k = decay + t * values, *q = rhs + t * values;
    for (int v = 0; v < values; v++) {
        p[UP * (v / step[2] + 1) + PAD * (v / edge % edge + 1) + v % edge + 1] = own[v];
        gain[v] = 1.0f / (k[v] + 6.0f * r);
    }
    for (int face = 0; face < 6; face++) {
        const int axis = face / 2, a = (axis + 1) % 3, b = (axis + 2) % 3;
        const int32_t beside = neighbors[6 * t + face];
        for (int j = 0; j < edge * edge; j++) {
            int in = j % edge * step[a] + j / edge * step[b], near = in + (face & 1 ? (edge - 1) * step[axis] : 0);
            int far = in + (face & 1 ? 0 : (edge - 1) * step[axis]);
            p[(j % edge + 1) * pad[a] + (j / edge + 1) * pad[b] + (face & 1 ? edge + 1 : 0) * pad[axis]] =
                beside >= 0 ? c[(int64_t)beside * values + far] : field_beyond(own[near], mirror, outside);
        }
    }
    for (int half = 0; half < halves; half++)
        for (int row = 0; row < edge * edge; row++)
            for (int x = (row / edge + row + half) & 1; x < edge; x += 2) {
                const int v = edge * row + x;
                float *m = p + UP * (row / edge + 1) + PAD * (row % edge + 1) + x + 1, mid = *m;
                float flow = ((m[-1] - mid) + (m[1] - mid)) + ((m[-PAD] - mid) + (m[PAD] - mid))
                           + ((m[-UP] - mid) + (m[UP] - mid));
                float next = mid + (omega[half] * gain[v]) * ((q[v] - k[v] * mid) + r * flow);
                *m = 0.0f > next ? 0.0f : next;
            }
    for (int v = 0; v < values; v++)
        own[v] = p[UP * (v / step[2] + 1) + PAD * (v / edge % edge + 1) + v % edge + 1];
}

/* The same for `n` tiles of 4^3 or 2^3 values. */
METACASCADE_CLONES
static void field_relax_coarse(float *restrict c, const float *restrict decay, const float *restrict rhs,
                               const int32_t *restrict neighbors, const int32_t *restrict rows, int64_t n, float r,
                               const float *restrict omega, int halves, float mirror, float outside,
                               int edge)
{
    for (int64_t i = 0; i < n; i++) {
        if (edge == 4)
            field_relax_small(c, decay, rhs, neighbors, rows[i], r, omega, halves, mirror, outside, 4);
        else
            field_relax_small(c, decay, rhs, neighbors, rows[i], r, omega, halves, mirror, outside, 2);
    }
}
#endif
