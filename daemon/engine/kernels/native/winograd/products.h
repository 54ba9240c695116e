/* The products of matrices at all places of a block of tiles. */
#ifndef LC_PLACE_PRODUCTS_H
#define LC_PLACE_PRODUCTS_H
#include "geometry.h"
#include "tile.h"

/*
 * Matrices of all places: c = a b, a[i][k] lying i * a_row + k * a_column from a; or c += a b. Rows of b and c are
 * whole vectors; rows of a and c are whole tiles: what is beyond them is computed, and not used.
 */
typedef struct {
  const float *a, *b;
  float *c;
  int64_t a_row, a_column, a_place, b_row, b_place, c_row, c_place;
  int rows, columns, depth, accumulate;
} Products;

/* As tile_of, but for sums of few terms: with nothing to decide. */
INLINE void short_tile(const Products *p, const float *a, const float *b, float *c, const int vectors, const int half) {
  const int full = vectors - half;
  const int64_t a_row = p->a_row, a_column = p->a_column, b_row = p->b_row, c_row = p->c_row;
#define START(i)                                               \
  const float *a##i = a + i * a_row;                           \
  vf c##i##0 = splat(0), c##i##1 = c##i##0, c##i##2 = c##i##0; \
  half_vf h##i = {0};
  EACH_ROW(START)
  for (int64_t k = 0, at = 0; k < p->depth; k++, at += a_column, b += b_row) {
    vf b0 = {0}, b1 = {0}, b2 = {0};
    half_vf bh = {0};
    if (full > 0) b0 = LOAD(b);
    if (full > 1) b1 = LOAD(b + LANES);
    if (full > 2) b2 = LOAD(b + 2 * LANES);
    if (half) bh = LOAD_HALF(b + full * LANES);
#define SUM(i)                          \
  {                                     \
    vf x = splat(a##i[at]);             \
    if (full > 0) c##i##0 += x * b0;    \
    if (full > 1) c##i##1 += x * b1;    \
    if (full > 2) c##i##2 += x * b2;    \
    if (half) h##i += low_half(x) * bh; \
  }
    EACH_ROW(SUM)
  }
#define ADD(p, x) STORE(p, accumulate ? (x) + LOAD(p) : (x))
  const int accumulate = p->accumulate;
#define WRITE(i)                                   \
  {                                                \
    float *to = c + i * c_row;                     \
    if (full > 0) ADD(to, c##i##0);                \
    if (full > 1) ADD(to + LANES, c##i##1);        \
    if (full > 2) ADD(to + 2 * LANES, c##i##2);    \
    if (half) ADD(to + full * LANES, whole(h##i)); \
  }
  EACH_ROW(WRITE)
#undef START
#undef SUM
#undef ADD
#undef WRITE
}

/* One panel of all places, of so many vectors. */
INLINE void multiply_panel(const Products *p, int n0, const int vectors, const int half) {
  for (int place = 0; place < PLACES; place++)
    for (int row = 0; row < p->rows; row += ROWS)
      short_tile(p, p->a + place * p->a_place + row * p->a_row, p->b + place * p->b_place + n0,
                 p->c + place * p->c_place + row * p->c_row + n0, vectors, half);
}

static void multiply_places(const Products *p) {
  for (int panel = 0; panel < panels_of(p->columns); panel++) {
    int n0 = panel_start(p->columns, panel), n = panel_start(p->columns, panel + 1) - n0;
    int vectors = (n + LANES - 1) / LANES, half = LANES == 16 && n % 16 > 0 && n % 16 <= 8;
    if (vectors == 1) half ? multiply_panel(p, n0, 1, 1) : multiply_panel(p, n0, 1, 0);
    else if (vectors == 2) half ? multiply_panel(p, n0, 2, 1) : multiply_panel(p, n0, 2, 0);
    else half ? multiply_panel(p, n0, 3, 1) : multiply_panel(p, n0, 3, 0);
  }
}

#endif
