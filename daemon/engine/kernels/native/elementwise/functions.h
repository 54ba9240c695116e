/* Functions of a vector of numbers, as the element-wise steps and softmax use them. */
#ifndef LC_FUNCTIONS_H
#define LC_FUNCTIONS_H
#include "vector.h"

/* e^x to 2 ulp (Cephes): x = n ln 2 + r. */
INLINE vf exp_v(vf x) {
  vf nan = x;
  x = select_v(x > splat(88.72283f), splat(88.72283f), x);
  x = select_v(x < splat(-87.33654f), splat(-87.33654f), x);
  vf n = x * splat(1.44269504f) + splat(0x1.8p23f);
  vu exponent = (vu)n << 23;
  n -= splat(0x1.8p23f);
  vf r = x - n * splat(0.693359375f);
  r = r - n * splat(-2.12194440e-4f);
  vf y = splat(1.9875691500e-4f);
  y = y * r + splat(1.3981999507e-3f);
  y = y * r + splat(8.3334519073e-3f);
  y = y * r + splat(4.1665795894e-2f);
  y = y * r + splat(1.6666665459e-1f);
  y = y * r + splat(5.0000001201e-1f);
  y = y * r * r + r + splat(1);
  y = (vf)((vu)y + exponent);
  return select_v(nan == nan, y, nan);
}

/* Natural logarithm (Cephes); -infinity at 0, NaN below. */
INLINE vf log_v(vf x) {
  vf given = x;
  vi bits = (vi)select_v(x < splat(1.17549435e-38f), splat(1.17549435e-38f), x);
  vf e = __builtin_convertvector((bits >> 23) - 126, vf);
  vf m = (vf)((bits & 0x007fffff) | 0x3f000000);
  vi low = m < splat(0.707106781f);
  e = select_v(low, e - 1, e);
  m = select_v(low, m + m, m) - 1;
  vf z = m * m, y = splat(7.0376836292e-2f);
  y = y * m + splat(-1.1514610310e-1f);
  y = y * m + splat(1.1676998740e-1f);
  y = y * m + splat(-1.2420140846e-1f);
  y = y * m + splat(1.4249322787e-1f);
  y = y * m + splat(-1.6668057665e-1f);
  y = y * m + splat(2.0000714765e-1f);
  y = y * m + splat(-2.4999993993e-1f);
  y = y * m + splat(3.3333331174e-1f);
  y = y * m * z + e * splat(-2.12194440e-4f) - z * splat(0.5f) + m + e * splat(0.693359375f);
  y = select_v(given == 0, splat(-__builtin_inff()), y);
  y = select_v(given == splat(__builtin_inff()), given, y);
  return select_v(given >= 0, y, splat(__builtin_nanf("")));
}

/* tanh: a rational function near 0, where 1 - 2 / (e^2x + 1) would lose digits; that elsewhere. */
INLINE vf tanh_v(vf x) {
  vf z = x * x, y = splat(-5.70498872745e-3f);
  y = y * z + splat(2.06390887954e-2f);
  y = y * z + splat(-5.37397155531e-2f);
  y = y * z + splat(1.33314422036e-1f);
  y = y * z + splat(-3.33332819422e-1f);
  vf near = y * z * x + x, far = 1 - 2 / (exp_v(x + x) + 1);
  return select_v(z < splat(0.390625f), near, far);
}

/* Kahan's forms: the rounding of 1 + x and of e^x cancels out. */
INLINE vf log1p_v(vf x) {
  vf u = 1 + x;
  return select_v(u == 1, x, log_v(u) * x / (u - 1));
}
INLINE vf expm1_v(vf x) {
  vf u = exp_v(x);
  vf y = select_v(x < splat(-17), u - 1, (u - 1) * x / log_v(u));
  return select_v(u == 1, x, select_v(x > splat(17), u, y));
}

INLINE vf floor_v(vf x) {
  /* From 2^23 on every float is whole, and no int may hold it; nor a NaN. */
  vi fits = (vf)((vi)x & 0x7fffffff) < splat(0x1p23f);
  vf whole = __builtin_convertvector(__builtin_convertvector(select_v(fits, x, splat(0)), vi), vf);
  whole = select_v(whole > x, whole - 1, whole);
  return select_v(fits, whole, x);
}

/* Half to even, as an addition rounds whose result has no bits below 1. From 2^23 on every float is whole. */
INLINE vf round_v(vf x) {
  vi sign = (vi)x & (int)0x80000000;
  vf magnitude = (vf)((vi)x ^ sign);
  vf whole = (vf)((vi)((magnitude + splat(0x1p23f)) - splat(0x1p23f)) | sign);
  return select_v(magnitude < splat(0x1p23f), whole, x);
}

INLINE vf trunc_v(vf x) { return select_v(x < 0, -floor_v(-x), floor_v(x)); }

/* To 1.5e-7 (Abramowitz and Stegun 7.1.26), as TensorFlow.js has it. */
INLINE vf erf_v(vf x) {
  vf magnitude = select_v(x < 0, -x, x), t = 1 / (1 + splat(0.3275911f) * magnitude);
  vf y = splat(1.061405429f);
  y = y * t + splat(-1.453152027f);
  y = y * t + splat(1.421413741f);
  y = y * t + splat(-0.284496736f);
  y = y * t + splat(0.254829592f);
  y = 1 - y * t * exp_v(-x * x);
  return select_v(x < 0, -y, y);
}

/* A NaN on either side stays one. */
INLINE vf max_v(vf x, vf y) { return select_v((x > y) | (x != x), x, y); }

/* Every lane's number of its own. */
INLINE vi lanes_v(void) {
#if LANES == 16
  return (vi){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif LANES == 8
  return (vi){0, 1, 2, 3, 4, 5, 6, 7};
#else
  return (vi){0, 1, 2, 3};
#endif
}

/* Lane l gets the number of lane l ^ other. A macro for gcc, of which a function would be other code. */
#if defined(__clang__)
INLINE vf exchange_lanes(vf x, int other) {
  vf y = x;
  for (int l = 0; l < LANES; l++) y[l] = x[l ^ other];
  return y;
}
#else
#define exchange_lanes(x, other) __builtin_shuffle(x, lanes_v() ^ other)
#endif

/* The sum, or the largest, of all lanes, in each of them. */
INLINE vf sum_lanes(vf x) {
  for (int half = LANES / 2; half > 0; half /= 2) x += exchange_lanes(x, half);
  return x;
}
INLINE vf max_lanes(vf x) {
  for (int half = LANES / 2; half > 0; half /= 2) x = max_v(x, exchange_lanes(x, half));
  return x;
}

/* 1 where the mask is set, else 0. */
INLINE vf ones(vi mask) { return (vf)((vi)splat(1) & mask); }

#endif
