/* METACASCADE_CLONES before a function: compile it once per instruction set and choose at load time.
   IEEE arithmetic in a fixed order has the same bits on each: there is no -ffast-math here, and
   -ffp-contract=off keeps a product and a sum from fusing where the processor could. */
#ifndef METACASCADE_CLONES_H
#define METACASCADE_CLONES_H
#include <stdint.h>           /* brings __GLIBC__: the choice needs its loader (ifunc) */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__GLIBC__) \
    && !defined(METACASCADE_NO_CLONES)
#define METACASCADE_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define METACASCADE_CLONES
#endif
#endif
