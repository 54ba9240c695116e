#ifndef LC_PROGRAM_H
#define LC_PROGRAM_H
#include "team.h"

typedef struct Program Program;

/*
 * Decodes operations; code is written by daemon/engine/native/encode.ts and trusted. buffers: what tensors lie in, kept
 * by the caller. Returns NULL when memory cannot be had or an operation is unknown.
 */
Program *program_create(float *const *buffers, const int32_t *code, int length, int threads, const Kernels *kernels);
/* Runs all operations. 0, or 1 when memory could not be had. */
int program_run(Program *program);
typedef struct {
  float *w, *v;
  const float *g, *target;
  const uint8_t *keep;
  int n, nesterov;
  float eta, momentum, decay, mu;
} LcUpdate;
/* The LC-SGD update on the program's threads. */
void program_update(Program *program, const LcUpdate *update);
typedef struct {
  const float *rows;
  long width;
  const uint32_t *indices;
  int count;
  float *out;
} LcCopy;
/* Copies rows by number, on the program's threads. */
void program_copy(Program *program, const LcCopy *copy);
/* How many operations there are, and how long each took when they last ran. */
int program_size(const Program *program);
double program_seconds(const Program *program, int operation);
void program_free(Program *program);
#endif
