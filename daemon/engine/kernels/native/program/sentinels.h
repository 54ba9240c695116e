/*
 * In a build with the address sanitizer, everything but an operation's own operands is poisoned while it runs: a kernel
 * that reads or writes a float too far is caught, though the arena's tensors lie side by side. Otherwise nothing.
 */
#ifndef LC_SENTINELS_H
#define LC_SENTINELS_H
#include "program/operation.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>

static inline void sentinels_set(const Memory *memory, const Operation *op) {
  for (int i = 0; i < memory->count; i++)
    ASAN_POISON_MEMORY_REGION(memory->buffers[i], memory->sizes[i] * sizeof(float));
  for (int i = 0; i < op->operand_count; i++)
    ASAN_UNPOISON_MEMORY_REGION(op->operands[i].from, op->operands[i].floats * sizeof(float));
  if (op->kind != PROGRAM_FUSED) return;
  for (int i = 0; i < op->fused.count; i++) {
    const Step *s = &op->fused.steps[i];
    if (step_has_tensor(s->op)) ASAN_UNPOISON_MEMORY_REGION(s->in, step_floats(&op->fused, s) * sizeof(float));
  }
}
static inline void sentinels_clear(const Memory *memory) {
  for (int i = 0; i < memory->count; i++)
    ASAN_UNPOISON_MEMORY_REGION(memory->buffers[i], memory->sizes[i] * sizeof(float));
}
#else
static inline void sentinels_set(const Memory *memory, const Operation *op) { (void)memory, (void)op; }
static inline void sentinels_clear(const Memory *memory) { (void)memory; }
#endif
#endif
