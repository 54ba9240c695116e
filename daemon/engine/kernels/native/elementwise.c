/*
 * Chains of element-wise operations, interpreted tile by tile: every step is a loop over a tile that stays in the
 * first-level cache, so a chain reads its inputs and writes its results once.
 */
#include <string.h>
#include "opcodes.h"
#include "runtime.h"

/* Floats of a tile, unless one row has more. */
#define TILE 1024

/* e^x to 2 ulp (Cephes): x = n ln 2 + r. */
INLINE f32x8 exp8(f32x8 x) {
  f32x8 nan = x;
  x = select8(x > splat(88.72283f), splat(88.72283f), x);
  x = select8(x < splat(-87.33654f), splat(-87.33654f), x);
  f32x8 n = x * splat(1.44269504f) + splat(0x1.8p23f);
  i32x8 exponent = (i32x8)n << 23;
  n -= splat(0x1.8p23f);
  f32x8 r = x - n * splat(0.693359375f);
  r = r - n * splat(-2.12194440e-4f);
  f32x8 y = splat(1.9875691500e-4f);
  y = y * r + splat(1.3981999507e-3f);
  y = y * r + splat(8.3334519073e-3f);
  y = y * r + splat(4.1665795894e-2f);
  y = y * r + splat(1.6666665459e-1f);
  y = y * r + splat(5.0000001201e-1f);
  y = y * r * r + r + splat(1);
  y = (f32x8)((i32x8)y + exponent);
  return select8(nan == nan, y, nan);
}

/* Natural logarithm (Cephes); -infinity at 0, NaN below. */
INLINE f32x8 log8(f32x8 x) {
  f32x8 given = x;
  i32x8 bits = (i32x8)select8(x < splat(1.17549435e-38f), splat(1.17549435e-38f), x);
  f32x8 e = __builtin_convertvector((bits >> 23) - 126, f32x8);
  f32x8 m = (f32x8)((bits & 0x007fffff) | 0x3f000000);
  i32x8 low = m < splat(0.707106781f);
  e = select8(low, e - 1, e);
  m = select8(low, m + m, m) - 1;
  f32x8 z = m * m, y = splat(7.0376836292e-2f);
  y = y * m + splat(-1.1514610310e-1f);
  y = y * m + splat(1.1676998740e-1f);
  y = y * m + splat(-1.2420140846e-1f);
  y = y * m + splat(1.4249322787e-1f);
  y = y * m + splat(-1.6668057665e-1f);
  y = y * m + splat(2.0000714765e-1f);
  y = y * m + splat(-2.4999993993e-1f);
  y = y * m + splat(3.3333331174e-1f);
  y = y * m * z + e * splat(-2.12194440e-4f) - z * splat(0.5f) + m + e * splat(0.693359375f);
  y = select8(given == 0, splat(-__builtin_inff()), y);
  y = select8(given == splat(__builtin_inff()), given, y);
  return select8(given >= 0, y, splat(__builtin_nanf("")));
}

INLINE f32x8 sqrt8(f32x8 x) {
  for (int i = 0; i < 8; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
}

/* tanh: a rational function near 0, where 1 - 2 / (e^2x + 1) would lose digits; that elsewhere. */
INLINE f32x8 tanh8(f32x8 x) {
  f32x8 z = x * x, y = splat(-5.70498872745e-3f);
  y = y * z + splat(2.06390887954e-2f);
  y = y * z + splat(-5.37397155531e-2f);
  y = y * z + splat(1.33314422036e-1f);
  y = y * z + splat(-3.33332819422e-1f);
  f32x8 near = y * z * x + x, far = 1 - 2 / (exp8(x + x) + 1);
  return select8(z < splat(0.390625f), near, far);
}

/* Kahan's forms: the rounding of 1 + x and of e^x cancels out. */
INLINE f32x8 log1p8(f32x8 x) {
  f32x8 u = 1 + x;
  return select8(u == 1, x, log8(u) * x / (u - 1));
}
INLINE f32x8 expm18(f32x8 x) {
  f32x8 u = exp8(x);
  f32x8 y = select8(x < splat(-17), u - 1, (u - 1) * x / log8(u));
  return select8(u == 1, x, select8(x > splat(17), u, y));
}

INLINE f32x8 floor8(f32x8 x) {
  f32x8 whole = __builtin_convertvector(__builtin_convertvector(x, i32x8), f32x8);
  whole = select8(whole > x, whole - 1, whole);
  /* From 2^23 on every float is whole, and the conversion overflows. */
  return select8((f32x8)((i32x8)x & 0x7fffffff) < splat(0x1p23f), whole, x);
}

/* A group has at most 40 nodes of at most two loads each: see units.ts. */
#define REGISTERS 128

INLINE void run_step(const Step *s, float *const *registers, long n) {
  float *out = registers[s->out];
  const float *a = registers[s->a], *b = registers[s->b];
#define EACH(expression)                       \
  for (long i = 0; i < n; i += 8) {            \
    f32x8 x = LOAD(a + i), y = LOAD(b + i);    \
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
    case OP_MAXIMUM: EACH(select8((x > y) | (x != x), x, y));
    case OP_MINIMUM: EACH(select8((x < y) | (x != x), x, y));
    case OP_SQUARED_DIFFERENCE: EACH((x - y) * (x - y));
    case OP_GREATER: EACH((f32x8)((i32x8)splat(1) & (x > y)));
    case OP_GREATER_EQUAL: EACH((f32x8)((i32x8)splat(1) & (x >= y)));
    case OP_LESS: EACH((f32x8)((i32x8)splat(1) & (x < y)));
    case OP_LESS_EQUAL: EACH((f32x8)((i32x8)splat(1) & (x <= y)));
    case OP_RELU: EACH(select8(x < 0, splat(0), x));
    case OP_STEP: EACH(select8(x > 0, splat(1), select8(x == x, splat(s->constant), x)));
    case OP_LEAKY_RELU: EACH(select8(x < 0, splat(s->constant) * x, x));
    case OP_RELU6: EACH(select8(x < 0, splat(0), select8(x > splat(6), splat(6), x)));
    case OP_ELU: EACH(select8(x < 0, expm18(x), x));
    case OP_ELU_GRAD: EACH(x * select8(y >= 0, splat(1), y + 1));
    case OP_SELU: EACH(splat(1.05070098f) * select8(x < 0, splat(1.67326324f) * expm18(x), x));
    case OP_PRELU: EACH(select8(x < 0, x * y, x));
    case OP_CLIP: EACH(select8(x < splat(s->range[0]), splat(s->range[0]), select8(x > splat(s->range[1]), splat(s->range[1]), x)));
    case OP_EQUAL: EACH((f32x8)((i32x8)splat(1) & (x == y)));
    case OP_NOT_EQUAL: EACH((f32x8)((i32x8)splat(1) & (x != y)));
    case OP_SIGN: EACH((f32x8)((i32x8)splat(1) & (x > 0)) - (f32x8)((i32x8)splat(1) & (x < 0)));
    case OP_FLOOR: EACH(floor8(x));
    case OP_LOG1P: EACH(log1p8(x));
    case OP_EXPM1: EACH(expm18(x));
    case OP_NEG: EACH(-x);
    case OP_ABS: EACH((f32x8)((i32x8)x & 0x7fffffff));
    case OP_SQUARE: EACH(x * x);
    case OP_SQRT: EACH(sqrt8(x));
    case OP_RSQRT: EACH(1 / sqrt8(x));
    case OP_RECIPROCAL: EACH(1 / x);
    case OP_EXP: EACH(exp8(x));
    case OP_LOG: EACH(log8(x));
    case OP_TANH: EACH(tanh8(x));
    case OP_SIGMOID: EACH(1 / (1 + exp8(-x)));
    case OP_SOFTPLUS: EACH(select8(x > 0, x, splat(0)) + log8(1 + exp8(-(f32x8)((i32x8)x & 0x7fffffff))));
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
  long span = s->b;
  for (long r = 0; r < rows; r++) memcpy(to + r * columns, s->in + (row + r) / span * columns, columns * sizeof(float));
}

/* sum[c] += every row of x; four sums at a time hide the latency of additions. */
static void sum_rows(const float *x, long rows, long c, float *sum) {
  long j = 0;
  for (; j + 8 <= c; j += 8) {
    f32x8 s0 = LOAD(sum + j), s1 = splat(0), s2 = splat(0), s3 = splat(0);
    const float *row = x + j;
    long r = 0;
    for (; r + 4 <= rows; r += 4, row += 4 * c) {
      s0 += LOAD(row);
      s1 += LOAD(row + c);
      s2 += LOAD(row + 2 * c);
      s3 += LOAD(row + 3 * c);
    }
    for (; r < rows; r++, row += c) s0 += LOAD(row);
    STORE(sum + j, (s0 + s1) + (s2 + s3));
  }
  for (; j < c; j++)
    for (long r = 0; r < rows; r++) sum[j] += x[r * c + j];
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
    int in_place = n % 8 == 0;
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
          if (s->b < op->rows || tile == from || tile + 1 == plan->tiles) load_columns(s, own, row, rows, c);
          break;
        case OP_LOAD_ROWS:
          registers[s->out] = own;
          for (long r = 0; r < rows; r++)
            for (long j = 0; j < c; j++) own[r * c + j] = s->in[row + r];
          break;
        case OP_LOAD_SCALAR:
        case OP_CONSTANT: {
          registers[s->out] = own;
          float value = s->op == OP_CONSTANT ? s->constant : *s->in;
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

void fused(Team *team, const Fused *op) {
  Plan plan = {.op = op};
  plan.tile_rows = op->columns < TILE ? TILE / op->columns : 1;
  plan.size = plan.tile_rows * op->columns + SLACK;
  plan.tiles = (op->rows + plan.tile_rows - 1) / plan.tile_rows;
  plan.chunks = MIN(plan.tiles, PARTS);
  int registers = 0;
  for (int i = 0; i < op->count; i++)
    if (op->steps[i].out >= registers) registers = op->steps[i].out + 1;
  team_run(team, plan.chunks, chunk, &plan, registers * plan.size);
  for (int i = 0; i < op->count; i++) {
    if (op->steps[i].op != OP_SUM_COLUMNS) continue;
    float *out = op->steps[i].outside, scale;
    memcpy(&scale, &op->steps[i].b, sizeof scale);
    for (long j = 0; j < op->columns; j++) {
      float sum = 0;
      for (int part = 0; part < plan.chunks; part++) sum += op->partial[((long)part * op->count + i) * op->columns + j];
      out[j] = sum * scale;
    }
  }
}

void softmax(const float *x, float *y, long rows, long columns, int logarithm) {
  for (long r = 0; r < rows; r++, x += columns, y += columns) {
    float max = x[0], sum = 0;
    for (long j = 1; j < columns; j++) max = x[j] > max ? x[j] : max;
    for (long j = 0; j < columns; j++) sum += y[j] = exp8(splat(x[j] - max))[0];
    float log_sum = logarithm ? log8(splat(sum))[0] : 0;
    for (long j = 0; j < columns; j++) y[j] = logarithm ? x[j] - max - log_sum : y[j] / sum;
  }
}

/* y[o][i] = scale * sum (or max) over m of x[o][m][i]. */
void reduce(const float *x, float *y, long outer, long middle, long inner, float scale, int max) {
  for (long o = 0; o < outer; o++, x += middle * inner, y += inner) {
    for (long i = 0; i < inner; i++) y[i] = x[i];
    for (long m = 1; m < middle; m++)
      for (long i = 0; i < inner; i++) {
        float v = x[m * inner + i];
        if (max) y[i] = v > y[i] || v != v ? v : y[i];
        else y[i] += v;
      }
    if (!max)
      for (long i = 0; i < inner; i++) y[i] *= scale;
  }
}
