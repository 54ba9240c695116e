/* The innermost loop of every product: 6 rows x 16 (or 8) columns in registers. */
#ifndef LC_MICRO_H
#define LC_MICRO_H
#include "runtime.h"

typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x2 __attribute__((vector_size(8)));
typedef f32x4 f32x4u __attribute__((aligned(4), may_alias));
typedef f32x2 f32x2u __attribute__((aligned(4), may_alias));

/*
 * acc[6][2] += sum over r < outer, k < inner of a[i][r * a_outer + k * a_inner] * b[(r * inner + k) * b_step + j].
 * a: one pointer a row. With 6 x 2 sums, 2 vectors of b and 1 of a it fills the 16 vector registers of AVX2.
 */
INLINE void micro(int wide, long outer, long inner, const float *const *a, long a_outer, long a_inner, const float *b,
                  long b_step, f32x8 *acc) {
  const float *a0 = a[0], *a1 = a[1], *a2 = a[2], *a3 = a[3], *a4 = a[4], *a5 = a[5];
  f32x8 c00 = acc[0], c01 = acc[1], c10 = acc[2], c11 = acc[3], c20 = acc[4], c21 = acc[5];
  f32x8 c30 = acc[6], c31 = acc[7], c40 = acc[8], c41 = acc[9], c50 = acc[10], c51 = acc[11];
  for (long r = 0; r < outer; r++) {
    long at = r * a_outer;
    for (long k = 0; k < inner; k++) {
      f32x8 b0 = LOAD(b), b1 = wide ? (f32x8)LOAD(b + 8) : b0;
#define ROW(i)                     \
  {                                \
    f32x8 x = splat(a##i[at]);     \
    c##i##0 += x * b0;             \
    if (wide) c##i##1 += x * b1;   \
  }
      ROW(0) ROW(1) ROW(2) ROW(3) ROW(4) ROW(5)
#undef ROW
      at += a_inner;
      b += b_step;
    }
  }
  acc[0] = c00, acc[1] = c01, acc[2] = c10, acc[3] = c11, acc[4] = c20, acc[5] = c21;
  acc[6] = c30, acc[7] = c31, acc[8] = c40, acc[9] = c41, acc[10] = c50, acc[11] = c51;
}

/* First n of 8 floats, by halves: a masked store would be slower on some processors. */
INLINE void store_part(float *p, f32x8 x, int n) {
  if (n >= 8) {
    STORE(p, x);
    return;
  }
  f32x4 part = {x[0], x[1], x[2], x[3]};
  if (n & 4) {
    *(f32x4u *)p = part;
    part = (f32x4){x[4], x[5], x[6], x[7]};
    p += 4;
  }
  if (n & 2) {
    *(f32x2u *)p = (f32x2){part[0], part[1]};
    part = (f32x4){part[2], part[3], 0, 0};
    p += 2;
  }
  if (n & 1) *p = part[0];
}
INLINE f32x8 load_part(const float *p, int n) {
  if (n >= 8) return LOAD(p);
  f32x4 low = {0}, rest = {0};
  int at = 0;
  if (n & 4) low = *(const f32x4u *)p, at = 4;
  if (n & 2) {
    f32x2 pair = *(const f32x2u *)(p + at);
    rest = (f32x4){pair[0], pair[1], n & 1 ? p[at + 2] : 0, 0};
  } else if (n & 1) rest = (f32x4){p[at], 0, 0, 0};
  if (at == 0) low = rest, rest = (f32x4){0};
  return (f32x8){low[0], low[1], low[2], low[3], rest[0], rest[1], rest[2], rest[3]};
}

/* Packs columns [n0, n0 + width) of B (element k, n at b[k * row + n * column]) into panel[k][width]; zeros past n. */
INLINE void pack_panel(const float *b, long row, long column, int k, int n0, int n, int width, float *panel) {
  int valid = MIN(width, n - n0);
  for (int i = 0; i < k; i++, panel += width) {
    const float *from = b + i * row + n0 * column;
    if (column == 1 && valid == width)
      for (int j = 0; j < width; j += 8) STORE(panel + j, LOAD(from + j));
    else {
      for (int j = 0; j < valid; j++) panel[j] = from[j * column];
      for (int j = valid; j < width; j++) panel[j] = 0;
    }
  }
}
#endif
