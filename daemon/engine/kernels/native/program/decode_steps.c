/* Fused operations: chains of element-wise steps. */
#include "program/decode.h"

int step_has_tensor(int op) {
  return op >= 0 && op < OP_COUNT && (step_layouts[op] == STEP_TENSOR || step_layouts[op] == STEP_REPEAT);
}

/* Rows of the tensor that a load reads some of: one more than the last row that it reads. */
static int64_t repeated_rows(const Fused *f, const Repeat *p) {
  const int64_t last = f->rows - 1;
  return last / p->outer * p->period + MIN(p->period - INT64_C(1), last / p->span) + 1;
}

int64_t step_floats(const Fused *f, const Step *s) {
  switch (s->op) {
    case OP_LOAD_COLUMNS: return repeated_rows(f, &s->repeat) * f->columns;
    case OP_LOAD_ROW: return repeated_rows(f, &s->repeat);
    case OP_LOAD_SCALAR: return 1;
    case OP_SUM_COLUMNS: return f->columns;
    default: return s->one_a_row ? f->rows : f->rows * f->columns;
  }
}

/* What a register holds: nothing yet, a number for each column of each row, one for each row, or the same everywhere. */
enum { NOTHING, FULL, ONE_A_ROW, ANY };

static int held(Reader *r, const uint8_t *registers, int32_t number) {
  if (number >= 0 && number < REGISTERS && registers[number] != NOTHING) return registers[number];
  fault(r, "a step reads a register that nothing was written to");
  return NOTHING;
}

/* What the result of an operation on two registers holds. */
static int joint(Reader *r, int a, int b) {
  if (a == ANY || a == b) return b;
  if (b != ANY) fault(r, "a step reads registers of different sizes");
  return a;
}

static int reads_all(Reader *r, int kind) {
  if (kind == ONE_A_ROW) fault(r, "a step reads registers of different sizes");
  return kind;
}

/* Whether a store may follow: its step writes a register of its own. */
static int computes(int op) { return op > OP_SUM_COLUMNS || op == OP_SUM_ROW || op == OP_MAX_ROW; }

/* One step; `registers`: what each holds. */
static void decode_step(Reader *r, Fused *f, Step *s, const Step *before, uint8_t *registers) {
  const int32_t *start = r->at;
  const StepWords w = read_step(r);
  s->op = w.op, s->out = w.out, s->a = w.a, s->b = w.b;
  s->in = NULL, s->repeat = (Repeat){1, 1, 1}, s->third = s->a, s->one_a_row = 0, s->sum = 0;
  if (s->op < 0 || s->op >= OP_COUNT) {
    fault(r, "there is no such step");
    return;
  }
  Span at = {0};
  switch (step_layouts[s->op]) {
    case STEP_TENSOR: at = read_step_tensor(r).at; break;
    case STEP_REPEAT: {
      const StepRepeatWords words = read_step_repeat(r);
      at = words.at, s->repeat = words.repeat;
      if (s->repeat.span < 1 || s->repeat.period < 1 || s->repeat.outer < 1) fault(r, "a size is out of range");
      else if (repeated_rows(f, &s->repeat) > MOST_FLOATS) fault(r, "a size is out of range");
      break;
    }
    case STEP_THIRD: s->third = read_step_third(r).third; break;
    default: {
      const StepNumbersWords numbers = read_step_numbers(r);
      s->value = numbers.value, s->upper = numbers.upper;
    }
  }
  int out = NOTHING;
  switch (s->op) {
    case OP_LOAD:
    case OP_LOAD_COLUMNS: out = FULL; break;
    case OP_LOAD_ROW: out = ONE_A_ROW; break;
    case OP_LOAD_SCALAR:
    case OP_CONSTANT: out = ANY; break;
    case OP_STORE: {
      s->one_a_row = held(r, registers, s->a) == ONE_A_ROW;
      if (!(before && computes(before->op) && before->out == s->a))
        fault(r, "a store does not follow the step that computes it");
      break;
    }
    case OP_SPREAD:
      if (held(r, registers, s->a) == FULL) fault(r, "a step reads registers of different sizes");
      out = FULL;
      break;
    case OP_SUM_ROW:
    case OP_MAX_ROW: reads_all(r, held(r, registers, s->a)), out = ONE_A_ROW; break;
    case OP_SUM_COLUMNS:
      reads_all(r, held(r, registers, s->a)), memcpy(&s->value, &s->b, sizeof s->value), s->sum = f->sums++;
      break;
    default:
      out = joint(r, held(r, registers, s->a), held(r, registers, s->b));
      out = joint(r, out, held(r, registers, s->third));
      /* Of numbers that are the same everywhere the result is computed everywhere. */
      if (out == ANY) out = FULL;
      s->one_a_row = out == ONE_A_ROW;
  }
  if (step_has_tensor(s->op)) {
    if (!r->wrong && !at.at) fault(r, "an operand is missing");
    if (!r->wrong && step_floats(f, s) > at.after) fault(r, "an operand reaches outside its buffer");
    s->outside = at.at;
  }
  if (out != NOTHING) {
    if (s->out < 0 || s->out >= REGISTERS) fault(r, "there is no such register");
    else registers[s->out] = out;
  } else s->out = 0;
  /* Every step has as many words as the longest one. */
  if (!r->wrong) r->at = start + STEP_WORDS;
}

void decode_fused(Reader *r, Fused *f, Step **steps) {
  uint8_t registers[REGISTERS] = {NOTHING};
  const FusedWords w = read_fused(r);
  f->rows = w.rows, f->columns = w.columns, f->count = w.count, f->sums = 0;
  SIZE(f->rows, f->columns);
  f->steps = *steps;
  if (f->count < 1 || f->count > (r->end - r->at) / STEP_WORDS) fault(r, "its code ends in the middle of an operation");
  for (int i = 0; i < f->count && !r->wrong; i++) {
    Step *s = (*steps)++;
    decode_step(r, f, s, i > 0 ? s - 1 : NULL, registers);
  }
  f->partial = f->sums > 0 ? writes(r, w.partial, SIZE(PARTS, f->sums, f->columns)) : NULL;
}
