/* Copies between tensors of any strides: transposes, slices, joins, padding, repetition; and of rows by number. */
#include <string.h>
#include "runtime.h"

static void move_rows(const Move *op, int axis, const float *x, float *y) {
  int64_t n = op->shape[axis], in = op->in[axis], out = op->out[axis];
  if (axis < MOVE_RANK - 1)
    for (int64_t i = 0; i < n; i++) move_rows(op, axis + 1, x + i * in, y + i * out);
  else if (in == 1 && out == 1) memcpy(y, x, n * sizeof(float));
  else
    for (int64_t i = 0; i < n; i++) y[i * out] = x[i * in];
}

/* A place on the first two axes. */
static void move_task(const void *argument, int task, float *scratch) {
  (void)scratch;
  const Move *op = argument;
  int64_t i = task / op->shape[1], j = task % op->shape[1];
  move_rows(op, 2, op->x + i * op->in[0] + j * op->in[1], op->y + i * op->out[0] + j * op->out[1]);
}

static void move(ThreadPool *workers, const Move *op) {
  double floats = 1;
  for (int axis = 0; axis < MOVE_RANK; axis++) floats *= op->shape[axis];
  for (int64_t i = 0; i < op->fill; i++) op->y[i] = op->value;
  thread_pool_run(workers, op->shape[0] * op->shape[1], move_task, op, 0, PASS_NANOSECONDS(floats));
}

/* Rows of one task of a look-up. */
#define GATHER_ROWS 64

/* An index out of range yields NaN, which surfaces in the loss. */
static void gather_rows(const void *argument, int task, float *scratch) {
  (void)scratch;
  const Rows *op = argument;
  const int64_t c = op->columns, end = MIN((task + INT64_C(1)) * GATHER_ROWS, (int64_t)op->outer * op->rows);
  for (int64_t at = (int64_t)task * GATHER_ROWS; at < end; at++) {
    const float *table = op->x + at / op->rows * op->limit * c, id = op->ids[at % op->rows];
    if (id >= 0 && id < op->limit) memcpy(op->y + at * c, table + (int64_t)id * c, c * sizeof(float));
    else
      for (int64_t j = 0; j < c; j++) op->y[at * c + j] = __builtin_nanf("");
  }
}

static void gather(ThreadPool *workers, const Rows *op) {
  double rows = (double)op->outer * op->rows;
  thread_pool_run(workers, (rows + GATHER_ROWS - 1) / GATHER_ROWS, gather_rows, op, 0, PASS_NANOSECONDS(2 * rows * op->columns));
}

/* Each task sums into rows, or columns, of its own, in the order of the numbers. */
static int row_parts(const Rows *op) { return MIN(op->limit, PARTS); }
static int column_parts(const Rows *op) { return MIN(MAX(op->columns / 16, 1), PARTS / row_parts(op)); }

static void sum_segments(const void *argument, int task, float *scratch) {
  (void)scratch;
  const Rows *op = argument;
  const int64_t c = op->columns, parts = column_parts(op), row = task / parts, column = task % parts;
  const int64_t low = (int64_t)op->limit * row / row_parts(op), high = (int64_t)op->limit * (row + 1) / row_parts(op);
  const int64_t from = c * column / parts, to = c * (column + 1) / parts;
  if (parts == 1) memset(op->y + low * c, 0, (high - low) * c * sizeof(float));
  else
    for (int64_t id = low; id < high; id++) memset(op->y + id * c + from, 0, (to - from) * sizeof(float));
  for (int64_t i = 0; i < op->rows; i++) {
    float id = op->ids[i];
    if (!(id >= low && id < high)) continue;
    float *y = op->y + (int64_t)id * c;
    const float *x = op->x + i * c;
    for (int64_t j = from; j < to; j++) y[j] += x[j];
  }
}

static void segment_sum(ThreadPool *workers, const Rows *op) {
  thread_pool_run(workers, row_parts(op) * column_parts(op), sum_segments, op, 0,
           PASS_NANOSECONDS(((double)op->limit + op->rows) * op->columns));
}
