/* What each operation's words mean, and what must hold for them: kernels trust what an Operation says. */
#include "geometry.h"
#include "opcodes.h"
#include "reader.h"

/* Windows of `window` pixels, `step` apart, along a side: the first and the last have a pixel inside it. */
static void check_windows(Reader *r, int64_t side, int64_t window, int64_t step, int64_t before, int64_t count) {
  SIDES(side), SIDES(window), SIDES(step), SIDES(count);
  if (before < 0 || before >= window) fault(r, "a window lies outside its image");
  if ((count - 1) * step - before >= side) fault(r, "a window lies outside its image");
}

static Geometry geometry(Reader *r) {
  Geometry g;
  g.batch = next(r), g.h = next(r), g.w = next(r), g.c = next(r), g.oh = next(r), g.ow = next(r), g.f = next(r);
  g.kh = next(r), g.kw = next(r), g.sh = next(r), g.sw = next(r), g.top = next(r), g.left = next(r);
  g.dh = next(r), g.dw = next(r);
  SIDES(g.kh, g.dh), SIDES(g.kw, g.dw);
  if (r->wrong) return g;
  check_windows(r, g.h, (g.kh - 1L) * g.dh + 1, g.sh, g.top, g.oh);
  check_windows(r, g.w, (g.kw - 1L) * g.dw + 1, g.sw, g.left, g.ow);
  SIDES((g.oh - 1L) * g.sh + (g.kh - 1L) * g.dh + 1), SIDES((g.ow - 1L) * g.sw + (g.kw - 1L) * g.dw + 1);
  SIDES(g.h + (int64_t)g.top), SIDES(g.w + (int64_t)g.left);
  return g;
}

/* An image of so many channels with its padding. */
static void check_padded(Reader *r, const Geometry *g, int64_t channels) {
  if (r->wrong) return;
  Padded p = padded_sides(g);
  SIZE(p.h, p.w, channels);
}

/* Winograd's tiles hang over the edge by less than a tile. */
static void check_tiles(Reader *r, const Geometry *g) {
  /* Sizes that are out of range must not be added to. */
  if (r->wrong) return;
  if (g->kh != g->kw || (g->kh != 3 && g->kh != 5)) fault(r, "no tile has such a filter");
  else if (g->sh != 1 || g->sw != 1 || g->dh != 1 || g->dw != 1) fault(r, "tiles are neither strided nor dilated");
  Geometry wide = *g;
  wide.oh += SIDE, wide.ow += SIDE;
  check_padded(r, &wide, g->c);
}

static int64_t image_floats(Reader *r, const Geometry *g) { return SIZE(g->batch, g->h, g->w, g->c); }
static int64_t result_floats(Reader *r, const Geometry *g) { return SIZE(g->batch, g->oh, g->ow, g->f); }
static int64_t filter_floats(Reader *r, const Geometry *g) { return SIZE(g->kh, g->kw, g->c, g->f); }
static int64_t places_floats(Reader *r, int64_t rows, int64_t columns) {
  return SIZE(rows, padded_columns(columns)) ? SIZE(PLACES, filter_place(rows, columns)) : 0;
}

static Pool pool(Reader *r) {
  Pool p;
  p.ph = next(r), p.pw = next(r), p.sh = next(r), p.sw = next(r), p.oh = next(r), p.ow = next(r);
  return p;
}

static int64_t index_floats(Reader *r, const Pool *p, int64_t batch, int64_t c) {
  int64_t outputs = SIZE(batch, p->oh, p->ow, c);
  return wide_places(p) ? outputs : (outputs + 3) / 4;
}

/* Pooling of an image of h x w. */
static void check_pool(Reader *r, const Pool *p, int64_t h, int64_t w, int64_t top, int64_t left) {
  check_windows(r, h, p->ph, p->sh, top, p->oh);
  check_windows(r, w, p->pw, p->sw, left, p->ow);
  SIZE(p->ph, p->pw);
}

/* Pooling of a convolution's results where they arise: every window lies inside. */
static void check_fused_pool(Reader *r, const Pool *p, const Geometry *g) {
  check_pool(r, p, g->oh, g->ow, 0, 0);
  if (r->wrong) return;
  if ((p->oh - 1L) * p->sh + p->ph > g->oh || (p->ow - 1L) * p->sw + p->pw > g->ow)
    fault(r, "a window lies outside its image");
}

static void decode_gemm(Reader *r, Gemm *g) {
  Span a = span(r), b = span(r), bias = span(r), c = span(r);
  g->m = next(r), g->n = next(r), g->k = next(r);
  g->transpose_a = next(r), g->transpose_b = next(r), g->relu = next(r);
  g->a = reads(r, a, SIZE(g->m, g->k)), g->b = reads(r, b, SIZE(g->k, g->n));
  g->bias = may_read(r, bias, SIZE(g->n)), g->c = writes(r, c, SIZE(g->m, g->n));
}

static void decode_convolution(Reader *r, Convolution *c, int tiled) {
  c->g = geometry(r);
  Span x = span(r), filter = span(r), bias = span(r), y = span(r);
  c->relu = next(r), c->pooled = next(r), c->pool = pool(r);
  Span index = span(r), places = span(r);
  check_padded(r, &c->g, c->g.c);
  if (tiled) check_tiles(r, &c->g);
  if (c->pooled) check_fused_pool(r, &c->pool, &c->g);
  c->x = reads(r, x, image_floats(r, &c->g)), c->filter = reads(r, filter, filter_floats(r, &c->g));
  c->bias = may_read(r, bias, SIZE(c->g.f));
  const int64_t results = result_floats(r, &c->g);
  c->y = writes(r, y, c->pooled ? SIZE(c->g.batch, c->pool.oh, c->pool.ow, c->g.f) : results);
  c->index = c->pooled ? (uint8_t *)writes(r, index, index_floats(r, &c->pool, c->g.batch, c->g.f)) : NULL;
  c->places = tiled ? writes(r, places, places_floats(r, c->g.c, c->g.f)) : NULL;
}

static void decode_input_gradient(Reader *r, InputGradient *d, int tiled) {
  d->g = geometry(r);
  const Geometry *g = &d->g;
  Span dy = span(r), filter = span(r), dx = span(r), packed = span(r), places = span(r);
  check_padded(r, g, g->c);
  if (tiled) check_tiles(r, g);
  if ((g->dh > 1 || g->dw > 1) && (g->sh > 1 || g->sw > 1)) fault(r, "an input gradient is both strided and dilated");
  if (!r->wrong && g->sh == 1 && g->sw == 1) {
    Geometry turned = turned_geometry(g);
    SIDES(g->h + (g->kh - 1L) * g->dh), SIDES(g->w + (g->kw - 1L) * g->dw);
    check_padded(r, &turned, g->f);
  }
  d->dy = reads(r, dy, result_floats(r, g)), d->filter = reads(r, filter, filter_floats(r, g));
  d->dx = writes(r, dx, image_floats(r, g)), d->packed = writes(r, packed, filter_floats(r, g));
  d->places = tiled ? writes(r, places, places_floats(r, g->f, g->c)) : NULL;
}

static void decode_filter_gradient(Reader *r, FilterGradient *d, int tiled) {
  d->g = geometry(r);
  const Geometry *g = &d->g;
  Span x = span(r), dy = span(r), dw = span(r), db = span(r), partial = span(r);
  d->pooled = next(r), d->pool = pool(r);
  Span index = span(r);
  check_padded(r, g, g->c);
  if (tiled) check_tiles(r, g);
  if (d->pooled) check_fused_pool(r, &d->pool, g);
  d->x = reads(r, x, image_floats(r, g));
  const int64_t results = result_floats(r, g), filter = filter_floats(r, g);
  d->dy = reads(r, dy, d->pooled ? SIZE(g->batch, d->pool.oh, d->pool.ow, g->f) : results);
  d->dw = writes(r, dw, filter), d->db = may_write(r, db, SIZE(g->f));
  if (!r->wrong) d->partial = writes(r, partial, SIZE(PARTS, (int64_t)g->kh * g->kw * g->c + 1, padded_columns(g->f)));
  d->index = d->pooled ? (uint8_t *)reads(r, index, index_floats(r, &d->pool, g->batch, g->f)) : NULL;
}

static void decode_depthwise(Reader *r, Depthwise *d, int kind) {
  d->g = geometry(r);
  const Geometry *g = &d->g;
  Span x = span(r), filter = span(r), dy = span(r), y = span(r), dx = span(r), dw = span(r), partial = span(r);
  check_padded(r, g, g->f);
  if (r->wrong) return;
  if (g->c < 1 || g->f % g->c != 0) {
    fault(r, "a channel has no whole number of filters");
    return;
  }
  const int64_t image = image_floats(r, g), results = result_floats(r, g), filters = SIZE(g->kh, g->kw, g->f);
  d->x = kind == PROGRAM_DEPTHWISE_INPUT_GRADIENT ? NULL : reads(r, x, image);
  d->filter = kind == PROGRAM_DEPTHWISE_FILTER_GRADIENT ? NULL : reads(r, filter, filters);
  d->dy = kind == PROGRAM_DEPTHWISE ? NULL : reads(r, dy, results);
  d->y = kind == PROGRAM_DEPTHWISE ? writes(r, y, results) : NULL;
  d->dx = kind == PROGRAM_DEPTHWISE_INPUT_GRADIENT ? writes(r, dx, image) : NULL;
  d->dw = kind == PROGRAM_DEPTHWISE_FILTER_GRADIENT ? writes(r, dw, filters) : NULL;
  d->partial = NULL;
  if (kind == PROGRAM_DEPTHWISE_FILTER_GRADIENT && !r->wrong)
    d->partial = writes(r, partial, SIZE(PARTS, g->kh, g->kw, padded_columns(g->f)));
}

static void decode_pooling(Reader *r, Pooling *p, int kind) {
  Span x = span(r), y = span(r), index = span(r);
  p->batch = next(r), p->h = next(r), p->w = next(r), p->c = next(r), p->pool = pool(r), p->top = next(r), p->left = next(r);
  check_pool(r, &p->pool, p->h, p->w, p->top, p->left);
  if (r->wrong) return;
  const int64_t image = SIZE(p->batch, p->h, p->w, p->c), results = SIZE(p->batch, p->pool.oh, p->pool.ow, p->c);
  const int64_t places = index_floats(r, &p->pool, p->batch, p->c);
  const int backward = kind == PROGRAM_MAX_POOL_GRADIENT || kind == PROGRAM_AVERAGE_POOL_GRADIENT;
  p->x = reads(r, x, backward ? results : image), p->y = writes(r, y, backward ? image : results);
  p->index = NULL;
  if (kind == PROGRAM_MAX_POOL) p->index = (uint8_t *)writes(r, index, places);
  if (kind == PROGRAM_MAX_POOL_GRADIENT) p->index = (uint8_t *)reads(r, index, places);
}

static int is_load(int op) { return op >= OP_LOAD && op <= OP_LOAD_SCALAR; }
int step_has_tensor(int op) { return is_load(op) || op == OP_STORE || op == OP_SUM_COLUMNS; }

int64_t step_floats(const Fused *f, const Step *s) {
  switch (s->op) {
    case OP_LOAD_COLUMNS: return ((f->rows - 1) / s->span + 1) * f->columns;
    case OP_LOAD_ROWS: return f->rows;
    case OP_LOAD_SCALAR: return 1;
    case OP_SUM_COLUMNS: return f->columns;
    default: return f->rows * f->columns;
  }
}

/* One step; `set`: which registers hold something. */
static void decode_step(Reader *r, const Fused *f, Step *s, const Step *before, uint8_t *set) {
  s->op = next(r), s->out = next(r), s->a = next(r), s->b = next(r);
  s->in = NULL, s->span = 0, s->third = s->a;
  const int tensor = step_has_tensor(s->op), computes = s->op > OP_SUM_COLUMNS && s->op <= OP_CAST;
  if (s->op < 0 || s->op > OP_CAST) fault(r, "there is no such step");
  if (tensor) {
    Span at = span(r);
    if (s->op == OP_LOAD_COLUMNS && (s->span = s->b) < 1) fault(r, "a size is out of range");
    if (s->op == OP_SUM_COLUMNS) memcpy(&s->value, &s->b, sizeof s->value);
    if (!r->wrong && !at.at) fault(r, "an operand is missing");
    if (!r->wrong && step_floats(f, s) > at.after) fault(r, "an operand reaches outside its buffer");
    s->outside = at.at;
  } else if (s->op == OP_SELECT) {
    s->third = next(r), next(r);
  } else s->value = number(r), s->upper = number(r);
  const int reads_a = computes || s->op == OP_STORE || s->op == OP_SUM_COLUMNS;
  const int32_t read[] = {s->a, computes ? s->b : s->a, computes ? s->third : s->a};
  for (int i = 0; reads_a && i < 3; i++)
    if (read[i] < 0 || read[i] >= REGISTERS || !set[read[i]]) fault(r, "a step reads a register that nothing was written to");
  if (s->op == OP_STORE && !(before && before->op > OP_SUM_COLUMNS && before->out == s->a))
    fault(r, "a store does not follow the step that computes it");
  if (s->op != OP_STORE && s->op != OP_SUM_COLUMNS) {
    if (s->out < 0 || s->out >= REGISTERS) fault(r, "there is no such register");
    else set[s->out] = 1;
  } else s->out = 0;
}

static void decode_fused(Reader *r, Fused *f, Step **steps) {
  uint8_t set[REGISTERS] = {0};
  f->rows = next(r), f->columns = next(r), f->count = next(r);
  Span partial = span(r);
  SIZE(f->rows, f->columns);
  f->steps = *steps;
  if (f->count < 1 || f->count > (r->end - r->at) / 6) fault(r, "its code ends in the middle of an operation");
  int sums = 0;
  for (int i = 0; i < f->count && !r->wrong; i++) {
    Step *s = (*steps)++;
    decode_step(r, f, s, i > 0 ? s - 1 : NULL, set);
    sums |= s->op == OP_SUM_COLUMNS;
  }
  f->partial = sums ? writes(r, partial, SIZE(PARTS, f->count, f->columns)) : NULL;
}

static void decode_softmax(Reader *r, Softmax *m) {
  Span x = span(r), y = span(r);
  m->rows = next(r), m->columns = next(r), m->logarithm = next(r);
  m->x = reads(r, x, SIZE(m->rows, m->columns)), m->y = writes(r, y, SIZE(m->rows, m->columns));
}

static void decode_reduce(Reader *r, Reduce *d) {
  Span x = span(r), y = span(r);
  d->outer = next(r), d->middle = next(r), d->inner = next(r), d->max = next(r), d->scale = number(r);
  d->x = reads(r, x, SIZE(d->outer, d->middle, d->inner)), d->y = writes(r, y, SIZE(d->outer, d->inner));
}

static void decode_rows(Reader *r, Rows *w, int kind) {
  Span x = span(r), ids = span(r), y = span(r);
  w->rows = next(r), w->columns = next(r), w->limit = next(r);
  const int64_t given = SIZE(w->rows, w->columns), table = SIZE(w->limit, w->columns);
  if (w->limit > MOST_ROWS) fault(r, "a table has more rows than a float can number");
  w->x = reads(r, x, kind == PROGRAM_GATHER ? table : given), w->ids = reads(r, ids, SIZE(w->rows));
  w->y = writes(r, y, kind == PROGRAM_GATHER ? given : table);
}

/* One side of a copy: the floats between the lowest and the highest place that it touches. */
static void copied(Reader *r, Span s, const int *shape, const int *strides, int written) {
  int64_t low = 0, high = 0;
  for (int axis = 0; axis < MOVE_RANK && !r->wrong; axis++) {
    int64_t last = (shape[axis] - 1L) * strides[axis];
    if (last < 0) low += last;
    else high += last;
  }
  if (r->wrong) return;
  if (!s.at) fault(r, "an operand is missing");
  else if (-low > s.before || high >= s.after) fault(r, "an operand reaches outside its buffer");
  else touch(r, s.at + low, high - low + 1, written);
}

static void decode_move(Reader *r, Move *m) {
  Span x = span(r), y = span(r);
  m->fill = next(r), m->value = number(r);
  int64_t floats = 1;
  for (int i = 0; i < MOVE_RANK; i++) {
    m->shape[i] = next(r);
    /* 0: only the fill. */
    if (m->shape[i] < 0 || m->shape[i] > MOST_FLOATS / MAX(floats, 1)) {
      fault(r, "a size is out of range");
      return;
    }
    floats *= m->shape[i];
  }
  for (int i = 0; i < MOVE_RANK; i++) m->in[i] = next(r);
  for (int i = 0; i < MOVE_RANK; i++) m->out[i] = next(r);
  m->x = x.at, m->y = y.at;
  if (m->fill < 0) fault(r, "a size is out of range");
  if (m->fill > 0 && floats > 0) fault(r, "a copy has a fill, too");
  if (m->fill > 0) writes(r, y, m->fill);
  if (floats > 0) copied(r, y, m->shape, m->out, 1), copied(r, x, m->shape, m->in, 0);
}

const char *operation_decode(const Memory *memory, const int32_t **at, const int32_t *end, Step **steps, Operation *op) {
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
    case PROGRAM_SOFTMAX: decode_softmax(r, &op->softmax); break;
    case PROGRAM_REDUCE: decode_reduce(r, &op->reduce); break;
    case PROGRAM_GATHER:
    case PROGRAM_SEGMENT_SUM: decode_rows(r, &op->rows, op->kind); break;
    case PROGRAM_MOVE: decode_move(r, &op->move); break;
    default: fault(r, "there is no such operation");
  }
  *at = r->at;
  return r->wrong;
}
