/*
 * Reading a program's words, with the checks that every operation needs: a word is there, a buffer and an offset are,
 * sizes are in range, an operand lies inside its buffer and overlaps nothing that is written. Sums and products of
 * sizes are 64 bits wide; none passes MOST_FLOATS, so that kernels may use int. The first fault is kept; later ones may
 * follow from it.
 */
#ifndef LC_READER_H
#define LC_READER_H
#include <stddef.h>
#include <string.h>
#include "program/operation.h"

/* A place in a buffer; `at` is NULL for none. */
typedef struct {
  float *at;
  int64_t before, after;
} Span;

typedef struct {
  const Memory *memory;
  const int32_t *at, *end;
  Operation *op;
  /* The first fault. */
  const char *wrong;
} Reader;

static inline void fault(Reader *r, const char *what) {
  if (!r->wrong) r->wrong = what;
}

static inline int32_t next(Reader *r) {
  if (r->at < r->end) return *r->at++;
  fault(r, "its code ends in the middle of an operation");
  return 0;
}

static inline float number(Reader *r) {
  int32_t word = next(r);
  float x;
  memcpy(&x, &word, sizeof x);
  return x;
}

/* Two words: the buffer (or -1 for none) and the offset in floats. */
static inline Span span(Reader *r) {
  int32_t buffer = next(r), offset = next(r);
  if (buffer == -1) return (Span){0};
  if (buffer < 0 || buffer >= r->memory->count) {
    fault(r, "there is no such buffer");
    return (Span){0};
  }
  int64_t size = r->memory->sizes[buffer];
  if (offset < 0 || offset > size) {
    fault(r, "an offset lies outside its buffer");
    return (Span){0};
  }
  return (Span){r->memory->buffers[buffer] + offset, offset, size - offset};
}

/* The product of sizes; 0 and a fault unless each is at least 1 and no product is larger than `most`. */
static inline int64_t bounded(Reader *r, int64_t most, int count, const int64_t *sizes) {
  int64_t product = 1;
  for (int i = 0; i < count; i++) {
    if (sizes[i] < 1 || sizes[i] > most / product) {
      fault(r, "a size is out of range");
      return 0;
    }
    product *= sizes[i];
  }
  return product;
}
#define COUNT(...) (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define SIZE(...) bounded(r, MOST_FLOATS, COUNT(__VA_ARGS__), (const int64_t[]){__VA_ARGS__})
#define SIDES(...) bounded(r, MOST_SIDE, COUNT(__VA_ARGS__), (const int64_t[]){__VA_ARGS__})

static inline int overlap(const Operand *a, const Operand *b) {
  return a->from < b->from + b->floats && b->from < a->from + a->floats;
}

/* Notes that the operation touches so many floats from `from`, which lie in the span. */
static inline void touch(Reader *r, float *from, int64_t floats, int written) {
  Operation *op = r->op;
  Operand operand = {from, floats, written};
  for (int i = 0; i < op->operand_count; i++)
    if ((written || op->operands[i].written) && overlap(&operand, &op->operands[i]))
      fault(r, "what an operation writes overlaps what it reads");
  op->operands[op->operand_count++] = operand;
}

/* The operand at a span: it must be there, and have so many floats. */
static inline float *need(Reader *r, Span s, int64_t floats, int written) {
  if (r->wrong) return NULL;
  if (!s.at) fault(r, "an operand is missing");
  else if (floats > s.after) fault(r, "an operand reaches outside its buffer");
  else {
    touch(r, s.at, floats, written);
    return s.at;
  }
  return NULL;
}
static inline float *reads(Reader *r, Span s, int64_t floats) { return need(r, s, floats, 0); }
static inline float *writes(Reader *r, Span s, int64_t floats) { return need(r, s, floats, 1); }
/* May be none. */
static inline float *may_read(Reader *r, Span s, int64_t floats) { return s.at ? reads(r, s, floats) : NULL; }
static inline float *may_write(Reader *r, Span s, int64_t floats) { return s.at ? writes(r, s, floats) : NULL; }

#endif
