/* What each operation's words mean, and what must hold for them: kernels trust what an Operation says. */
#include "program/decode.h"

/*
 * Matrices of rows x columns, one for each place on the leading axes: the floats from the first to the last. 0 and a
 * fault where they are too many.
 */
static int64_t batch_floats(Reader *r, const GemmWords *w, const int *strides, int64_t rows, int64_t columns,
                            int64_t row) {
  int64_t floats = SIZE(rows, columns);
  if (row < columns) fault(r, "the rows of a matrix overlap");
  if (r->wrong) return 0;
  floats = (rows - 1) * row + columns;
  for (int axis = 0; axis < LEAD_RANK && floats <= MOST_FLOATS; axis++) {
    if (strides[axis] < 0) fault(r, "a size is out of range");
    floats += (w->lead[axis] - INT64_C(1)) * strides[axis];
  }
  if (floats > MOST_FLOATS) fault(r, "a size is out of range");
  return r->wrong ? 0 : floats;
}

static void decode_gemm(Reader *r, Gemm *g) {
  const GemmWords w = read_gemm(r);
  g->m = w.m, g->n = w.n, g->k = w.k;
  g->row_a = w.row_a, g->row_b = w.row_b, g->row_c = w.row_c;
  g->transpose_a = w.transpose_a, g->transpose_b = w.transpose_b, g->relu = w.relu;
  int64_t products = 1;
  for (int axis = 0; axis < LEAD_RANK; axis++) {
    g->lead[axis] = w.lead[axis];
    g->lead_a[axis] = w.lead_a[axis], g->lead_b[axis] = w.lead_b[axis], g->lead_c[axis] = w.lead_c[axis];
    products = SIZE(products, w.lead[axis]);
  }
  /* Tasks are counted in an int. */
  SIZE(products, w.m, w.n);
  if (r->wrong) return;
  const int a = w.transpose_a, b = w.transpose_b;
  const int64_t floats_a = batch_floats(r, &w, w.lead_a, a ? w.k : w.m, a ? w.m : w.k, w.row_a);
  const int64_t floats_b = batch_floats(r, &w, w.lead_b, b ? w.n : w.k, b ? w.k : w.n, w.row_b);
  const int64_t floats_c = batch_floats(r, &w, w.lead_c, w.m, w.n, w.row_c);
  g->a = reads(r, w.a, floats_a), g->b = reads(r, w.b, floats_b);
  g->bias = may_read(r, w.bias, SIZE(g->n)), g->c = writes(r, w.c, floats_c);
}

static void decode_reduce(Reader *r, Reduce *d) {
  const ReduceWords w = read_reduce(r);
  d->outer = w.outer, d->middle = w.middle, d->inner = w.inner, d->kind = w.kind, d->scale = w.scale;
  if (w.kind < REDUCE_SUM || w.kind > REDUCE_PRODUCT) fault(r, "there is no such reduction");
  d->x = reads(r, w.x, SIZE(w.outer, w.middle, w.inner)), d->y = writes(r, w.y, SIZE(w.outer, w.inner));
}

static void decode_scan(Reader *r, Scan *s) {
  const ScanWords w = read_scan(r);
  s->outer = w.outer, s->middle = w.middle, s->inner = w.inner, s->exclusive = w.exclusive, s->reverse = w.reverse;
  const int64_t floats = SIZE(w.outer, w.middle, w.inner);
  s->x = reads(r, w.x, floats), s->y = writes(r, w.y, floats);
}

static void decode_rows(Reader *r, Rows *o, int kind) {
  const RowsWords w = read_rows(r);
  const int gathers = kind == PROGRAM_GATHER;
  o->outer = w.outer, o->rows = w.rows, o->columns = w.columns, o->limit = w.limit;
  if (!gathers && w.outer != 1) fault(r, "sums of rows are of one table");
  const int64_t rows = SIZE(w.outer, w.rows, w.columns), table = SIZE(w.outer, w.limit, w.columns);
  if (w.limit > MOST_ROWS) fault(r, "a table has more rows than a float can number");
  o->x = reads(r, w.x, gathers ? table : rows), o->ids = reads(r, w.ids, SIZE(w.rows));
  o->y = writes(r, w.y, gathers ? rows : table);
}

/* One side of a copy: the floats between the lowest and the highest place that it touches. */
static void copied(Reader *r, Span s, const int *shape, const int *strides, int written) {
  int64_t low = 0, high = 0;
  for (int axis = 0; axis < MOVE_RANK && !r->wrong; axis++) {
    int64_t last = (shape[axis] - INT64_C(1)) * strides[axis];
    if (last < 0) low += last;
    else high += last;
  }
  if (r->wrong) return;
  if (!s.at) fault(r, "an operand is missing");
  else if (-low > s.before || high >= s.after) fault(r, "an operand reaches outside its buffer");
  else touch(r, s.at + low, high - low + 1, written);
}

static void decode_move(Reader *r, Move *m) {
  const MoveWords w = read_move(r);
  m->fill = w.fill, m->value = w.value;
  int64_t floats = 1;
  for (int i = 0; i < MOVE_RANK; i++) {
    m->shape[i] = w.shape[i], m->in[i] = w.in[i], m->out[i] = w.out[i];
    /* 0: only the fill. */
    if (m->shape[i] < 0 || m->shape[i] > MOST_FLOATS / MAX(floats, 1)) {
      fault(r, "a size is out of range");
      return;
    }
    floats *= m->shape[i];
  }
  m->x = w.x.at, m->y = w.y.at;
  if (m->fill < 0) fault(r, "a size is out of range");
  if (m->fill > 0 && floats > 0) fault(r, "a copy has a fill, too");
  if (m->fill > 0) writes(r, w.y, m->fill);
  if (floats > 0) copied(r, w.y, m->shape, m->out, 1), copied(r, w.x, m->shape, m->in, 0);
}

const char *operation_decode(const Memory *memory, const int32_t **at, const int32_t *end, Step **steps,
                             Operation *op) {
  Reader reader = {memory, *at, end, op, NULL}, *r = &reader;
  op->operand_count = 0;
  switch (op->kind = next(r)) {
    case PROGRAM_GEMM: decode_gemm(r, &op->gemm); break;
    case PROGRAM_CONVOLUTION: decode_convolution(r, &op->convolution, 0); break;
    case PROGRAM_WINOGRAD: decode_convolution(r, &op->convolution, 1); break;
    case PROGRAM_INPUT_GRADIENT: decode_input_gradient(r, &op->input_gradient, 0); break;
    case PROGRAM_WINOGRAD_INPUT_GRADIENT: decode_input_gradient(r, &op->input_gradient, 1); break;
    case PROGRAM_FILTER_GRADIENT: decode_filter_gradient(r, &op->filter_gradient, 0); break;
    case PROGRAM_WINOGRAD_FILTER_GRADIENT: decode_filter_gradient(r, &op->filter_gradient, 1); break;
    case PROGRAM_DEPTHWISE:
    case PROGRAM_DEPTHWISE_INPUT_GRADIENT:
    case PROGRAM_DEPTHWISE_FILTER_GRADIENT: decode_depthwise(r, &op->depthwise, op->kind); break;
    case PROGRAM_MAX_POOL:
    case PROGRAM_MAX_POOL_GRADIENT:
    case PROGRAM_AVERAGE_POOL:
    case PROGRAM_AVERAGE_POOL_GRADIENT: decode_pooling(r, &op->pooling, op->kind); break;
    case PROGRAM_FUSED: decode_fused(r, &op->fused, steps); break;
    case PROGRAM_REDUCE: decode_reduce(r, &op->reduce); break;
    case PROGRAM_CUMULATIVE_SUM: decode_scan(r, &op->scan); break;
    case PROGRAM_GATHER:
    case PROGRAM_SEGMENT_SUM: decode_rows(r, &op->rows, op->kind); break;
    case PROGRAM_MOVE: decode_move(r, &op->move); break;
    default: fault(r, "there is no such operation");
  }
  *at = r->at;
  return r->wrong;
}
