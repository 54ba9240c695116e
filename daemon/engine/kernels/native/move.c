/* Copies between tensors of any strides: transposes, slices, joins, padding, repetition; and of rows by number. */
#include <string.h>
#include "runtime.h"

static void move_rows(const Move *op, int axis, const float *x, float *y) {
  long n = op->shape[axis], in = op->in[axis], out = op->out[axis];
  if (axis < MOVE_RANK - 1)
    for (long i = 0; i < n; i++) move_rows(op, axis + 1, x + i * in, y + i * out);
  else if (in == 1 && out == 1) memcpy(y, x, n * sizeof(float));
  else
    for (long i = 0; i < n; i++) y[i * out] = x[i * in];
}

/* A place on the first two axes. */
static void move_task(const void *argument, int task, float *scratch) {
  (void)scratch;
  const Move *op = argument;
  long i = task / op->shape[1], j = task % op->shape[1];
  move_rows(op, 2, op->x + i * op->in[0] + j * op->in[1], op->y + i * op->out[0] + j * op->out[1]);
}

static void move(ThreadPool *workers, const Move *op) {
  double floats = 1;
  for (int axis = 0; axis < MOVE_RANK; axis++) floats *= op->shape[axis];
  for (long i = 0; i < op->fill; i++) op->y[i] = op->value;
  thread_pool_run(workers, op->shape[0] * op->shape[1], move_task, op, 0, PASS_NANOSECONDS(floats));
}

/* An index out of range yields NaN, which surfaces in the loss. */
static void gather(ThreadPool *workers, const Rows *op) {
  (void)workers;
  long c = op->columns;
  for (long i = 0; i < op->rows; i++) {
    float id = op->ids[i];
    if (id >= 0 && id < op->limit) memcpy(op->y + i * c, op->x + (long)id * c, c * sizeof(float));
    else
      for (long j = 0; j < c; j++) op->y[i * c + j] = __builtin_nanf("");
  }
}

static void segment_sum(ThreadPool *workers, const Rows *op) {
  (void)workers;
  long c = op->columns;
  memset(op->y, 0, op->limit * c * sizeof(float));
  for (long i = 0; i < op->rows; i++) {
    float id = op->ids[i];
    if (!(id >= 0 && id < op->limit)) continue;
    float *y = op->y + (long)id * c;
    for (long j = 0; j < c; j++) y[j] += op->x[i * c + j];
  }
}
