/* The innermost loop of every product: a tile of ROWS rows x up to VECTORS vectors, its sums in registers. */
#ifndef LC_TILE_H
#define LC_TILE_H
#include "runtime.h"
#include "vector.h"

/* Sums, vectors of B, a number of A: 24 + 3 + 1 of the 32 registers of AVX-512 and NEON, 12 + 2 + 1 of AVX2's 16. */
#if LANES == 8
#define ROWS 6
#define VECTORS 2
#else
#define ROWS 8
#define VECTORS 3
#endif

/*
 * c[i][j] = sum over q < images, r < outer, k < inner of a[i][q * a_image + r * a_outer + k * a_inner] * b[l * b_step +
 * j], l counting all terms, plus what is there if `accumulate`, plus bias[j], then relu. One pointer a row; only `rows`
 * are stored, but all of a are read. Nothing is read or written past `columns`, which are at most VECTORS * LANES: B is
 * read where it lies, in rows.
 */
typedef struct {
  const float *a[ROWS];
  float *c[ROWS];
  const float *b, *bias;
  int64_t images, outer, inner, a_image, a_outer, a_inner, b_step;
  int rows, columns, accumulate, relu;
} Tile;

#if ROWS == 8
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#else
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5)
#endif

INLINE void store_sum(const Tile *t, vf sum, int row, int vector, int cut, Part part) {
  float *c = t->c[row] + vector * LANES;
  if (t->accumulate) sum += cut ? load_part(c, part) : (vf)LOAD(c);
  if (t->bias) {
    const float *bias = t->bias + vector * LANES;
    sum += cut ? load_part(bias, part) : (vf)LOAD(bias);
  }
  if (t->relu) sum = select_v(sum < 0, splat(0), sum);
  if (cut) store_part(c, sum, part);
  else STORE(c, sum);
}

/*
 * Sums are named variables: the compiler keeps no array in registers. cut: whether the last vector is not whole; half:
 * whether half a vector holds it.
 */
INLINE void tile_of(const Tile *t, const int vectors, const int cut, const int half) {
  const int full = vectors - half;
  const Part part = part_of(t->columns - (vectors - 1) * LANES);
  const float *b = t->b;
  const int64_t b_step = t->b_step, a_inner = t->a_inner, inner = t->inner;
#define START(i)                                               \
  const float *a##i = t->a[i];                                 \
  vf c##i##0 = splat(0), c##i##1 = c##i##0, c##i##2 = c##i##0; \
  half_vf h##i = {0};
  EACH_ROW(START)
  int64_t line = 0, next_image = t->a_image - t->outer * t->a_outer;
  for (int64_t r = 0, end = t->images * t->outer, left = t->outer; r < end; r++) {
    int64_t at = line;
    line += t->a_outer;
    if (--left == 0) line += next_image, left = t->outer;
    for (int64_t k = 0; k < inner; k++) {
      vf b0 = {0}, b1 = {0}, b2 = {0};
      half_vf bh = {0};
      if (half) bh = load_half_part(b + full * LANES, part);
#define READ(j) \
  if (full > j) b##j = cut && j == vectors - 1 ? load_part(b + j * LANES, part) : (vf)LOAD(b + j * LANES);
      READ(0)
      READ(1) READ(2)
#define SUM(i)                          \
  {                                     \
    vf x = splat(a##i[at]);             \
    if (full > 0) c##i##0 += x * b0;    \
    if (full > 1) c##i##1 += x * b1;    \
    if (full > 2) c##i##2 += x * b2;    \
    if (half) h##i += low_half(x) * bh; \
  }
          EACH_ROW(SUM) at += a_inner;
      b += b_step;
    }
  }
#define WRITE(i)                                                         \
  if (i < t->rows) {                                                     \
    if (full > 0) store_sum(t, c##i##0, i, 0, cut &&vectors == 1, part); \
    if (full > 1) store_sum(t, c##i##1, i, 1, cut &&vectors == 2, part); \
    if (full > 2) store_sum(t, c##i##2, i, 2, cut &&vectors == 3, part); \
    if (half) store_sum(t, whole(h##i), i, full, 1, part);               \
  }
  EACH_ROW(WRITE)
#undef START
#undef READ
#undef SUM
#undef WRITE
}

static void tile(const Tile *t) {
  int left = t->columns % LANES, cut = left != 0;
  int vectors = (t->columns + LANES - 1) / LANES;
#if LANES == 16
  if (cut && left <= LANES / 2) {
    if (vectors == 1) tile_of(t, 1, 1, 1);
    else if (vectors == 2) tile_of(t, 2, 1, 1);
    else tile_of(t, 3, 1, 1);
    return;
  }
#endif
#if VECTORS == 3
  if (vectors == 3) {
    cut ? tile_of(t, 3, 1, 0) : tile_of(t, 3, 0, 0);
    return;
  }
#endif
  if (vectors == 1) cut ? tile_of(t, 1, 1, 0) : tile_of(t, 1, 0, 0);
  else cut ? tile_of(t, 2, 1, 0) : tile_of(t, 2, 0, 0);
}

/* n columns in panels a tile wide at most, as even as whole vectors allow. */
INLINE int panels_of(int n) {
  int vectors = (n + LANES - 1) / LANES;
  return (vectors + VECTORS - 1) / VECTORS;
}
INLINE int panel_start(int n, int panel) {
  /* Vectors times panels exceed 32 bits from half a million columns on. */
  int64_t vectors = (n + LANES - 1) / LANES;
  return MIN(vectors * panel / panels_of(n) * LANES, n);
}

#endif
