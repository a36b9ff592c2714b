/* The linear system of a step of a diffusing field, and the terms of it that are rates by the signals of the voxel. */
#ifndef METACASCADE_FIELDSYSTEM_H
#define METACASCADE_FIELDSYSTEM_H
#include "field.h"
#include "rates.h"

/* What the terms of a field are in the 512 voxels of a tile; null: not there. */
typedef struct {
    const float *secrete;     /* multiplies what cells secrete */
    const float *add;         /* [unit/h] */
    const float *lose;        /* [1/h] */
    const float *admit;       /* multiplies the exchange with vessels */
} field_terms_t;

/* Cells, weights, supply and terms of a tile, for each of its values. */
typedef struct {
    float cells[FIELD_VOXELS], weights[FIELD_VOXELS], supply[FIELD_VOXELS], add[FIELD_VOXELS], lose[FIELD_VOXELS];
    float fed[FIELD_VOXELS];  /* of the supply what comes in, if the field `falls` along vessels; else that is all */
    int falls;
} field_given_t;

/* Means over each of edge^3 values, 4 or 2, known when this is compiled; added up in the order of voxels. */
FIELD_INLINE void field_mean(const float *restrict of, float *restrict mean, const int edge)
{
    const int along = FIELD_EDGE / edge;
    const float share = 1.0f / (float)(along * along * along);
    for (int row = 0; row < edge * edge; row++) {
        const float *first = of + along * (64 * (row / edge) + FIELD_EDGE * (row % edge));
        float sum[4] = {0};
        for (int z = 0; z < along; z++)
            for (int y = 0; y < along; y++)
                for (int k = 0; k < along; k++)
                    for (int x = 0; x < edge; x++)
                        sum[x] += first[64 * z + FIELD_EDGE * y + along * x + k];
        for (int x = 0; x < edge; x++)
            mean[edge * row + x] = sum[x] * share;
    }
}

/* What is given of a tile in its voxels, of vessels in those or, if not `fine`, in cubes of 2^3 of them; what is null
   is none, and stays as it is in `given`, zero. */
FIELD_INLINE void field_each(field_given_t *restrict given, const uint16_t *restrict counts,
                             const uint32_t *restrict moments, const float *restrict vessels, int fine,
                             const float *restrict fed, const field_terms_t *terms)
{
    for (int v = 0; v < FIELD_VOXELS; v++)
        given->cells[v] = (float)counts[v];
    for (int v = 0; moments && v < FIELD_VOXELS; v++)
        given->weights[v] = (float)moments[v];
    if (vessels && fine)
        memcpy(given->supply, vessels, sizeof given->supply);
    else if (vessels)
        widen(vessels, given->supply, 4);
    given->falls = fed != 0;
    if (fed)
        memcpy(given->fed, fed, sizeof given->fed);
    if (!terms)
        return;
    for (int v = 0; moments && terms->secrete && v < FIELD_VOXELS; v++)
        given->weights[v] *= terms->secrete[v];
    for (int v = 0; vessels && terms->admit && v < FIELD_VOXELS; v++)
        given->supply[v] *= terms->admit[v];
    for (int v = 0; fed && terms->admit && v < FIELD_VOXELS; v++)
        given->fed[v] *= terms->admit[v];
    if (terms->add)
        memcpy(given->add, terms->add, sizeof given->add);
    if (terms->lose)
        memcpy(given->lose, terms->lose, sizeof given->lose);
}
/* Means of what is given, as far as it is there. */
FIELD_INLINE void field_means(const field_given_t *restrict each, field_given_t *restrict means, int moments,
                              int supply, const field_terms_t *terms, const int edge)
{
    field_mean(each->cells, means->cells, edge);
    if (moments)
        field_mean(each->weights, means->weights, edge);
    if (supply)
        field_mean(each->supply, means->supply, edge);
    if (terms && terms->add)
        field_mean(each->add, means->add, edge);
    if (terms && terms->lose)
        field_mean(each->lose, means->lose, edge);
}

/* The linear system of a step of backward Euler, uptake linearized at c (Newton), with terms + and -,
     decay = 1/dt + d + n (l + u K / (K + c)^2) + s + lose,   rhs = c/dt + f P + q m + add - n u c^2 / (K + c)^2,
   f what is fed of the supply s,
   of a tile of edge^3 values; folded if that is 8^3. Without diffusion, if `decay` is null, rhs is instead what they
   come to, one by one. Returns how many values came out negative or not a number; rhs may be negative. */
FIELD_INLINE int32_t field_system(const float *restrict old, const field_given_t *restrict in, float *restrict decay,
                                  float *restrict rhs, const int edge, field_t p)
{
    const int values = edge * edge * edge;
    const float *fed = in->falls ? in->fed : in->supply;
    float k[FIELD_VOXELS], q[FIELD_VOXELS];
    int32_t wrong = 0;
    for (int i = 0; i < values; i++) {
        float from_zero = old[i] > 0.0f ? old[i] : 0.0f, per = 1.0f / (p.michaelis + from_zero);
        float share = from_zero * per, most = p.uptake * in->cells[i], s = in->supply[i];
        k[i] = (((p.per_dt + p.decay) + (p.linear * in->cells[i] + (most * per) * (p.michaelis * per))) + s)
             + in->lose[i];
        q[i] = (((old[i] * p.per_dt + fed[i] * p.vessel) + p.source * in->weights[i]) + in->add[i])
             - most * (share * share);
        wrong += !(old[i] >= 0.0f && k[i] >= 0.0f && k[i] < 1e30f && q[i] > -1e30f && q[i] < 1e30f);
    }
    if (!decay)
        for (int i = 0; i < values; i++) {
            float next = old[i] + (1.0f / k[i]) * (q[i] - k[i] * old[i]);
            rhs[i] = 0.0f > next ? 0.0f : next;
        }
    else if (edge == FIELD_EDGE) {
        field_fold_tile(decay, k);
        field_fold_tile(rhs, q);
    } else {
        memcpy(decay, k, (size_t)values * sizeof(float));
        memcpy(rhs, q, (size_t)values * sizeof(float));
    }
    return wrong;
}

/* The same for tile 0 of what is given, by voxel; moments, supply and terms may be null: none. `fed`: of a field with a
   value in each voxel; null: all of the supply. `each` and `means` are zero where nothing is given. */
FIELD_INLINE int32_t field_tile(const float *c, const uint16_t *counts, const uint32_t *moments, const float *supply,
                                int fine, const float *fed, float *decay, float *rhs, int edge, field_t p,
                                const field_terms_t *terms, field_given_t *each, field_given_t *means)
{
    field_each(each, counts, moments, supply, fine, fed, terms);
    if (edge == FIELD_EDGE)
        return field_system(c, each, decay, rhs, FIELD_EDGE, p);
    if (edge == 4) {
        field_means(each, means, moments != 0, supply != 0, terms, 4);
        return field_system(c, means, decay, rhs, 4, p);
    }
    field_means(each, means, moments != 0, supply != 0, terms, 2);
    return field_system(c, means, decay, rhs, 2, p);
}

/* The same of `n` tiles without terms by place. */
METACASCADE_CLONES
static int64_t field_coefficients(const float *restrict c, const uint16_t *restrict counts,
                                  const uint32_t *restrict moments, const float *restrict supply, int64_t stride,
                                  int fine, const float *restrict fed, float *restrict decay,
                                  float *restrict rhs, int64_t n, int edge, field_t p)
{
    const int64_t values = edge * edge * edge;
    field_given_t each = {{0}}, means = {{0}};
    int64_t bad = 0;
    for (int64_t t = 0; t < n; t++)
        bad += field_tile(c + t * values, counts + t * FIELD_VOXELS, moments ? moments + t * FIELD_VOXELS : 0,
                          supply ? supply + t * stride : 0, fine, fed ? fed + t * stride : 0,
                          decay ? decay + t * values : 0, rhs + t * values, edge, p, 0, &each, &means);
    return bad;
}

typedef enum { SECRETE, ADD, LOSE, ADMIT } term_e;      /* as of field_terms_t */

typedef struct {
    const rate_t *rates;      /* `action` is a term_e */
    int n;
    const factor_t *factors;
    const signal_t *signals;
    float capacity;
} placed_t;

/* The terms of tile `t`, added up by kind. What cells secrete has no place where there are none. */
static field_terms_t field_place(const placed_t *placed, const uint16_t *counts, int64_t t, int cells,
                                 float (*kind)[FIELD_VOXELS])
{
    float density[FIELD_VOXELS], row[1][FIELD_VOXELS + SPARE];
    int there[ADMIT + 1] = {0};
    for (int v = 0; v < FIELD_VOXELS; v++)
        density[v] = (float)counts[v] / placed->capacity;
    for (int r = 0; r < placed->n; r++) {
        const int k = placed->rates[r].action;
        if (k == SECRETE && !cells)
            continue;
        fill_rates(placed->rates + r, 1, placed->factors, placed->signals, t, density, row);
        if (there[k])
            for (int v = 0; v < FIELD_VOXELS; v++)
                kind[k][v] = kind[k][v] + row[0][v];
        else
            memcpy(kind[k], row[0], sizeof kind[k]);
        there[k] = 1;
    }
    return (field_terms_t){there[SECRETE] ? kind[SECRETE] : 0, there[ADD] ? kind[ADD] : 0,
                           there[LOSE] ? kind[LOSE] : 0, there[ADMIT] ? kind[ADMIT] : 0};
}

/* As field_coefficients, with the terms of `placed`. */
METACASCADE_CLONES
static int64_t field_coefficients_placed(const float *c, const uint16_t *counts, const uint32_t *moments,
                                         const float *supply, int64_t stride, int fine, const float *fed,
                                         float *decay, float *rhs, int64_t n, int edge, field_t p,
                                         const placed_t *placed)
{
    const int64_t values = edge * edge * edge;
    field_given_t each = {{0}}, means = {{0}};
    float kind[ADMIT + 1][FIELD_VOXELS];
    int64_t bad = 0;
    for (int64_t t = 0; t < n; t++) {
        const uint16_t *n_of = counts + t * FIELD_VOXELS;
        int cells = 0;
        for (int v = 0; v < FIELD_VOXELS; v++)
            cells |= n_of[v];
        const field_terms_t terms = field_place(placed, n_of, t, cells, kind);
        bad += field_tile(c + t * values, n_of, moments ? moments + t * FIELD_VOXELS : 0,
                          supply ? supply + t * stride : 0, fine, fed ? fed + t * stride : 0,
                          decay ? decay + t * values : 0, rhs + t * values, edge, p, &terms, &each, &means);
    }
    return bad;
}
#endif
