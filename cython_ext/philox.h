/* Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, SC11, doi:10.1145/2063384.2063405), and nothing else.
   Written as straight-line macros on scalars so that compilers vectorize loops over it. */
#ifndef METACASCADE_PHILOX_H
#define METACASCADE_PHILOX_H
#include <stdint.h>

#define PHILOX_ROUND(c0, c1, c2, c3, k0, k1) do {                              \
    uint64_t p_ = (uint64_t)0xD2511F53u * (c0), q_ = (uint64_t)0xCD9E8D57u * (c2); \
    uint32_t a_ = (uint32_t)(q_ >> 32) ^ (c1) ^ (k0);                           \
    uint32_t b_ = (uint32_t)(p_ >> 32) ^ (c3) ^ (k1);                           \
    (c1) = (uint32_t)q_; (c3) = (uint32_t)p_; (c0) = a_; (c2) = b_;             \
    (k0) += 0x9E3779B9u; (k1) += 0xBB67AE85u; } while (0)

#define PHILOX_10(c0, c1, c2, c3, k0, k1) do {                                  \
    PHILOX_ROUND(c0, c1, c2, c3, k0, k1); PHILOX_ROUND(c0, c1, c2, c3, k0, k1); \
    PHILOX_ROUND(c0, c1, c2, c3, k0, k1); PHILOX_ROUND(c0, c1, c2, c3, k0, k1); \
    PHILOX_ROUND(c0, c1, c2, c3, k0, k1); PHILOX_ROUND(c0, c1, c2, c3, k0, k1); \
    PHILOX_ROUND(c0, c1, c2, c3, k0, k1); PHILOX_ROUND(c0, c1, c2, c3, k0, k1); \
    PHILOX_ROUND(c0, c1, c2, c3, k0, k1); PHILOX_ROUND(c0, c1, c2, c3, k0, k1); } while (0)

static inline void philox4x32(const uint32_t counter[4], uint64_t key, uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    PHILOX_10(c0, c1, c2, c3, k0, k1);
    out[0] = c0; out[1] = c1; out[2] = c2; out[3] = c3;
}
#endif
