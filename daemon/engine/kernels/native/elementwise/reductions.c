/* Sums, products and maxima over axes that lie together, and sums of all that came before. */
#include "elementwise/functions.h"
#include "runtime.h"

/* Vectors of the result that one task computes, at least. */
#define REDUCE_VECTORS 4

/* The result's vectors are cut into so many parts beside its outer places. */
static int inner_parts(const Reduce *op) {
  int64_t vectors = (op->inner + LANES - 1) / LANES;
  return op->outer >= PARTS ? 1 : MAX(MIN(PARTS / op->outer, vectors / REDUCE_VECTORS), 1);
}
static int outer_parts(const Reduce *op) { return MIN(op->outer, PARTS); }

INLINE vf combine(vf sum, vf x, int kind) {
  return kind == REDUCE_SUM ? sum + x : kind == REDUCE_PRODUCT ? sum * x : max_v(x, sum);
}

INLINE void reduce_vectors(const Reduce *op, int64_t outer, int64_t from, int64_t to, const int kind) {
  for (int64_t i = from; i < to; i += LANES) {
    const float *x = op->x + outer * op->middle * op->inner + i;
    int64_t left = to - i;
    vf result = splat(0);
    for (int64_t m0 = 0; m0 < op->middle; m0 += SUMMED_TERMS) {
      const int64_t end = MIN(m0 + SUMMED_TERMS, op->middle);
      vf part = load_some(x + m0 * op->inner, left);
      for (int64_t m = m0 + 1; m < end; m++) part = combine(part, load_some(x + m * op->inner, left), kind);
      result = m0 > 0 ? combine(result, part, kind) : part;
    }
    store_some(op->y + outer * op->inner + i, kind == REDUCE_SUM ? result * splat(op->scale) : result, left);
  }
}

static void reduce_some(const void *argument, int task, float *scratch) {
  (void)scratch;
  const Reduce *op = argument;
  int outers = outer_parts(op), inners = inner_parts(op), outer = task / inners, inner = task % inners;
  int64_t vectors = (op->inner + LANES - 1) / LANES;
  int64_t from = vectors * inner / inners * LANES, to = MIN(vectors * (inner + 1) / inners * LANES, op->inner);
  for (int64_t o = op->outer * outer / outers; o < op->outer * (outer + 1) / outers; o++) {
    if (op->kind == REDUCE_SUM) reduce_vectors(op, o, from, to, REDUCE_SUM);
    else if (op->kind == REDUCE_PRODUCT) reduce_vectors(op, o, from, to, REDUCE_PRODUCT);
    else reduce_vectors(op, o, from, to, REDUCE_MAX);
  }
}

static void reduce(ThreadPool *workers, const Reduce *op) {
  thread_pool_run(workers, outer_parts(op) * inner_parts(op), reduce_some, op, 0,
           PASS_NANOSECONDS((double)op->outer * op->middle * op->inner));
}

static int scan_parts(const Scan *op) { return MIN(op->outer, PARTS); }

static void scan_some(const void *argument, int task, float *scratch) {
  (void)scratch;
  const Scan *op = argument;
  int parts = scan_parts(op);
  int64_t inner = op->inner, step = op->reverse ? -inner : inner;
  for (int64_t o = op->outer * task / parts; o < op->outer * (task + 1) / parts; o++)
    for (int64_t i = 0; i < inner; i += LANES) {
      int64_t at = (o * op->middle + (op->reverse ? op->middle - 1 : 0)) * inner + i, left = inner - i;
      /* In double each sum is rounded once. */
      double sums[LANES] = {0};
      for (int64_t m = 0; m < op->middle; m++, at += step)
        for (int l = 0; l < MIN(left, LANES); l++) {
          double sum = sums[l] + op->x[at + l];
          op->y[at + l] = op->exclusive ? sums[l] : sum;
          sums[l] = sum;
        }
    }
}

static void cumulative_sum(ThreadPool *workers, const Scan *op) {
  thread_pool_run(workers, scan_parts(op), scan_some, op, 0, 8 * PASS_NANOSECONDS((double)op->outer * op->middle * op->inner));
}
