/* Fused operations: chains of element-wise steps. */
#include "program/decode.h"

int step_has_tensor(int op) { return op >= 0 && op < OP_COUNT && step_layouts[op] == STEP_TENSOR; }

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
  const StepWords w = read_step(r);
  s->op = w.op, s->out = w.out, s->a = w.a, s->b = w.b;
  s->in = NULL, s->span = 0, s->third = s->a;
  const int tensor = step_has_tensor(s->op), computes = s->op > OP_SUM_COLUMNS && s->op < OP_COUNT;
  if (s->op < 0 || s->op >= OP_COUNT) fault(r, "there is no such step");
  if (tensor) {
    const Span at = read_step_tensor(r).at;
    if (s->op == OP_LOAD_COLUMNS && (s->span = s->b) < 1) fault(r, "a size is out of range");
    if (s->op == OP_SUM_COLUMNS) memcpy(&s->value, &s->b, sizeof s->value);
    if (!r->wrong && !at.at) fault(r, "an operand is missing");
    if (!r->wrong && step_floats(f, s) > at.after) fault(r, "an operand reaches outside its buffer");
    s->outside = at.at;
  } else if (s->op == OP_SELECT) {
    s->third = read_step_third(r).third;
  } else {
    const StepNumbersWords numbers = read_step_numbers(r);
    s->value = numbers.value, s->upper = numbers.upper;
  }
  const int reads_a = computes || s->op == OP_STORE || s->op == OP_SUM_COLUMNS;
  const int32_t read[] = {s->a, computes ? s->b : s->a, computes ? s->third : s->a};
  for (int i = 0; reads_a && i < 3; i++)
    if (read[i] < 0 || read[i] >= REGISTERS || !set[read[i]])
      fault(r, "a step reads a register that nothing was written to");
  if (s->op == OP_STORE && !(before && before->op > OP_SUM_COLUMNS && before->out == s->a))
    fault(r, "a store does not follow the step that computes it");
  if (s->op != OP_STORE && s->op != OP_SUM_COLUMNS) {
    if (s->out < 0 || s->out >= REGISTERS) fault(r, "there is no such register");
    else set[s->out] = 1;
  } else s->out = 0;
}

void decode_fused(Reader *r, Fused *f, Step **steps) {
  uint8_t set[REGISTERS] = {0};
  const FusedWords w = read_fused(r);
  f->rows = w.rows, f->columns = w.columns, f->count = w.count;
  SIZE(f->rows, f->columns);
  f->steps = *steps;
  if (f->count < 1 || f->count > (r->end - r->at) / STEP_WORDS) fault(r, "its code ends in the middle of an operation");
  int sums = 0;
  for (int i = 0; i < f->count && !r->wrong; i++) {
    Step *s = (*steps)++;
    decode_step(r, f, s, i > 0 ? s - 1 : NULL, set);
    sums |= s->op == OP_SUM_COLUMNS;
  }
  f->partial = sums ? writes(r, w.partial, SIZE(PARTS, f->count, f->columns)) : NULL;
}
