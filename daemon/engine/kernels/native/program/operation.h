/* One operation of a program, decoded: what the decoder reads and checks, and program.c runs. */
#ifndef LC_OPERATION_H
#define LC_OPERATION_H
#include <stdint.h>
#include "runtime.h"

/* Floats that an operation may touch; the rest of every buffer is no business of its kernel. */
typedef struct {
  float *from;
  int64_t floats;
  int written;
} Operand;
#define MOST_OPERANDS 8

typedef struct {
  int kind;
  /* Of the last run. */
  uint64_t nanoseconds;
  /* But for a fused operation, whose steps name theirs. */
  Operand operands[MOST_OPERANDS];
  int operand_count;
  union {
    Gemm gemm;
    Convolution convolution;
    InputGradient input_gradient;
    FilterGradient filter_gradient;
    Depthwise depthwise;
    Pooling pooling;
    Fused fused;
    Reduce reduce;
    Scan scan;
    Move move;
    Rows rows;
  };
} Operation;

/* Whether a step of a fused operation names a tensor, and how many floats of it the operation touches. */
int step_has_tensor(int op);
int64_t step_floats(const Fused *fused, const Step *step);

/* The memory that code may name: `count` buffers of `sizes` floats. */
typedef struct {
  float *const *buffers;
  const int64_t *sizes;
  int count;
} Memory;

/*
 * Decodes the operation at *at (before `end`) and checks it: every word is there, every size is in range, every operand
 * lies inside its buffer, nothing that is written overlaps something else. `steps`: room for the steps of fused ones,
 * moved behind what it uses; a step takes STEP_WORDS words. Returns NULL, or what is wrong.
 */
const char *operation_decode(const Memory *memory, const int32_t **at, const int32_t *end, Step **steps, Operation *op);
#endif
