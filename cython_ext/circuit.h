/* A node of the blood's circuit as the kernels see it: 24 bytes. Filled by circuit.py. */
#ifndef METACASCADE_CIRCUIT_H
#define METACASCADE_CIRCUIT_H
#include <stdint.h>

typedef struct {
    double transit_h;         /* mean time that blood spends here */
    double capillary_um;      /* 0 where nothing is narrow */
    int32_t kind;             /* node_e */
    int32_t pad;
} node_t;
#endif
