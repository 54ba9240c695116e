/* A program: the operations of one training step, decoded once and run in order. */
#include "program.h"
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "opcodes.h"

typedef struct {
  int kind;
  /* Of the last run. */
  uint64_t nanoseconds;
  union {
    Gemm gemm;
    Convolution convolution;
    InputGradient input_gradient;
    FilterGradient filter_gradient;
    Depthwise depthwise;
    Pooling pooling;
    Fused fused;
    Softmax softmax;
    Reduce reduce;
    Move move;
    Rows rows;
  };
} Operation;

struct Program {
  const Kernels *kernels;
  Team *team;
  int count;
  Operation *operations;
  Step *steps;
};

typedef struct {
  const int32_t *at;
  float *const *buffers;
} Reader;

static int next(Reader *r) { return *r->at++; }
static float number(Reader *r) {
  float x;
  memcpy(&x, r->at++, sizeof x);
  return x;
}
/* Two words: the buffer (or -1 for none) and the offset in floats. */
static float *tensor(Reader *r) {
  int buffer = next(r), offset = next(r);
  return buffer < 0 ? NULL : r->buffers[buffer] + offset;
}
static Geometry geometry(Reader *r) {
  Geometry g;
  int *fields = (int *)&g;
  for (unsigned i = 0; i < sizeof g / sizeof(int); i++) fields[i] = next(r);
  return g;
}
static Pool pool(Reader *r) {
  Pool p;
  int *fields = (int *)&p;
  for (unsigned i = 0; i < sizeof p / sizeof(int); i++) fields[i] = next(r);
  return p;
}

static int decode(Reader *r, Operation *op, Step **steps) {
  op->kind = next(r);
  switch (op->kind) {
    case PROGRAM_GEMM: {
      Gemm *g = &op->gemm;
      g->a = tensor(r), g->b = tensor(r), g->bias = tensor(r), g->c = tensor(r);
      g->m = next(r), g->n = next(r), g->k = next(r);
      g->transpose_a = next(r), g->transpose_b = next(r), g->relu = next(r);
      return 1;
    }
    case PROGRAM_CONVOLUTION:
    case PROGRAM_WINOGRAD: {
      Convolution *c = &op->convolution;
      c->g = geometry(r);
      c->x = tensor(r), c->filter = tensor(r), c->bias = tensor(r), c->y = tensor(r);
      c->relu = next(r), c->pooled = next(r), c->pool = pool(r), c->index = (uint8_t *)tensor(r);
      c->places = tensor(r);
      return 1;
    }
    case PROGRAM_INPUT_GRADIENT:
    case PROGRAM_WINOGRAD_INPUT_GRADIENT: {
      InputGradient *g = &op->input_gradient;
      g->g = geometry(r);
      g->dy = tensor(r), g->filter = tensor(r), g->dx = tensor(r), g->packed = tensor(r), g->places = tensor(r);
      return 1;
    }
    case PROGRAM_FILTER_GRADIENT:
    case PROGRAM_WINOGRAD_FILTER_GRADIENT: {
      FilterGradient *g = &op->filter_gradient;
      g->g = geometry(r);
      g->x = tensor(r), g->dy = tensor(r), g->dw = tensor(r), g->db = tensor(r), g->partial = tensor(r);
      g->pooled = next(r), g->pool = pool(r), g->index = (uint8_t *)tensor(r);
      return 1;
    }
    case PROGRAM_MAX_POOL:
    case PROGRAM_MAX_POOL_GRADIENT:
    case PROGRAM_AVERAGE_POOL:
    case PROGRAM_AVERAGE_POOL_GRADIENT: {
      Pooling *p = &op->pooling;
      p->x = tensor(r), p->y = tensor(r), p->index = (uint8_t *)tensor(r);
      p->batch = next(r), p->h = next(r), p->w = next(r), p->c = next(r), p->pool = pool(r), p->top = next(r), p->left = next(r);
      return 1;
    }
    case PROGRAM_FUSED: {
      Fused *f = &op->fused;
      f->rows = next(r), f->columns = next(r), f->count = next(r), f->partial = tensor(r);
      f->steps = *steps;
      for (int i = 0; i < f->count; i++) {
        Step *s = (*steps)++;
        s->op = next(r), s->out = next(r), s->a = next(r), s->b = next(r);
        if (s->op <= OP_LOAD_SCALAR || s->op == OP_STORE || s->op == OP_SUM_COLUMNS) s->in = tensor(r);
        else s->range[0] = number(r), s->range[1] = number(r);
      }
      return 1;
    }
    case PROGRAM_SOFTMAX: {
      Softmax *m = &op->softmax;
      m->x = tensor(r), m->y = tensor(r), m->rows = next(r), m->columns = next(r), m->logarithm = next(r);
      return 1;
    }
    case PROGRAM_REDUCE: {
      Reduce *d = &op->reduce;
      d->x = tensor(r), d->y = tensor(r), d->outer = next(r), d->middle = next(r), d->inner = next(r);
      d->max = next(r), d->scale = number(r);
      return 1;
    }
    case PROGRAM_DEPTHWISE:
    case PROGRAM_DEPTHWISE_INPUT_GRADIENT:
    case PROGRAM_DEPTHWISE_FILTER_GRADIENT: {
      Depthwise *d = &op->depthwise;
      d->g = geometry(r);
      d->x = tensor(r), d->filter = tensor(r), d->dy = tensor(r);
      d->y = tensor(r), d->dx = tensor(r), d->dw = tensor(r), d->partial = tensor(r);
      return 1;
    }
    case PROGRAM_GATHER:
    case PROGRAM_SEGMENT_SUM: {
      Rows *w = &op->rows;
      w->x = tensor(r), w->ids = tensor(r), w->y = tensor(r), w->rows = next(r), w->columns = next(r), w->limit = next(r);
      return 1;
    }
    case PROGRAM_MOVE: {
      Move *m = &op->move;
      m->x = tensor(r), m->y = tensor(r), m->fill = next(r), m->value = number(r);
      int *fields[] = {m->shape, m->in, m->out};
      for (int i = 0; i < 3 * MOVE_RANK; i++) fields[i / MOVE_RANK][i % MOVE_RANK] = next(r);
      return 1;
    }
  }
  return 0;
}

Program *program_create(float *const *buffers, const int32_t *code, int length, int threads,
                        const Kernels *kernels) {
  Program *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  /* Words bound both counts. */
  p->operations = calloc(length / 2 + 1, sizeof(Operation));
  p->steps = calloc(length / 6 + 1, sizeof(Step));
  p->team = team_create(threads);
  p->kernels = kernels;
  Step *steps = p->steps;
  Reader r = {code, buffers};
  int good = p->operations && p->steps && p->team;
  while (good && r.at < code + length) good = decode(&r, &p->operations[p->count++], &steps);
  if (good) return p;
  program_free(p);
  return NULL;
}

static void run(const Kernels *k, Team *team, const Operation *op) {
  switch (op->kind) {
    case PROGRAM_GEMM: k->gemm(team, &op->gemm); break;
    case PROGRAM_CONVOLUTION: k->convolution(team, &op->convolution); break;
    case PROGRAM_INPUT_GRADIENT: k->input_gradient(team, &op->input_gradient); break;
    case PROGRAM_FILTER_GRADIENT: k->filter_gradient(team, &op->filter_gradient); break;
    case PROGRAM_WINOGRAD: k->winograd(team, &op->convolution); break;
    case PROGRAM_WINOGRAD_INPUT_GRADIENT: k->winograd_input_gradient(team, &op->input_gradient); break;
    case PROGRAM_WINOGRAD_FILTER_GRADIENT: k->winograd_filter_gradient(team, &op->filter_gradient); break;
    case PROGRAM_DEPTHWISE: k->depthwise(team, &op->depthwise); break;
    case PROGRAM_DEPTHWISE_INPUT_GRADIENT: k->depthwise_input_gradient(team, &op->depthwise); break;
    case PROGRAM_DEPTHWISE_FILTER_GRADIENT: k->depthwise_filter_gradient(team, &op->depthwise); break;
    case PROGRAM_MAX_POOL: k->max_pool(team, &op->pooling); break;
    case PROGRAM_MAX_POOL_GRADIENT: k->max_pool_gradient(team, &op->pooling); break;
    case PROGRAM_AVERAGE_POOL: k->average_pool(team, &op->pooling); break;
    case PROGRAM_AVERAGE_POOL_GRADIENT: k->average_pool_gradient(team, &op->pooling); break;
    case PROGRAM_FUSED: k->fused(team, &op->fused); break;
    case PROGRAM_SOFTMAX: k->softmax(team, &op->softmax); break;
    case PROGRAM_REDUCE: k->reduce(team, &op->reduce); break;
    case PROGRAM_MOVE: k->move(team, &op->move); break;
    case PROGRAM_GATHER: k->gather(team, &op->rows); break;
    case PROGRAM_SEGMENT_SUM: k->segment_sum(team, &op->rows); break;
  }
}

int program_run(Program *p) {
  uint64_t before = uv_hrtime();
  for (int i = 0; i < p->count; i++) {
    run(p->kernels, p->team, &p->operations[i]);
    uint64_t after = uv_hrtime();
    p->operations[i].nanoseconds = after - before;
    before = after;
  }
  return team_failed(p->team);
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
  long at = (long)task * UPDATE_TASK;
  job->kernel(u->w + at, u->v + at, u->g + at, u->target ? u->target + at : NULL, u->keep ? u->keep + at : NULL,
              MIN(UPDATE_TASK, u->n - at), u->eta, u->momentum, u->decay, u->mu, u->nesterov);
}

void program_update(Program *p, const LcUpdate *update) {
  UpdateJob job = {update, p->kernels->update};
  team_run(p->team, (update->n + UPDATE_TASK - 1) / UPDATE_TASK, update_task, &job, 0, PASS_NANOSECONDS(4.0 * update->n));
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
    for (long j = 0; j < copy->width; j += 16) __builtin_prefetch(next + j);
    memcpy(copy->out + i * copy->width, copy->rows + copy->width * copy->indices[i], copy->width * sizeof(float));
  }
}

void program_copy(Program *p, const LcCopy *copy) {
  team_run(p->team, (copy->count + COPY_TASK - 1) / COPY_TASK, copy_task, copy, 0, PASS_NANOSECONDS(2.0 * copy->count * copy->width));
}

int program_size(const Program *p) { return p->count; }

double program_seconds(const Program *p, int operation) { return 1e-9 * p->operations[operation].nanoseconds; }

void program_free(Program *p) {
  if (!p) return;
  if (p->team) team_free(p->team);
  free(p->operations);
  free(p->steps);
  free(p);
}
