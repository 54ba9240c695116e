/* Softmax of rows, and sums and maxima over axes that lie together. */
#include "elementwise/functions.h"
#include "runtime.h"

/* Rows of one task of softmax. */
#define SOFTMAX_ROWS 32

static void softmax_rows(const void *argument, int task, float *scratch) {
  (void)scratch;
  const Softmax *op = argument;
  long c = op->columns, end = MIN((task + 1L) * SOFTMAX_ROWS, op->rows);
  for (long r = (long)task * SOFTMAX_ROWS; r < end; r++) {
    const float *x = op->x + r * c;
    float *y = op->y + r * c, max = x[0], sum = 0;
    for (long j = 1; j < c; j++) max = x[j] > max ? x[j] : max;
    for (long j = 0; j < c; j += LANES) store_some(y + j, exp_v(load_some(x + j, c - j) - splat(max)), c - j);
    for (long j0 = 0; j0 < c; j0 += SUMMED_TERMS) {
      float part = 0;
      for (long j = j0, end = MIN(j0 + SUMMED_TERMS, c); j < end; j++) part += y[j];
      sum += part;
    }
    vf shift = splat(max + (op->logarithm ? log_v(splat(sum))[0] : 0)), scale = splat(1 / sum);
    for (long j = 0; j < c; j += LANES) {
      vf v = op->logarithm ? load_some(x + j, c - j) - shift : load_some(y + j, c - j) * scale;
      store_some(y + j, v, c - j);
    }
  }
}

static void softmax(ThreadPool *workers, const Softmax *op) {
  thread_pool_run(workers, (op->rows + SOFTMAX_ROWS - 1) / SOFTMAX_ROWS, softmax_rows, op, 0,
           8 * PASS_NANOSECONDS((double)op->rows * op->columns));
}

static int reduce_parts(const Reduce *op) { return MIN(op->outer, PARTS); }

static void reduce_some(const void *argument, int task, float *scratch) {
  (void)scratch;
  const Reduce *op = argument;
  long inner = op->inner;
  int parts = reduce_parts(op);
  for (long o = op->outer * task / parts; o < op->outer * (task + 1) / parts; o++)
    for (long i = 0; i < inner; i += LANES) {
      const float *x = op->x + o * op->middle * inner + i;
      long left = inner - i;
      vf result = op->max ? load_some(x, left) : splat(0);
      for (long m0 = 0; m0 < op->middle; m0 += SUMMED_TERMS) {
        const long end = MIN(m0 + SUMMED_TERMS, op->middle);
        vf part = load_some(x + m0 * inner, left);
        for (long m = m0 + 1; m < end; m++) {
          vf v = load_some(x + m * inner, left);
          part = op->max ? select_v((v > part) | (v != v), v, part) : part + v;
        }
        result = op->max ? select_v((part > result) | (part != part), part, result) : m0 > 0 ? result + part : part;
      }
      store_some(op->y + o * inner + i, op->max ? result : result * splat(op->scale), left);
    }
}

static void reduce(ThreadPool *workers, const Reduce *op) {
  thread_pool_run(workers, reduce_parts(op), reduce_some, op, 0, PASS_NANOSECONDS((double)op->outer * op->middle * op->inner));
}
