/*
 * Chains of element-wise operations, interpreted tile by tile: every step is a loop over a tile that stays in the
 * first-level cache, so a chain reads its inputs and writes its results once.
 */
#include <string.h>
#include "runtime.h"
#include "vector.h"

/*
 * Floats of a tile, about, unless one row has more: a dozen tiles fit the first-level cache. And what they should be a
 * multiple of, to be used in place.
 */
#define TILE 512
#define TILE_UNIT 16

/* e^x to 2 ulp (Cephes): x = n ln 2 + r. */
INLINE vf exp_v(vf x) {
  vf nan = x;
  x = select_v(x > splat(88.72283f), splat(88.72283f), x);
  x = select_v(x < splat(-87.33654f), splat(-87.33654f), x);
  vf n = x * splat(1.44269504f) + splat(0x1.8p23f);
  vu exponent = (vu)n << 23;
  n -= splat(0x1.8p23f);
  vf r = x - n * splat(0.693359375f);
  r = r - n * splat(-2.12194440e-4f);
  vf y = splat(1.9875691500e-4f);
  y = y * r + splat(1.3981999507e-3f);
  y = y * r + splat(8.3334519073e-3f);
  y = y * r + splat(4.1665795894e-2f);
  y = y * r + splat(1.6666665459e-1f);
  y = y * r + splat(5.0000001201e-1f);
  y = y * r * r + r + splat(1);
  y = (vf)((vu)y + exponent);
  return select_v(nan == nan, y, nan);
}

/* Natural logarithm (Cephes); -infinity at 0, NaN below. */
INLINE vf log_v(vf x) {
  vf given = x;
  vi bits = (vi)select_v(x < splat(1.17549435e-38f), splat(1.17549435e-38f), x);
  vf e = __builtin_convertvector((bits >> 23) - 126, vf);
  vf m = (vf)((bits & 0x007fffff) | 0x3f000000);
  vi low = m < splat(0.707106781f);
  e = select_v(low, e - 1, e);
  m = select_v(low, m + m, m) - 1;
  vf z = m * m, y = splat(7.0376836292e-2f);
  y = y * m + splat(-1.1514610310e-1f);
  y = y * m + splat(1.1676998740e-1f);
  y = y * m + splat(-1.2420140846e-1f);
  y = y * m + splat(1.4249322787e-1f);
  y = y * m + splat(-1.6668057665e-1f);
  y = y * m + splat(2.0000714765e-1f);
  y = y * m + splat(-2.4999993993e-1f);
  y = y * m + splat(3.3333331174e-1f);
  y = y * m * z + e * splat(-2.12194440e-4f) - z * splat(0.5f) + m + e * splat(0.693359375f);
  y = select_v(given == 0, splat(-__builtin_inff()), y);
  y = select_v(given == splat(__builtin_inff()), given, y);
  return select_v(given >= 0, y, splat(__builtin_nanf("")));
}

/* tanh: a rational function near 0, where 1 - 2 / (e^2x + 1) would lose digits; that elsewhere. */
INLINE vf tanh_v(vf x) {
  vf z = x * x, y = splat(-5.70498872745e-3f);
  y = y * z + splat(2.06390887954e-2f);
  y = y * z + splat(-5.37397155531e-2f);
  y = y * z + splat(1.33314422036e-1f);
  y = y * z + splat(-3.33332819422e-1f);
  vf near = y * z * x + x, far = 1 - 2 / (exp_v(x + x) + 1);
  return select_v(z < splat(0.390625f), near, far);
}

/* Kahan's forms: the rounding of 1 + x and of e^x cancels out. */
INLINE vf log1p_v(vf x) {
  vf u = 1 + x;
  return select_v(u == 1, x, log_v(u) * x / (u - 1));
}
INLINE vf expm1_v(vf x) {
  vf u = exp_v(x);
  vf y = select_v(x < splat(-17), u - 1, (u - 1) * x / log_v(u));
  return select_v(u == 1, x, select_v(x > splat(17), u, y));
}

INLINE vf floor_v(vf x) {
  /* From 2^23 on every float is whole, and no int may hold it; nor a NaN. */
  vi fits = (vf)((vi)x & 0x7fffffff) < splat(0x1p23f);
  vf whole = __builtin_convertvector(__builtin_convertvector(select_v(fits, x, splat(0)), vi), vf);
  whole = select_v(whole > x, whole - 1, whole);
  return select_v(fits, whole, x);
}

INLINE vf trunc_v(vf x) { return select_v(x < 0, -floor_v(-x), floor_v(x)); }

/* To 1.5e-7 (Abramowitz and Stegun 7.1.26), as TensorFlow.js has it. */
INLINE vf erf_v(vf x) {
  vf magnitude = select_v(x < 0, -x, x), t = 1 / (1 + splat(0.3275911f) * magnitude);
  vf y = splat(1.061405429f);
  y = y * t + splat(-1.453152027f);
  y = y * t + splat(1.421413741f);
  y = y * t + splat(-0.284496736f);
  y = y * t + splat(0.254829592f);
  y = 1 - y * t * exp_v(-x * x);
  return select_v(x < 0, -y, y);
}

/* 1 where the mask is set, else 0. */
INLINE vf ones(vi mask) { return (vf)((vi)splat(1) & mask); }

INLINE void run_step(const Step *s, float *const *registers, long n) {
  float *out = registers[s->out];
  const float *a = registers[s->a], *b = registers[s->b];
#define EACH(expression)                       \
  for (long i = 0; i < n; i += LANES) {        \
    vf x = LOAD(a + i), y = LOAD(b + i);    \
    (void)y;                                   \
    STORE(out + i, expression);                \
  }                                            \
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
    case OP_CLIP_BY_VALUE: EACH(select_v(x < splat(s->value), splat(s->value), select_v(x > splat(s->upper), splat(s->upper), x)));
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

static void fused(Team *team, const Fused *op) {
  Plan plan = {.op = op};
  plan.tile_rows = rows_of_tile(op->columns);
  plan.size = plan.tile_rows * op->columns + 9 * SLACK;
  plan.tiles = (op->rows + plan.tile_rows - 1) / plan.tile_rows;
  plan.chunks = MIN(plan.tiles, PARTS);
  int registers = 0;
  for (int i = 0; i < op->count; i++)
    if (op->steps[i].out >= registers) registers = op->steps[i].out + 1;
  team_run(team, plan.chunks, chunk, &plan, registers * plan.size,
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

static void softmax(Team *team, const Softmax *op) {
  team_run(team, (op->rows + SOFTMAX_ROWS - 1) / SOFTMAX_ROWS, softmax_rows, op, 0,
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

static void reduce(Team *team, const Reduce *op) { team_run(team, reduce_parts(op), reduce_some, op, 0,
           PASS_NANOSECONDS((double)op->outer * op->middle * op->inner)); }
