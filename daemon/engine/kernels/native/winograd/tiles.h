/*
 * Winograd's tiles [Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016]: m x m results of an r x r
 * filter, m + r = 7, from 6 x 6 pixels x of the image, are
 *
 *   A' (E * D) A  with D = B' x B and E = N G w G' N,
 *
 * 36 products for each pair of channels instead of (m r)^2, which is 144 for 3x3 filters and 100 for 5x5. A (6 x m) and
 * G (6 x r) evaluate polynomials at the points 0, a, -a, b, -b and infinity. With 3/4 and 3/2 the numbers in A and B
 * are exact, and results have half the error that the customary points 1 and 2 give.
 */
#ifndef LC_WINOGRAD_H
#define LC_WINOGRAD_H
#include "geometry.h"
#include "vector.h"

#define POINT_A 0.75f
#define POINT_B 1.5f

/* N: the product of a point's distances from the others, inverted. */
static const float inverse_distances[SIDE] = {
    1 / 1.265625, -1 / 1.8984375, -1 / 1.8984375, 1 / 7.59375, 1 / 7.59375, 1,
};

/* y[n] to t[6]: the polynomial of coefficients y at the points. Every `step`th of both. */
INLINE void evaluate(const int n, vf *x, const int step) {
  const float a = POINT_A, b = POINT_B;
#define X(i) x[(i)*step]
  vf last = X(n - 1), first = X(0);
  vf even_a = X(0), even_b = X(0), odd_a = X(1) * splat(a), odd_b = X(1) * splat(b);
  if (n > 2) even_a += X(2) * splat(a * a), even_b += X(2) * splat(b * b);
  if (n > 3) odd_a += X(3) * splat(a * a * a), odd_b += X(3) * splat(b * b * b);
  if (n > 4) even_a += X(4) * splat(a * a * a * a), even_b += X(4) * splat(b * b * b * b);
  X(0) = first, X(1) = even_a + odd_a, X(2) = even_a - odd_a, X(3) = even_b + odd_b, X(4) = even_b - odd_b, X(5) = last;
}

/* Its adjoint: t[6] to y[n]. */
INLINE void interpolate(const int n, vf *x, const int step) {
  const float a = POINT_A, b = POINT_B;
  vf even_a = X(1) + X(2), odd_a = X(1) - X(2), even_b = X(3) + X(4), odd_b = X(3) - X(4), last = X(5);
  X(0) += even_a + even_b;
  X(1) = odd_a * splat(a) + odd_b * splat(b);
  if (n > 2) X(2) = even_a * splat(a * a) + even_b * splat(b * b);
  if (n > 3) X(3) = odd_a * splat(a * a * a) + odd_b * splat(b * b * b);
  if (n > 4) X(4) = even_a * splat(a * a * a * a) + even_b * splat(b * b * b * b);
  X(n - 1) += last;
}

/*
 * B', for pixels of the image: the first three results or the last, which have nothing in common. Half of a tile at a
 * time stays in registers.
 */
INLINE void reduce_half(const int half, vf *x, const int step) {
  const vf aa = splat(POINT_A * POINT_A), bb = splat(POINT_B * POINT_B), product = aa * bb, sum = aa + bb;
  const vf point = splat(half ? POINT_B : POINT_A), square = half ? aa : bb;
  vf even = X(4) - square * X(2), odd = X(3) - square * X(1);
  vf end = half ? product * X(1) - sum * X(3) + X(5) : product * X(0) - sum * X(2) + X(4);
  vf plus = even + point * odd, minus = even - point * odd;
  if (half) X(0) = plus, X(1) = minus, X(2) = end;
  else X(0) = end, X(1) = plus, X(2) = minus;
}

/* B, its adjoint: pixels 0, 2 and 4, or 1, 3 and 5. */
INLINE void spread_half(const int half, vf *x, const int step) {
  const vf aa = splat(POINT_A * POINT_A), bb = splat(POINT_B * POINT_B), product = aa * bb, sum = aa + bb;
  vf end = half ? X(5) : X(0);
  vf of_a = half ? splat(POINT_A) * (X(1) - X(2)) : X(1) + X(2),
     of_b = half ? splat(POINT_B) * (X(3) - X(4)) : X(3) + X(4);
  vf middle = bb * of_a + aa * of_b, top = of_a + of_b;
  if (half) X(0) = product * end - middle, X(1) = top - sum * end, X(2) = end;
  else X(0) = product * end, X(1) = -sum * end - middle, X(2) = end + top;
}

/* All six results. */
INLINE void reduce_row(vf *x) {
  vf y[SIDE];
#pragma GCC unroll 6
  for (int i = 0; i < SIDE; i++) y[i] = x[i];
  reduce_half(0, x, 1);
  reduce_half(1, y, 1);
  x[3] = y[0], x[4] = y[1], x[5] = y[2];
}
INLINE void spread_row(vf *x) {
  vf y[SIDE];
#pragma GCC unroll 6
  for (int i = 0; i < SIDE; i++) y[i] = x[i];
  spread_half(0, x, 1);
  spread_half(1, y, 1);
  x[4] = x[2], x[2] = x[1], x[1] = y[0], x[3] = y[1], x[5] = y[2];
}
#undef X

/* Tiles x[6][6] of which n x n are given, or wanted. */
INLINE void evaluate_tile(const int n, vf *x) {
#pragma GCC unroll 6
  for (int j = 0; j < n; j++) evaluate(n, x + j, SIDE);
#pragma GCC unroll 6
  for (int i = 0; i < SIDE; i++) evaluate(n, x + i * SIDE, 1);
}
INLINE void interpolate_tile(const int n, vf *x) {
#pragma GCC unroll 6
  for (int j = 0; j < SIDE; j++) interpolate(n, x + j, SIDE);
#pragma GCC unroll 6
  for (int i = 0; i < n; i++) interpolate(n, x + i * SIDE, 1);
}

#endif
