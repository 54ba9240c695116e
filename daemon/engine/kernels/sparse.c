/*
 * One layer of a pruned dense network: y[unit] = bias[unit] + sum of weight[k] * x[input[k]] over the unit's kept
 * weights k = start[unit] .. start[unit + 1]. `block` computes 16 samples at once, which lie side by side: x[input * 16
 * + sample]. See daemon/export/sparse/sparseModule.ts, which puts it into the modules that it writes.
 */
#include "simd.h"

#define SAMPLES 16
#define VECTORS (SAMPLES / LANES)

__attribute__((export_name("block"))) void block(const float *x, float *y, int units, const int *start,
                                                 const int *input, const float *weight, const float *bias, int relu) {
  for (int unit = 0; unit < units; unit++) {
    vf sum[VECTORS];
    for (int i = 0; i < VECTORS; i++) sum[i] = splat(bias[unit]);
    for (int k = start[unit]; k < start[unit + 1]; k++) {
      const float *from = x + SAMPLES * input[k];
      const vf w = splat(weight[k]);
      for (int i = 0; i < VECTORS; i++) sum[i] += w * LOAD(from + LANES * i);
    }
    for (int i = 0; i < VECTORS; i++)
      STORE(y + SAMPLES * unit + LANES * i, relu ? keep_where(~(vi)(sum[i] < 0), sum[i]) : sum[i]);
  }
}

__attribute__((export_name("one"))) void one(const float *x, float *y, int units, const int *start, const int *input,
                                             const float *weight, const float *bias, int relu) {
  for (int unit = 0; unit < units; unit++) {
    const int end = start[unit + 1];
    int k = start[unit];
    /* Four sums: an addition need not wait for the one before. */
    float a = 0, b = 0, c = 0, d = 0;
    for (; k + 4 <= end; k += 4) {
      a += weight[k] * x[input[k]];
      b += weight[k + 1] * x[input[k + 1]];
      c += weight[k + 2] * x[input[k + 2]];
      d += weight[k + 3] * x[input[k + 3]];
    }
    for (; k < end; k++) a += weight[k] * x[input[k]];
    const float sum = bias[unit] + ((a + b) + (c + d));
    y[unit] = relu && sum < 0 ? 0 : sum;
  }
}
