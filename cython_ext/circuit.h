/* A node of the blood's circuit as the kernels see it: 72 bytes. Filled by circuit.py. */
#ifndef METACASCADE_CIRCUIT_H
#define METACASCADE_CIRCUIT_H
#include <stdint.h>

typedef struct {
    double transit_h;         /* mean time that blood spends here */
    double shear_per_h;       /* death by shear, without platelets */
    double nk_per_h;          /* death by natural killer cells, without platelets */
    double bind;              /* arrest by adhesion: 1 - exp(-bind * adhesion) in one passage */
    double capillary_um;      /* 0 where nothing is narrow */
    double gain;              /* attraction: a passage counts as this many */
    double extravasate_per_h; /* leaving the vessel, once arrested */
    double soil;              /* multiplies the chance to establish */
    int32_t kind;             /* node_e */
    int32_t pad;
} node_t;
#endif
