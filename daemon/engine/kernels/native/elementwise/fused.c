/*
 * Chains of element-wise operations, interpreted tile by tile: every step is a loop over a tile that stays in the
 * first-level cache, so a chain reads its inputs and writes its results once.
 */
#include <string.h>
#include "elementwise/functions.h"
#include "runtime.h"
#include "vector.h"

/*
 * Floats of a tile, about, unless one row has more: a dozen tiles fit the first-level cache. And what they should be a
 * multiple of, to be used in place.
 */
#define TILE 512
#define TILE_UNIT 16

INLINE void run_step(const Step *s, float *const *registers, long n) {
  float *out = registers[s->out];
  const float *a = registers[s->a], *b = registers[s->b];
#define EACH(expression)                 \
  for (long i = 0; i < n; i += LANES) {  \
    vf x = LOAD(a + i), y = LOAD(b + i); \
    (void)y;                             \
    STORE(out + i, expression);          \
  }                                      \
  break
  switch (s->op) {
    case OP_ADD: EACH(x + y);
    case OP_SUB: EACH(x - y);
    case OP_MULTIPLY: EACH(x * y);
    case OP_REAL_DIV: EACH(x / y);
    /* A NaN must stay one in either place. */
    case OP_MAXIMUM: EACH(select_v((x > y) | (x != x), x, y));
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
}

typedef struct {
  const Fused *op;
  /* size: floats of one register. */
  long tile_rows, tiles, size;
  int chunks;
} Plan;

static void load_columns(const Step *s, float *to, long row, long rows, long columns) {
  long span = s->span;
  for (long r = 0; r < rows; r++) memcpy(to + r * columns, s->in + (row + r) / span * columns, columns * sizeof(float));
}

/* sum[c] += the sum of all rows of x; four at a time hide the latency of additions. */
static void sum_rows(const float *x, long rows, long c, float *sum) {
  for (long j = 0; j < c; j += LANES) {
    const long left = c - j;
    vf s0 = splat(0), s1 = s0, s2 = s0, s3 = s0;
    const float *row = x + j;
    long r = 0;
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
  long c = op->columns;
  long from = plan->tiles * index / plan->chunks, to = plan->tiles * (index + 1) / plan->chunks;
  float *partial = op->partial + index * (long)op->count * c, *registers[REGISTERS];
  for (int i = 0; i < op->count; i++)
    if (op->steps[i].op == OP_SUM_COLUMNS) memset(partial + i * c, 0, c * sizeof(float));
  for (long tile = from; tile < to; tile++) {
    long row = tile * plan->tile_rows, rows = MIN(plan->tile_rows, op->rows - row), n = rows * c;
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
          registers[s->out] = own;
          /* The same in every full tile. */
          if (s->span < op->rows || tile == from || tile + 1 == plan->tiles) load_columns(s, own, row, rows, c);
          break;
        case OP_LOAD_ROWS:
          registers[s->out] = own;
          for (long r = 0; r < rows; r++)
            for (long j = 0; j < c; j++) own[r * c + j] = s->in[row + r];
          break;
        case OP_LOAD_SCALAR:
        case OP_CONSTANT: {
          registers[s->out] = own;
          float value = s->op == OP_CONSTANT ? s->value : *s->in;
          if (tile == from)
            for (long j = 0; j < plan->size; j++) own[j] = value;
          break;
        }
        case OP_STORE:
          if (!in_place) memcpy(s->outside + row * c, registers[s->a], n * sizeof(float));
          break;
        case OP_SUM_COLUMNS: sum_rows(registers[s->a], rows, c, partial + i * c); break;
        default: {
          /* A store follows at once. */
          int stored = i + 1 < op->count && s[1].op == OP_STORE;
          registers[s->out] = in_place && stored ? s[1].outside + row * c : own;
          run_step(s, registers, n);
        }
      }
    }
  }
}

/* The same for every level, or sums would be of other parts. */
static long rows_of_tile(long columns) {
  long unit = TILE_UNIT;
  while (unit > 1 && columns % (2 * TILE_UNIT / unit) == 0) unit /= 2;
  if (columns >= TILE) return unit * columns <= 2 * TILE ? unit : 1;
  return MAX(TILE / columns / unit, 1) * unit;
}

static void fused(ThreadPool *workers, const Fused *op) {
  Plan plan = {.op = op};
  plan.tile_rows = rows_of_tile(op->columns);
  plan.size = plan.tile_rows * op->columns + 9 * SLACK;
  plan.tiles = (op->rows + plan.tile_rows - 1) / plan.tile_rows;
  plan.chunks = MIN(plan.tiles, PARTS);
  int registers = 0;
  for (int i = 0; i < op->count; i++)
    if (op->steps[i].out >= registers) registers = op->steps[i].out + 1;
  thread_pool_run(workers, plan.chunks, chunk, &plan, registers * plan.size,
           PASS_NANOSECONDS((double)op->rows * op->columns * op->count));
  for (int i = 0; i < op->count; i++) {
    if (op->steps[i].op != OP_SUM_COLUMNS) continue;
    const float scale = op->steps[i].value;
    for (long j = 0; j < op->columns; j += LANES) {
      long left = op->columns - j;
      vf sum = splat(0);
      for (int part = 0; part < plan.chunks; part++)
        sum += load_some(op->partial + ((long)part * op->count + i) * op->columns + j, left);
      store_some(op->steps[i].outside + j, sum * splat(scale), left);
    }
  }
}
