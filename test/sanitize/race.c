/*
 * The thread pool under the thread sanitizer: `race PROGRAMS SECONDS SEED`. PROGRAMS is written by dump.ts: for each program
 * the number of buffers, their sizes in floats, the length of its code, and the code, as 32-bit words. Runs all of them in
 * turn on 2 to 5 threads, with updates and copies between, and compares each result with that of one thread, bit by bit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "program/program.h"

static uint64_t state;
static uint32_t random_bits(void) {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return state >> 33;
}

static void *checked(void *memory) {
  if (memory) return memory;
  fprintf(stderr, "out of memory\n");
  exit(2);
}

typedef struct {
  Memory memory;
  float **given;
  const int32_t *code;
  int length;
} Sample;

static void allocate(Sample *s) {
  float **buffers = checked(malloc((s->memory.count + 1) * sizeof *buffers));
  s->given = checked(malloc((s->memory.count + 1) * sizeof *s->given));
  for (int i = 0; i < s->memory.count; i++) {
    long size = s->memory.sizes[i];
    buffers[i] = checked(malloc((size + 1) * sizeof(float)));
    s->given[i] = checked(malloc((size + 1) * sizeof(float)));
    for (long j = 0; j < size; j++) s->given[i][j] = (int32_t)(random_bits() % 2001 - 1000) * 1e-3f;
  }
  s->memory.buffers = buffers;
}

static void refill(const Sample *s) {
  for (int i = 0; i < s->memory.count; i++) memcpy(s->memory.buffers[i], s->given[i], s->memory.sizes[i] * sizeof(float));
}

static uint64_t hash_of(const Sample *s) {
  uint64_t hash = 1469598103934665603ULL;
  for (int i = 1; i < s->memory.count; i++)
    for (long j = 0; j < s->memory.sizes[i]; j++) {
      uint32_t bits;
      memcpy(&bits, &s->memory.buffers[i][j], sizeof bits);
      hash = (hash ^ bits) * 1099511628211ULL;
    }
  return hash;
}

/* Vectors long enough for many tasks. */
#define WEIGHTS 50000
static float vectors[4][WEIGHTS];
static uint8_t keep[WEIGHTS];
#define ROW_WIDTH 37
#define COPIED 900
static float copied[COPIED * ROW_WIDTH];
static uint32_t indices[COPIED];

static void update_and_copy(Program *p) {
  LcUpdate update = {.w = vectors[0], .v = vectors[1], .g = vectors[2], .target = vectors[3], .keep = keep, .n = WEIGHTS,
                     .nesterov = 1, .eta = 0.01f, .momentum = 0.9f, .decay = 1e-4f, .mu = 1e-3f};
  program_update(p, &update);
  LcCopy copy = {.rows = vectors[2], .width = ROW_WIDTH, .indices = indices, .count = COPIED, .out = copied};
  program_copy(p, &copy);
}

static uint64_t run_once(const Sample *s, const Kernels *kernels, int threads, int times) {
  Refusal refusal;
  Program *p = program_create(&s->memory, s->code, s->length, threads, kernels, &refusal);
  if (!p) {
    fprintf(stderr, "operation %d: %s\n", refusal.operation, refusal.reason);
    exit(2);
  }
  for (int i = 0; i < times; i++) {
    refill(s);
    if (program_run(p)) exit(2);
    if (random_bits() % 4 == 0) update_and_copy(p);
  }
  program_free(p);
  return hash_of(s);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  FILE *file = fopen(argv[1], "rb");
  if (!file) return 2;
  fseek(file, 0, SEEK_END);
  long bytes = ftell(file);
  rewind(file);
  int32_t *words = checked(malloc(bytes));
  if (fread(words, 1, bytes, file) != (size_t)bytes) return 2;
  fclose(file);
  state = strtoull(argv[3], NULL, 10);
  for (int i = 0; i < COPIED; i++) indices[i] = random_bits() % (WEIGHTS / ROW_WIDTH);

  static Sample samples[512];
  int count = 0;
  for (const int32_t *at = words, *end = words + bytes / 4; at < end && count < 512; count++) {
    Sample *s = &samples[count];
    s->memory.count = *at++;
    int64_t *sizes = checked(malloc((s->memory.count + 1) * sizeof *sizes));
    for (int i = 0; i < s->memory.count; i++) sizes[i] = *at++;
    s->memory.sizes = sizes;
    s->length = *at++;
    s->code = at;
    at += s->length;
    allocate(s);
  }
  __builtin_cpu_init();
  int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
  long runs = 0, rounds = 0;
  for (time_t end = time(NULL) + atol(argv[2]); rounds == 0 || time(NULL) < end; rounds++)
    for (int i = 0; i < count; i++) {
      const Kernels *kernels = wide && random_bits() % 2 ? &kernels_avx512 : &kernels_avx2;
      int threads = 2 + random_bits() % 4, times = 1 + random_bits() % 8;
      uint64_t expected = run_once(&samples[i], kernels, 1, 1), found = run_once(&samples[i], kernels, threads, times);
      if (found != expected) {
        fprintf(stderr, "program %d gives other bits on %d threads\n", i, threads);
        return 1;
      }
      runs += times + 1;
    }
  printf("{\"programs\":%d,\"rounds\":%ld,\"runs\":%ld}\n", count, rounds, runs);
  return 0;
}
