#ifndef LC_PROGRAM_H
#define LC_PROGRAM_H
#include "program/operation.h"
#include "program/thread_pool.h"

typedef struct Program Program;

/* Why a program was not built, and at which of its operations; -1 for none of them. */
typedef struct {
  const char *reason;
  int operation;
} Refusal;

/*
 * Decodes and checks operations; code is written by daemon/engine/native/encode.ts. The buffers that memory names are
 * the caller's, and must stay where they are while the program lives. NULL and a refusal when memory cannot be had or
 * the code is not that of a program on such buffers.
 */
Program *program_create(const Memory *memory, const int32_t *code, int64_t length, int threads, const Kernels *kernels,
                        Refusal *refusal);
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
  int64_t width;
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
