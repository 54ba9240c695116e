/* What the native kernels share: the thread pool, the operations, their entry points. */
#ifndef LC_RUNTIME_H
#define LC_RUNTIME_H

#include <stdint.h>
#include "program/layout.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

typedef struct ThreadPool ThreadPool;

/*
 * Calls task(argument, i, scratch) for i in [0, n) on all threads, in no order. scratch: `floats` of the thread's own.
 * nanoseconds: what one thread would take, about; little work stays on the caller's.
 */
typedef void (*Task)(const void *argument, int i, float *scratch);
void thread_pool_run(ThreadPool *workers, int n, Task task, const void *argument, int64_t floats, double nanoseconds);
/*
 * Terms that are added one after the other, at most, before their sum is added to a larger one: a running sum of a
 * million equal numbers is off by percents, as each is rounded beside all that came before.
 */
#define SUMMED_TERMS 4096
/* For the estimates: products do 50 multiplications and additions a nanosecond, other loops touch 8 floats. */
#define PRODUCT_NANOSECONDS(terms) (0.02 * (terms))
#define PASS_NANOSECONDS(floats) (0.125 * (floats))

typedef struct {
  const float *a, *b, *bias;
  float *c;
  int m, n, k;
  /* Floats from one row to the next, of each matrix as it lies. */
  int row_a, row_b, row_c;
  int transpose_a, transpose_b, relu;
  /* One product for each place on the leading axes; floats from one place to the next. */
  int lead[LEAD_RANK], lead_a[LEAD_RANK], lead_b[LEAD_RANK], lead_c[LEAD_RANK];
} Gemm;

typedef struct {
  Geometry g;
  const float *x, *filter, *bias;
  float *y;
  int relu, pooled;
  Pool pool;
  /* Where each maximum was in its window: bytes, or int32_t of windows of more than 256 (wide_places in geometry.h). */
  uint8_t *index;
  /* For the filters of a tiled one. */
  float *places;
} Convolution;

typedef struct {
  Geometry g;
  const float *dy, *filter;
  float *dx, *packed, *places;
} InputGradient;

typedef struct {
  Geometry g;
  const float *x, *dy;
  float *dw, *db, *partial;
  int pooled;
  Pool pool;
  const uint8_t *index;
} FilterGradient;

/* Every channel has filters of its own, f / c of them: filter[kh][kw][f]. */
typedef struct {
  Geometry g;
  const float *x, *filter, *dy;
  /* What is asked for: y, dx, or dw with sums in parts. */
  float *y, *dx, *dw, *partial;
} Depthwise;

typedef struct {
  const float *x;
  float *y;
  uint8_t *index;
  int batch, h, w, c;
  Pool pool;
  int top, left;
} Pooling; /* of a gradient, x is dy and y is dx */

/*
 * Element-wise operations over rows x columns, run tile by tile in the cache; see elementwise/fused.c. A step reads
 * registers a, b and, of a selection, `third`, and writes register `out`. Loads, stores and sums over columns name a
 * tensor, too. A register has a number for each column of each row, or, after a sum over rows, one for each row.
 */
typedef struct {
  int32_t op, out, a, b, third;
  union {
    const float *in;
    float *outside;
  };
  /* Of loads: which rows. */
  Repeat repeat;
  /* Whether what it reads has one number a row. */
  int32_t one_a_row;
  /* Of a sum over columns: its number among those. */
  int32_t sum;
  /* A constant, a slope, the factor of a sum, or a range's lower end; and its upper end. */
  float value, upper;
} Step;
typedef struct {
  int64_t rows, columns;
  int count;
  /* How many of the steps are sums over columns. */
  int sums;
  const Step *steps;
  float *partial;
} Fused;

enum { REDUCE_SUM, REDUCE_MAX, REDUCE_PRODUCT };

/* y[o][i] = scale * sum (or max, or product, unscaled) over m of x[o][m][i]. */
typedef struct {
  const float *x;
  float *y;
  int64_t outer, middle, inner;
  float scale;
  int kind;
} Reduce;

/* y[o][m][i] = sum of x[o][n][i] over n <= m; n < m if `exclusive`; n from the end on if `reverse`. */
typedef struct {
  const float *x;
  float *y;
  int64_t outer, middle, inner;
  int exclusive, reverse;
} Scan;

/* kernels/update.c: target and keep may be NULL. */
typedef void (*Update)(float *w, float *v, const float *g, const float *target, const uint8_t *keep, int n, float eta,
                       float momentum, float decay, float mu, int nesterov);

/* y[at . out] = x[at . in] for every place `at` of shape; or, where shape has a 0, y's first `fill` floats become
 * `value`. */
typedef struct {
  const float *x;
  float *y;
  int fill;
  float value;
  int shape[MOVE_RANK], in[MOVE_RANK], out[MOVE_RANK];
} Move;

/*
 * Rows of each of `outer` tables by number, y[o][i] = x[o][ids[i]], or of one table, their sums, y[ids[i]] += x[i].
 * Numbers are whole floats in [0, limit).
 */
typedef struct {
  const float *x, *ids;
  float *y;
  int outer, rows, columns, limit;
} Rows;

/* The same kernels, compiled for one level of instructions: see kernels.c. */
typedef struct {
  void (*gemm)(ThreadPool *, const Gemm *);
  void (*convolution)(ThreadPool *, const Convolution *);
  void (*input_gradient)(ThreadPool *, const InputGradient *);
  void (*filter_gradient)(ThreadPool *, const FilterGradient *);
  void (*winograd)(ThreadPool *, const Convolution *);
  void (*winograd_input_gradient)(ThreadPool *, const InputGradient *);
  void (*winograd_filter_gradient)(ThreadPool *, const FilterGradient *);
  void (*depthwise)(ThreadPool *, const Depthwise *);
  void (*depthwise_input_gradient)(ThreadPool *, const Depthwise *);
  void (*depthwise_filter_gradient)(ThreadPool *, const Depthwise *);
  void (*max_pool)(ThreadPool *, const Pooling *);
  void (*max_pool_gradient)(ThreadPool *, const Pooling *);
  void (*average_pool)(ThreadPool *, const Pooling *);
  void (*average_pool_gradient)(ThreadPool *, const Pooling *);
  void (*fused)(ThreadPool *, const Fused *);
  void (*reduce)(ThreadPool *, const Reduce *);
  void (*cumulative_sum)(ThreadPool *, const Scan *);
  void (*move)(ThreadPool *, const Move *);
  void (*gather)(ThreadPool *, const Rows *);
  void (*segment_sum)(ThreadPool *, const Rows *);
  Update update;
} Kernels;
#if defined(__aarch64__)
extern const Kernels kernels_neon;
#else
extern const Kernels kernels_avx2, kernels_avx512;
#endif

#endif
