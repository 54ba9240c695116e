/*
 * Winograd's tiles [Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016]: m x m results of an r x r
 * filter, m + r = 7, from 6 x 6 pixels x of the image, are
 *
 *   A' (E * D) A  with D = B' x B and E = N G w G' N,
 *
 * 36 products for each pair of channels instead of (m r)^2, which is 144 for 3x3 filters and 100 for 5x5. A (6 x m) and
 * G (6 x r) evaluate polynomials at the points 0, a, -a, b, -b and infinity. With 3/4 and 3/2 the numbers in A and B are
 * exact, and results have half the error that the customary points 1 and 2 give.
 */
#ifndef LC_WINOGRAD_H
#define LC_WINOGRAD_H
#include "vector.h"

#define SIDE 6
#define PLACES (SIDE * SIDE)
#define POINT_A 0.75f
#define POINT_B 1.5f

/* N: the product of a point's distances from the others, inverted. */
static const float inverse_distances[SIDE] = {
    1 / 1.265625, -1 / 1.8984375, -1 / 1.8984375, 1 / 7.59375, 1 / 7.59375, 1,
};

/* y[n] to t[6]: the polynomial of coefficients y at the points. Every `step`th of both. */
INLINE void evaluate(const int n, vf *x, const int step) {
  const float a = POINT_A, b = POINT_B;
#define X(i) x[(i) * step]
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

/* B', for pixels of the image. */
INLINE void reduce_pixels(vf *x, const int step) {
  const vf a = splat(POINT_A), b = splat(POINT_B), aa = a * a, bb = b * b, product = aa * bb, sum = aa + bb;
  vf first = product * X(0) - sum * X(2) + X(4), last = product * X(1) - sum * X(3) + X(5);
  vf even_a = X(4) - bb * X(2), odd_a = X(3) - bb * X(1), even_b = X(4) - aa * X(2), odd_b = X(3) - aa * X(1);
  X(0) = first, X(1) = even_a + a * odd_a, X(2) = even_a - a * odd_a;
  X(3) = even_b + b * odd_b, X(4) = even_b - b * odd_b, X(5) = last;
}

/* B, its adjoint. */
INLINE void spread_pixels(vf *x, const int step) {
  const vf a = splat(POINT_A), b = splat(POINT_B), aa = a * a, bb = b * b, product = aa * bb, sum = aa + bb;
  vf first = X(0), last = X(5);
  vf even_a = X(1) + X(2), odd_a = a * (X(1) - X(2)), even_b = X(3) + X(4), odd_b = b * (X(3) - X(4));
  X(0) = product * first;
  X(1) = product * last - bb * odd_a - aa * odd_b;
  X(2) = -sum * first - bb * even_a - aa * even_b;
  X(3) = odd_a + odd_b - sum * last;
  X(4) = first + even_a + even_b;
  X(5) = last;
}
#undef X

/* x[6][6], of which n x n are given or wanted. */
#define BOTH_WAYS(name, one, columns, rows) \
  INLINE void name(const int n, vf *x) { \
    (void)n; \
    _Pragma("GCC unroll 6") for (int j = 0; j < columns; j++) one(x + j, SIDE); \
    _Pragma("GCC unroll 6") for (int i = 0; i < rows; i++) one(x + i * SIDE, 1); \
  }
#define EVALUATE(x, step) evaluate(n, x, step)
#define INTERPOLATE(x, step) interpolate(n, x, step)
BOTH_WAYS(evaluate_tile, EVALUATE, n, SIDE)
BOTH_WAYS(interpolate_tile, INTERPOLATE, SIDE, n)
BOTH_WAYS(reduce_tile, reduce_pixels, SIDE, SIDE)
BOTH_WAYS(spread_tile, spread_pixels, SIDE, SIDE)
#undef EVALUATE
#undef INTERPOLATE
#undef BOTH_WAYS

#endif
