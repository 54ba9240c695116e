/* A program: the operations of one training step, decoded once and run in order. */
#include "program/program.h"
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "program/sentinels.h"

struct Program {
  const Kernels *kernels;
  ThreadPool *workers;
  Memory memory;
  int count;
  Operation *operations;
  Step *steps;
};

/* Copies, so that nobody changes them later. */
static int keep_memory(Memory *to, const Memory *from) {
  float **buffers = malloc((from->count + 1) * sizeof *buffers);
  int64_t *sizes = malloc((from->count + 1) * sizeof *sizes);
  to->buffers = buffers, to->sizes = sizes, to->count = from->count;
  if (!buffers || !sizes) return 0;
  for (int i = 0; i < from->count; i++) buffers[i] = from->buffers[i], sizes[i] = from->sizes[i];
  return 1;
}

static const char *decode_all(Program *p, const int32_t *code, int64_t length) {
  const int32_t *at = code, *end = code + length;
  Step *steps = p->steps;
  while (at < end) {
    const char *wrong = operation_decode(&p->memory, &at, end, &steps, &p->operations[p->count]);
    if (wrong) return wrong;
    p->count++;
  }
  return NULL;
}

Program *program_create(const Memory *memory, const int32_t *code, int64_t length, int threads, const Kernels *kernels,
                        Refusal *refusal) {
  *refusal = (Refusal){"out of memory", -1};
  Program *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->operations = calloc(length / OPERATION_WORDS + 1, sizeof(Operation));
  p->steps = calloc(length / STEP_WORDS + 1, sizeof(Step));
  p->kernels = kernels;
  if (p->operations && p->steps && keep_memory(&p->memory, memory)) {
    refusal->reason = decode_all(p, code, length);
    if (refusal->reason) refusal->operation = p->count;
    else if ((p->workers = thread_pool_create(threads))) return p;
    else refusal->reason = "out of memory";
  }
  program_free(p);
  return NULL;
}

static void run(const Kernels *k, ThreadPool *workers, const Operation *op) {
  switch (op->kind) {
    case PROGRAM_GEMM: k->gemm(workers, &op->gemm); break;
    case PROGRAM_CONVOLUTION: k->convolution(workers, &op->convolution); break;
    case PROGRAM_INPUT_GRADIENT: k->input_gradient(workers, &op->input_gradient); break;
    case PROGRAM_FILTER_GRADIENT: k->filter_gradient(workers, &op->filter_gradient); break;
    case PROGRAM_WINOGRAD: k->winograd(workers, &op->convolution); break;
    case PROGRAM_WINOGRAD_INPUT_GRADIENT: k->winograd_input_gradient(workers, &op->input_gradient); break;
    case PROGRAM_WINOGRAD_FILTER_GRADIENT: k->winograd_filter_gradient(workers, &op->filter_gradient); break;
    case PROGRAM_DEPTHWISE: k->depthwise(workers, &op->depthwise); break;
    case PROGRAM_DEPTHWISE_INPUT_GRADIENT: k->depthwise_input_gradient(workers, &op->depthwise); break;
    case PROGRAM_DEPTHWISE_FILTER_GRADIENT: k->depthwise_filter_gradient(workers, &op->depthwise); break;
    case PROGRAM_MAX_POOL: k->max_pool(workers, &op->pooling); break;
    case PROGRAM_MAX_POOL_GRADIENT: k->max_pool_gradient(workers, &op->pooling); break;
    case PROGRAM_AVERAGE_POOL: k->average_pool(workers, &op->pooling); break;
    case PROGRAM_AVERAGE_POOL_GRADIENT: k->average_pool_gradient(workers, &op->pooling); break;
    case PROGRAM_FUSED: k->fused(workers, &op->fused); break;
    case PROGRAM_REDUCE: k->reduce(workers, &op->reduce); break;
    case PROGRAM_CUMULATIVE_SUM: k->cumulative_sum(workers, &op->scan); break;
    case PROGRAM_MOVE: k->move(workers, &op->move); break;
    case PROGRAM_GATHER: k->gather(workers, &op->rows); break;
    case PROGRAM_SEGMENT_SUM: k->segment_sum(workers, &op->rows); break;
  }
}

int program_run(Program *p) {
  uint64_t before = uv_hrtime();
  for (int i = 0; i < p->count; i++) {
    sentinels_set(&p->memory, &p->operations[i]);
    run(p->kernels, p->workers, &p->operations[i]);
    sentinels_clear(&p->memory);
    uint64_t after = uv_hrtime();
    p->operations[i].nanoseconds = after - before;
    before = after;
  }
  return thread_pool_failed(p->workers);
}

/* Weights of one task. */
#define UPDATE_TASK 8192

typedef struct {
  const LcUpdate *update;
  Update kernel;
} UpdateJob;

static void update_task(const void *argument, int task, float *scratch) {
  (void)scratch;
  const UpdateJob *job = argument;
  const LcUpdate *u = job->update;
  int64_t at = (int64_t)task * UPDATE_TASK;
  job->kernel(u->w + at, u->v + at, u->g + at, u->target ? u->target + at : NULL, u->keep ? u->keep + at : NULL,
              MIN(UPDATE_TASK, u->n - at), u->eta, u->momentum, u->decay, u->mu, u->nesterov);
}

void program_update(Program *p, const LcUpdate *update) {
  UpdateJob job = {update, p->kernels->update};
  thread_pool_run(p->workers, (update->n + UPDATE_TASK - 1) / UPDATE_TASK, update_task, &job, 0,
           PASS_NANOSECONDS(4.0 * update->n));
}

/* Rows of one task. */
#define COPY_TASK 16

static void copy_task(const void *argument, int task, float *scratch) {
  (void)scratch;
  const LcCopy *copy = argument;
  int end = MIN((task + 1) * COPY_TASK, copy->count);
  for (int i = task * COPY_TASK; i < end; i++) {
    /* The row after the next comes from main memory while this one is copied. */
    const float *next = copy->rows + copy->width * copy->indices[MIN(i + 2, end - 1)];
    for (int64_t j = 0; j < copy->width; j += 16) __builtin_prefetch(next + j);
    memcpy(copy->out + i * copy->width, copy->rows + copy->width * copy->indices[i], copy->width * sizeof(float));
  }
}

void program_copy(Program *p, const LcCopy *copy) {
  thread_pool_run(p->workers, (copy->count + COPY_TASK - 1) / COPY_TASK, copy_task, copy, 0,
           PASS_NANOSECONDS(2.0 * copy->count * copy->width));
}

int program_size(const Program *p) { return p->count; }

double program_seconds(const Program *p, int operation) { return 1e-9 * p->operations[operation].nanoseconds; }

void program_free(Program *p) {
  if (!p) return;
  if (p->workers) thread_pool_free(p->workers);
  free(p->operations);
  free(p->steps);
  free((void *)p->memory.buffers);
  free((void *)p->memory.sizes);
  free(p);
}
