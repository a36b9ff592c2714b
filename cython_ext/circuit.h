/* A node of the blood's circuit as the kernels see it: 40 bytes. Filled by circuit.py. */
#ifndef METACASCADE_CIRCUIT_H
#define METACASCADE_CIRCUIT_H
#include <stdint.h>

typedef struct {
    double transit_h;         /* mean time that blood spends here */
    double capillary_um;      /* median width of its capillaries; 0 where nothing is narrow */
    double spread;            /* sd of the logarithm of those widths */
    double pressure_Pa;       /* across the stretch of one that a cell plugs */
    int32_t kind;             /* node_e */
    int32_t pad;
} node_t;
#endif
