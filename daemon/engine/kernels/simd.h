/* One source for WASM SIMD and native builds: GCC/clang vector extensions, no intrinsics, no libc. */
#ifndef LC_SIMD_H
#define LC_SIMD_H

/* Floats of a vector: as wide as what this is compiled for. */
#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif

typedef unsigned char u8;
typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int vi __attribute__((vector_size(4 * LANES)));
typedef u8 vb __attribute__((vector_size(LANES)));

/* Loads and stores at any float's address: weights of a layer start wherever the layer before ended. */
typedef vf vfu __attribute__((aligned(4), may_alias));
typedef vb vbu __attribute__((aligned(1), may_alias));

#define LOAD(p) (*(const vfu *)(p))
#define STORE(p, x) (*(vfu *)(p) = (x))
#define INLINE static inline __attribute__((always_inline))

INLINE vf splat(float x) {
#if LANES == 16
  return (vf){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
#elif LANES == 8
  return (vf){x, x, x, x, x, x, x, x};
#else
  return (vf){x, x, x, x};
#endif
}

/* x where the mask's bits are set, else 0. */
INLINE vf keep_where(vi mask, vf x) { return (vf)((vi)x & mask); }

#endif
