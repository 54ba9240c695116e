/* create(buffers, code, threads, level) -> program. */
#include <stdio.h>
#include <stdlib.h>
#include "addon/door.h"
#include "addon/handle.h"

/* Adds the memory of a typed array, unless it is there. */
static int keep_memory(napi_env env, napi_value memories, uint32_t *count, napi_value memory) {
  for (uint32_t i = 0; i < *count; i++) {
    napi_value known;
    bool same;
    if (napi_get_element(env, memories, i, &known) != napi_ok ||
        napi_strict_equals(env, known, memory, &same) != napi_ok)
      return 0;
    if (same) return 1;
  }
  return napi_set_element(env, memories, (*count)++, memory) == napi_ok;
}

/* Where the buffers lie, and how large they are. 1 if all of them are Float32Arrays. */
static int read_buffers(napi_env env, napi_value list, int count, float **buffers, int64_t *sizes, napi_value memories,
                        uint32_t *memory_count) {
  for (int i = 0; i < count; i++) {
    napi_value buffer, memory;
    napi_typedarray_type type;
    size_t length;
    bool typed;
    if (napi_get_element(env, list, i, &buffer) != napi_ok || napi_is_typedarray(env, buffer, &typed) != napi_ok ||
        !typed ||
        napi_get_typedarray_info(env, buffer, &type, &length, (void **)&buffers[i], &memory, NULL) != napi_ok ||
        type != napi_float32_array || !keep_memory(env, memories, memory_count, memory))
      return 0;
    sizes[i] = length;
  }
  return 1;
}

napi_value create(napi_env env, napi_callback_info info) {
  size_t argc = 4, code_length;
  napi_value args[4], result, memories;
  int32_t threads;
  int32_t *code;
  napi_typedarray_type type;
  uint32_t count;
  bool typed;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 4 ||
      napi_get_array_length(env, args[0], &count) != napi_ok || count > INT32_MAX / 16 ||
      napi_is_typedarray(env, args[1], &typed) != napi_ok || !typed ||
      napi_get_typedarray_info(env, args[1], &type, &code_length, (void **)&code, NULL, NULL) != napi_ok ||
      type != napi_int32_array || napi_get_value_int32(env, args[2], &threads) != napi_ok)
    return fail(env, "create(buffers, code, threads, level)");
  const Kernels *kernels = level_named(env, args[3]);
  if (!kernels) return fail(env, "create: no such level on this processor");
  Handle *handle = calloc(1, sizeof *handle);
  float **buffers = malloc((count + 1) * sizeof *buffers);
  int64_t *sizes = malloc((count + 1) * sizeof *sizes);
  const char *wrong = !handle || !buffers || !sizes ? "out of memory" : NULL;
  char message[160];
  if (!wrong &&
      (napi_create_array(env, &memories) != napi_ok ||
       !read_buffers(env, args[0], count, buffers, sizes, memories, &handle->memory_count)))
    wrong = "buffers are Float32Arrays";
  if (!wrong) {
    const Memory memory = {buffers, sizes, count};
    Refusal refusal;
    handle->program = program_create(&memory, code, code_length, threads, kernels, &refusal);
    if (!handle->program) {
      snprintf(message, sizeof message, "the program cannot be built: operation %d: %s", refusal.operation,
               refusal.reason);
      wrong = message;
    }
  }
  free(buffers), free(sizes);
  if (!wrong && !handle_wrap(env, handle, memories, &result)) wrong = "the program object cannot be made";
  if (!wrong) return result;
  if (handle) {
    program_free(handle->program);
    if (handle->memories) napi_delete_reference(env, handle->memories);
    free(handle);
  }
  return fail(env, wrong);
}
