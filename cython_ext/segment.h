/* A piece of blood vessel: a straight center line with one radius. 64 bytes, widest field first. */
#ifndef METACASCADE_SEGMENT_H
#define METACASCADE_SEGMENT_H
#include <stdint.h>

typedef struct {
    double ax, ay, az;        /* [um] one end of the center line */
    double bx, by, bz;        /* [um] the other end */
    float radius;             /* [um] */
    float maturity;           /* 0 immature .. 1 mature */
    uint8_t perfused;         /* 1 blood flows, 0 none: neither oxygen nor entry of cells */
    uint8_t pad1;
    uint16_t pad2;
    uint32_t pad4;
} segment_t;

/* [um] added to a reach, so that rounding never hides a segment. */
#define METACASCADE_SLACK_UM 1e-6
#endif
