/*
 * Chains of element-wise operations, interpreted tile by tile: every step is a loop over a tile that stays in the
 * first-level cache, so a chain reads its inputs and writes its results once.
 */
#include <math.h>
#include <string.h>
#include "elementwise/functions.h"
#include "runtime.h"
#include "vector.h"

/*
 * Floats of a tile, about, unless one row has more: a dozen tiles fit the first-level cache. Twice as many where rows are
 * reduced, as a step on one number a row costs as much as one on a few vectors. And what they should be a multiple of,
 * to be used in place.
 */
#define TILE 512
#define REDUCED_TILE 1024
#define TILE_UNIT 16

INLINE void run_step(const Step *s, float *const *registers, int64_t n) {
  float *out = registers[s->out];
  const float *a = registers[s->a], *b = registers[s->b];
#define EACH(expression)                 \
  for (int64_t i = 0; i < n; i += LANES) {  \
    vf x = LOAD(a + i), y = LOAD(b + i); \
    (void)y;                             \
    STORE(out + i, expression);          \
  }                                      \
  break
/* Rare ones, number by number. */
#define EACH_NUMBER(expression)                            \
  for (int64_t i = 0; i < n; i++) {                           \
    float x = a[i], y = b[i];                              \
    (void)y;                                               \
    out[i] = expression;                                   \
  }                                                        \
  break
  switch (s->op) {
    case OP_ADD: EACH(x + y);
    case OP_SUB: EACH(x - y);
    case OP_MULTIPLY: EACH(x * y);
    case OP_REAL_DIV: EACH(x / y);
    /* A NaN must stay one in either place. */
    case OP_MAXIMUM: EACH(max_v(x, y));
    case OP_MINIMUM: EACH(select_v((x < y) | (x != x), x, y));
    case OP_SQUARED_DIFFERENCE: EACH((x - y) * (x - y));
    case OP_GREATER: EACH((vf)((vi)splat(1) & (x > y)));
    case OP_GREATER_EQUAL: EACH((vf)((vi)splat(1) & (x >= y)));
    case OP_LESS: EACH((vf)((vi)splat(1) & (x < y)));
    case OP_LESS_EQUAL: EACH((vf)((vi)splat(1) & (x <= y)));
    case OP_RELU: EACH(select_v(x < 0, splat(0), x));
    case OP_STEP: EACH(select_v(x > 0, splat(1), select_v(x == x, splat(s->value), x)));
    case OP_LEAKY_RELU: EACH(select_v(x < 0, splat(s->value) * x, x));
    case OP_RELU6: EACH(select_v(x < 0, splat(0), select_v(x > splat(6), splat(6), x)));
    case OP_ELU: EACH(select_v(x < 0, expm1_v(x), x));
    case OP_ELU_GRAD: EACH(x * select_v(y >= 0, splat(1), y + 1));
    case OP_SELU: EACH(splat(1.05070098f) * select_v(x < 0, splat(1.67326324f) * expm1_v(x), x));
    case OP_PRELU: EACH(select_v(x < 0, x * y, x));
    case OP_CLIP_BY_VALUE:
      EACH(select_v(x < splat(s->value), splat(s->value), select_v(x > splat(s->upper), splat(s->upper), x)));
    case OP_EQUAL: EACH((vf)((vi)splat(1) & (x == y)));
    case OP_NOT_EQUAL: EACH((vf)((vi)splat(1) & (x != y)));
    case OP_SIGN: EACH((vf)((vi)splat(1) & (x > 0)) - (vf)((vi)splat(1) & (x < 0)));
    case OP_FLOOR: EACH(floor_v(x));
    case OP_SELECT: EACH(select_v(x != 0, y, LOAD(registers[s->third] + i)));
    case OP_LOGICAL_NOT: EACH(ones(x == 0));
    case OP_LOGICAL_AND: EACH(ones((x != 0) & (y != 0)));
    case OP_LOGICAL_OR: EACH(ones((x != 0) | (y != 0)));
    case OP_LOGICAL_XOR: EACH(ones((x != 0) ^ (y != 0)));
    case OP_IS_NAN: EACH(ones(x != x));
    case OP_CEIL: EACH(-floor_v(-x));
    case OP_ROUND: EACH(round_v(x));
    case OP_FLOOR_DIV: EACH(floor_v(x / y));
    case OP_MOD: EACH(x - floor_v(x / y) * y);
    case OP_POW: EACH_NUMBER(powf(x, y));
    case OP_ATAN2: EACH_NUMBER(atan2f(x, y));
    case OP_SIN: EACH_NUMBER(sinf(x));
    case OP_COS: EACH_NUMBER(cosf(x));
    case OP_TAN: EACH_NUMBER(tanf(x));
    case OP_ASIN: EACH_NUMBER(asinf(x));
    case OP_ACOS: EACH_NUMBER(acosf(x));
    case OP_ATAN: EACH_NUMBER(atanf(x));
    case OP_SINH: EACH_NUMBER(sinhf(x));
    case OP_COSH: EACH_NUMBER(coshf(x));
    case OP_ASINH: EACH_NUMBER(asinhf(x));
    case OP_ACOSH: EACH_NUMBER(acoshf(x));
    case OP_ATANH: EACH_NUMBER(atanhf(x));
    case OP_ERF: EACH(erf_v(x));
    case OP_CAST: EACH(trunc_v(x));
    case OP_LOG1P: EACH(log1p_v(x));
    case OP_EXPM1: EACH(expm1_v(x));
    case OP_NEG: EACH(-x);
    case OP_ABS: EACH((vf)((vi)x & 0x7fffffff));
    case OP_SQUARE: EACH(x * x);
    case OP_SQRT: EACH(sqrt_v(x));
    case OP_RSQRT: EACH(1 / sqrt_v(x));
    case OP_RECIPROCAL: EACH(1 / x);
    case OP_EXP: EACH(exp_v(x));
    case OP_LOG: EACH(log_v(x));
    case OP_TANH: EACH(tanh_v(x));
    case OP_SIGMOID: EACH(1 / (1 + exp_v(-x)));
    case OP_SOFTPLUS: EACH(select_v(x > 0, x, splat(0)) + log_v(1 + exp_v(-(vf)((vi)x & 0x7fffffff))));
  }
#undef EACH
#undef EACH_NUMBER
}

typedef struct {
  const Fused *op;
  /* size: floats of one register. */
  int64_t tile_rows, tiles, size;
  int chunks;
} Plan;

/* The row of a tensor that a row of the operation reads. */
INLINE int64_t source_row(const Repeat *p, int64_t row) {
  return row / p->outer * p->period + row / p->span % p->period;
}

/* Whether rows from `row` on read rows that lie one after the other. */
INLINE int reads_a_run(const Repeat *p, int64_t row, int64_t rows) {
  return p->span == 1 && source_row(p, row + rows - 1) - source_row(p, row) == rows - 1;
}

static void load_columns(const Step *s, float *to, int64_t row, int64_t rows, int64_t c) {
  const Repeat *p = &s->repeat;
  if (reads_a_run(p, row, rows)) memcpy(to, s->in + source_row(p, row) * c, rows * c * sizeof(float));
  else
    for (int64_t r = 0; r < rows; r++) memcpy(to + r * c, s->in + source_row(p, row + r) * c, c * sizeof(float));
}

static void load_row(const Step *s, float *to, int64_t row, int64_t rows) {
  const Repeat *p = &s->repeat;
  if (reads_a_run(p, row, rows)) memcpy(to, s->in + source_row(p, row), rows * sizeof(float));
  else
    for (int64_t r = 0; r < rows; r++) to[r] = s->in[source_row(p, row + r)];
}

/* Each number of x in all columns of its row. The last vector of a row reaches into the next one, written later. */
static void spread_rows(const float *x, float *to, int64_t rows, int64_t c) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < c; j += LANES) STORE(to + r * c + j, splat(x[r]));
}

/* Sums of at most SUMMED_TERMS numbers a lane, one after the other, are added to a larger one. */
INLINE vf row_sum(const float *x, int64_t c) {
  vf sum = splat(0);
  for (int64_t from = 0; from < c; from += (int64_t)SUMMED_TERMS * LANES) {
    const int64_t end = MIN(from + (int64_t)SUMMED_TERMS * LANES, c);
    vf s0 = splat(0), s1 = s0, s2 = s0, s3 = s0;
    int64_t j = from;
    for (; j + 4 * LANES <= end; j += 4 * LANES) {
      s0 += LOAD(x + j);
      s1 += LOAD(x + j + LANES);
      s2 += LOAD(x + j + 2 * LANES);
      s3 += LOAD(x + j + 3 * LANES);
    }
    for (; j < end; j += LANES) s0 += load_some(x + j, end - j);
    sum += (s0 + s1) + (s2 + s3);
  }
  return sum_lanes(sum);
}

/* NaN if one is. */
INLINE vf row_max(const float *x, int64_t c) {
  const vf least = splat(-__builtin_inff());
  vf m0 = least, m1 = least;
  int64_t j = 0;
  for (; j + 2 * LANES <= c; j += 2 * LANES) m0 = max_v(m0, LOAD(x + j)), m1 = max_v(m1, LOAD(x + j + LANES));
  for (; j < c; j += LANES)
    m0 = max_v(m0, c - j >= LANES ? (vf)LOAD(x + j) : select_v(lanes_v() < (int)(c - j), load_some(x + j, c - j), least));
  return max_lanes(max_v(m0, m1));
}

/* sum[c] += the sum of all rows of x; four at a time hide the latency of additions. */
static void sum_rows(const float *x, int64_t rows, int64_t c, float *sum) {
  for (int64_t j = 0; j < c; j += LANES) {
    const int64_t left = c - j;
    vf s0 = splat(0), s1 = s0, s2 = s0, s3 = s0;
    const float *row = x + j;
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4, row += 4 * c) {
      s0 += load_some(row, left);
      s1 += load_some(row + c, left);
      s2 += load_some(row + 2 * c, left);
      s3 += load_some(row + 3 * c, left);
    }
    for (; r < rows; r++, row += c) s0 += load_some(row, left);
    store_some(sum + j, load_some(sum + j, left) + ((s0 + s1) + (s2 + s3)), left);
  }
}

static void chunk(const void *argument, int index, float *scratch) {
  const Plan *plan = argument;
  const Fused *op = plan->op;
  int64_t c = op->columns;
  int64_t from = plan->tiles * index / plan->chunks, to = plan->tiles * (index + 1) / plan->chunks;
  float *partial = op->partial + index * (int64_t)op->sums * c, *registers[REGISTERS];
  if (op->sums > 0) memset(partial, 0, op->sums * c * sizeof(float));
  for (int64_t tile = from; tile < to; tile++) {
    int64_t row = tile * plan->tile_rows, rows = MIN(plan->tile_rows, op->rows - row), n = rows * c;
    /* Whole vectors can be read and written where they lie; others would touch what other tiles are writing. */
    int in_place = n % LANES == 0;
    for (int i = 0; i < op->count; i++) {
      const Step *s = op->steps + i;
      float *own = scratch + s->out * plan->size;
      switch (s->op) {
        case OP_LOAD:
          registers[s->out] = in_place ? (float *)s->in + row * c : own;
          if (!in_place) memcpy(own, s->in + row * c, n * sizeof(float));
          break;
        case OP_LOAD_COLUMNS:
          /* One row for all is the same in every full tile. */
          if (s->repeat.period == 1 && s->repeat.outer >= op->rows) {
            registers[s->out] = own;
            if (tile == from || tile + 1 == plan->tiles) load_columns(s, own, row, rows, c);
          } else if (in_place && reads_a_run(&s->repeat, row, rows)) {
            registers[s->out] = (float *)s->in + source_row(&s->repeat, row) * c;
          } else registers[s->out] = own, load_columns(s, own, row, rows, c);
          break;
        case OP_LOAD_ROW: registers[s->out] = own, load_row(s, own, row, rows); break;
        case OP_SPREAD: registers[s->out] = own, spread_rows(registers[s->a], own, rows, c); break;
        case OP_SUM_ROW:
          for (int64_t r = 0; r < rows; r++) own[r] = row_sum(registers[s->a] + r * c, c)[0] * s->value;
          registers[s->out] = own;
          break;
        case OP_MAX_ROW:
          for (int64_t r = 0; r < rows; r++) own[r] = row_max(registers[s->a] + r * c, c)[0];
          registers[s->out] = own;
          break;
        case OP_LOAD_SCALAR:
        case OP_CONSTANT: {
          registers[s->out] = own;
          float value = s->op == OP_CONSTANT ? s->value : *s->in;
          if (tile == from)
            for (int64_t j = 0; j < plan->size; j++) own[j] = value;
          break;
        }
        case OP_STORE:
          if (s->one_a_row) memcpy(s->outside + row, registers[s->a], rows * sizeof(float));
          else if (!in_place) memcpy(s->outside + row * c, registers[s->a], n * sizeof(float));
          break;
        case OP_SUM_COLUMNS: sum_rows(registers[s->a], rows, c, partial + s->sum * c); break;
        default: {
          /* A store follows at once. */
          int stored = i + 1 < op->count && s[1].op == OP_STORE;
          registers[s->out] = in_place && stored && !s->one_a_row ? s[1].outside + row * c : own;
          run_step(s, registers, s->one_a_row ? rows : n);
        }
      }
    }
  }
}

/* The same for every level, or sums would be of other parts. */
static int64_t rows_of_tile(int64_t columns, int64_t floats) {
  int64_t unit = TILE_UNIT;
  while (unit > 1 && columns % (2 * TILE_UNIT / unit) == 0) unit /= 2;
  if (columns >= floats) return unit * columns <= 2 * floats ? unit : 1;
  return MAX(floats / columns / unit, 1) * unit;
}

static void fused(ThreadPool *workers, const Fused *op) {
  Plan plan = {.op = op};
  int registers = 0, reduced = 0;
  for (int i = 0; i < op->count; i++) {
    registers = MAX(registers, op->steps[i].out + 1);
    reduced |= op->steps[i].op == OP_SUM_ROW || op->steps[i].op == OP_MAX_ROW;
  }
  plan.tile_rows = rows_of_tile(op->columns, reduced ? REDUCED_TILE : TILE);
  plan.size = plan.tile_rows * op->columns + 9 * SLACK;
  plan.tiles = (op->rows + plan.tile_rows - 1) / plan.tile_rows;
  plan.chunks = MIN(plan.tiles, PARTS);
  thread_pool_run(workers, plan.chunks, chunk, &plan, registers * plan.size,
           PASS_NANOSECONDS((double)op->rows * op->columns * op->count));
  for (int i = 0; i < op->count; i++) {
    const Step *s = &op->steps[i];
    if (s->op != OP_SUM_COLUMNS) continue;
    for (int64_t j = 0; j < op->columns; j += LANES) {
      int64_t left = op->columns - j;
      vf sum = splat(0);
      for (int part = 0; part < plan.chunks; part++)
        sum += load_some(op->partial + ((int64_t)part * op->sums + s->sum) * op->columns + j, left);
      store_some(s->outside + j, sum * splat(s->value), left);
    }
  }
}
