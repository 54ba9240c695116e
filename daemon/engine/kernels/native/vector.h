/* Vectors of the level a file is compiled for: 16 floats with AVX-512, 8 with AVX2, 4 with NEON. */
#ifndef LC_VECTOR_H
#define LC_VECTOR_H

#if defined(__aarch64__)
#include <arm_neon.h>
#else
#include <immintrin.h>
#endif
#include <stdint.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif

typedef uint8_t u8;
typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));
/* Bits of numbers are added and shifted in this: a NaN's may overflow an int. */
typedef uint32_t vu __attribute__((vector_size(4 * LANES)));
typedef u8 vb __attribute__((vector_size(LANES)));
typedef vf vfu __attribute__((aligned(4), may_alias));
typedef vb vbu __attribute__((aligned(1), may_alias));
typedef vi viu __attribute__((aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define LOAD(p) (*(const vfu *)(p))
#define STORE(p, x) (*(vfu *)(p) = (x))
#define LOAD_PLACES(p) (*(const viu *)(p))
#define STORE_PLACES(p, x) (*(viu *)(p) = (x))

INLINE vf select_v(vi mask, vf a, vf b) { return (vf)(((vi)a & mask) | ((vi)b & ~mask)); }
INLINE vi splat_int(int x) { return (vi){0} + x; }

#if LANES == 16
INLINE vf splat(float x) { return (vf)_mm512_set1_ps(x); }
INLINE vf sqrt_v(vf x) { return (vf)_mm512_sqrt_ps((__m512)x); }

/* The first n lanes, n in [1, LANES]. */
typedef __mmask16 Part;
INLINE Part part_of(int n) { return (Part)(0xffff >> (16 - n)); }
INLINE vf load_part(const float *p, Part part) { return (vf)_mm512_maskz_loadu_ps(part, p); }
INLINE void store_part(float *p, vf x, Part part) { _mm512_mask_storeu_ps(p, part, (__m512)x); }

/* Half a vector, for up to 8 columns left over: some processors compute a whole one in two steps. */
typedef float half_vf __attribute__((vector_size(32)));
INLINE half_vf low_half(vf x) { return (half_vf)_mm512_castps512_ps256((__m512)x); }
INLINE vf whole(half_vf x) { return (vf)_mm512_castps256_ps512((__m256)x); }
INLINE half_vf load_half_part(const float *p, Part part) { return (half_vf)_mm256_maskz_loadu_ps((__mmask8)part, p); }
#define LOAD_HALF(p) ((half_vf)_mm256_loadu_ps(p))
#elif LANES == 8
INLINE vf splat(float x) { return (vf)_mm256_set1_ps(x); }
INLINE vf sqrt_v(vf x) { return (vf)_mm256_sqrt_ps((__m256)x); }

/* Halves of eight are as slow as eight. */
typedef vf half_vf;
INLINE vf low_half(vf x) { return x; }
INLINE vf whole(vf x) { return x; }

typedef float f32x4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef float f32x2 __attribute__((vector_size(8), aligned(4), may_alias));
typedef struct {
  vi mask;
  int n;
} Part;
INLINE Part part_of(int n) { return (Part){(vi){0, 1, 2, 3, 4, 5, 6, 7} < n, n}; }
INLINE vf load_part(const float *p, Part part) { return (vf)_mm256_maskload_ps(p, (__m256i)part.mask); }
INLINE vf load_half_part(const float *p, Part part) { return load_part(p, part); }
#define LOAD_HALF(p) LOAD(p)
/* By halves: masked stores are slow on some processors that have no AVX-512. */
INLINE void store_part(float *p, vf x, Part part) {
  if (part.n >= 8) {
    STORE(p, x);
    return;
  }
  f32x4 rest = {x[0], x[1], x[2], x[3]};
  if (part.n & 4) {
    *(f32x4 *)p = rest;
    rest = (f32x4){x[4], x[5], x[6], x[7]};
    p += 4;
  }
  if (part.n & 2) {
    *(f32x2 *)p = (f32x2){rest[0], rest[1]};
    rest = (f32x4){rest[2], rest[3], 0, 0};
    p += 2;
  }
  if (part.n & 1) *p = rest[0];
}
#else
INLINE vf splat(float x) { return (vf){x, x, x, x}; }
INLINE vf sqrt_v(vf x) { return (vf)vsqrtq_f32((float32x4_t)x); }

/* Halves of four are as slow as four. */
typedef vf half_vf;
INLINE vf low_half(vf x) { return x; }
INLINE vf whole(vf x) { return x; }

typedef float f32x2 __attribute__((vector_size(8), aligned(4), may_alias));
typedef int Part;
INLINE Part part_of(int n) { return n; }
INLINE vf load_part(const float *p, Part n) {
  if (n >= 4) return LOAD(p);
  vf x = {p[0], 0, 0, 0};
  if (n >= 2) x[1] = p[1];
  if (n >= 3) x[2] = p[2];
  return x;
}
INLINE vf load_half_part(const float *p, Part part) { return load_part(p, part); }
#define LOAD_HALF(p) LOAD(p)
INLINE void store_part(float *p, vf x, Part n) {
  if (n >= 4) {
    STORE(p, x);
    return;
  }
  if (n >= 2) *(f32x2 *)p = (f32x2){x[0], x[1]};
  if (n == 3) p[2] = x[2];
  if (n == 1) p[0] = x[0];
}

/* Four rows of four, `row` floats apart, become four columns, which are written as rows `width` floats apart. */
INLINE void transpose_four(const float *from, int64_t row, float *to, int64_t width) {
  float32x4_t r0 = vld1q_f32(from), r1 = vld1q_f32(from + row), r2 = vld1q_f32(from + 2 * row);
  float32x4_t r3 = vld1q_f32(from + 3 * row);
  float32x4x2_t top = vtrnq_f32(r0, r1), bottom = vtrnq_f32(r2, r3);
  for (int i = 0; i < 2; i++) {
    vst1q_f32(to + i * width, vcombine_f32(vget_low_f32(top.val[i]), vget_low_f32(bottom.val[i])));
    vst1q_f32(to + (i + 2) * width, vcombine_f32(vget_high_f32(top.val[i]), vget_high_f32(bottom.val[i])));
  }
}
#endif

/* As many lanes as there are, of n > 0 left. */
INLINE vf load_some(const float *p, int64_t n) { return n >= LANES ? (vf)LOAD(p) : load_part(p, part_of(n)); }
INLINE void store_some(float *p, vf x, int64_t n) {
  if (n >= LANES) STORE(p, x);
  else store_part(p, x, part_of(n));
}

/* Calls f(.., cut, part) with constants for whole vectors, and for the last one. */
#define BY_PART(left, f, ...)                               \
  do                                                        \
    if ((left) >= LANES) f(__VA_ARGS__, 0, part_of(LANES)); \
    else f(__VA_ARGS__, 1, part_of(left));                  \
  while (0)
#define LOAD_CUT(p) (cut ? load_part(p, part) : (vf)LOAD(p))
#define STORE_CUT(p, x)              \
  do                                 \
    if (cut) store_part(p, x, part); \
    else STORE(p, x);                \
  while (0)

#endif
