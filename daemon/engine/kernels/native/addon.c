/*
 * The Node-API door. levels(): names of what the processor can run, best first. create(buffers, code, threads, level) ->
 * program; run(program) -> Promise; runNow(program), on this thread;
 * update(program, ...) and copyRows(program, ...), see below; seconds(program): what each operation took when it ran last;
 * free(program).
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include "program.h"

typedef struct {
  Program *program;
  /* Keeps the buffers alive. */
  napi_ref buffers;
  int running, freed;
} Handle;

typedef struct {
  napi_async_work work;
  napi_deferred deferred;
  Handle *handle;
  int failed;
} Run;

static napi_value fail(napi_env env, const char *message) {
  napi_throw_error(env, NULL, message);
  return NULL;
}

/* Best first. */
static const struct {
  const char *name;
  const Kernels *kernels;
} levels[] = {{"AVX-512", &kernels_avx512}, {"AVX2", &kernels_avx2}};

static int runs(const Kernels *kernels) {
  __builtin_cpu_init();
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (kernels == &kernels_avx2) return avx2;
  return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

static napi_value list_levels(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result, name;
  napi_create_array(env, &result);
  for (unsigned i = 0, n = 0; i < sizeof levels / sizeof *levels; i++) {
    if (!runs(levels[i].kernels)) continue;
    napi_create_string_utf8(env, levels[i].name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, result, n++, name);
  }
  return result;
}

static const Kernels *level_named(napi_env env, napi_value value) {
  char name[16];
  if (napi_get_value_string_utf8(env, value, name, sizeof name, NULL) != napi_ok) return NULL;
  for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++)
    if (strcmp(name, levels[i].name) == 0 && runs(levels[i].kernels)) return levels[i].kernels;
  return NULL;
}

static void release(napi_env env, Handle *handle) {
  if (handle->freed) return;
  handle->freed = 1;
  program_free(handle->program);
  napi_delete_reference(env, handle->buffers);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)hint;
  release(env, data);
  free(data);
}

static napi_value create(napi_env env, napi_callback_info info) {
  size_t argc = 4, length, code_length;
  napi_value args[4], result;
  int32_t threads;
  int32_t *code;
  napi_typedarray_type type;
  uint32_t count;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 4 ||
      napi_get_array_length(env, args[0], &count) != napi_ok ||
      napi_get_typedarray_info(env, args[1], &type, &code_length, (void **)&code, NULL, NULL) != napi_ok ||
      type != napi_int32_array || napi_get_value_int32(env, args[2], &threads) != napi_ok)
    return fail(env, "create(buffers, code, threads, level)");
  const Kernels *kernels = level_named(env, args[3]);
  if (!kernels) return fail(env, "create: no such level on this processor");
  float **buffers = malloc((count + 1) * sizeof *buffers);
  if (!buffers) return fail(env, "out of memory");
  for (uint32_t i = 0; i < count; i++) {
    napi_value buffer;
    if (napi_get_element(env, args[0], i, &buffer) != napi_ok ||
        napi_get_typedarray_info(env, buffer, &type, &length, (void **)&buffers[i], NULL, NULL) != napi_ok ||
        type != napi_float32_array) {
      free(buffers);
      return fail(env, "buffers are Float32Arrays");
    }
  }
  Handle *handle = calloc(1, sizeof *handle);
  if (handle) handle->program = program_create(buffers, code, code_length, threads, kernels);
  free(buffers);
  if (!handle || !handle->program) {
    free(handle);
    return fail(env, "the program cannot be built");
  }
  napi_create_reference(env, args[0], 1, &handle->buffers);
  napi_create_external(env, handle, finalize, NULL, &result);
  return result;
}

static Handle *handle_of(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value arg;
  Handle *handle;
  if (napi_get_cb_info(env, info, &argc, &arg, NULL, NULL) != napi_ok || argc < 1 ||
      napi_get_value_external(env, arg, (void **)&handle) != napi_ok || handle->freed)
    return NULL;
  return handle;
}

static void execute(napi_env env, void *data) {
  (void)env;
  Run *run = data;
  run->failed = program_run(run->handle->program);
}

static void complete(napi_env env, napi_status status, void *data) {
  Run *run = data;
  napi_value value;
  run->handle->running = 0;
  if (status == napi_ok && !run->failed) {
    napi_get_undefined(env, &value);
    napi_resolve_deferred(env, run->deferred, value);
  } else {
    napi_value message;
    napi_create_string_utf8(env, "out of memory", NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, NULL, message, &value);
    napi_reject_deferred(env, run->deferred, value);
  }
  napi_delete_async_work(env, run->work);
  free(run);
}

static napi_value run_program(napi_env env, napi_callback_info info) {
  Handle *handle = handle_of(env, info);
  if (!handle || handle->running) return fail(env, "run(program): it is freed, or running");
  Run *run = calloc(1, sizeof *run);
  if (!run) return fail(env, "out of memory");
  napi_value promise, name;
  run->handle = handle;
  handle->running = 1;
  napi_create_promise(env, &run->deferred, &promise);
  napi_create_string_utf8(env, "lc-prune training step", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, execute, complete, run, &run->work);
  napi_queue_async_work(env, run->work);
  return promise;
}

static napi_value run_now(napi_env env, napi_callback_info info) {
  Handle *handle = handle_of(env, info);
  if (!handle || handle->running) return fail(env, "runNow(program): it is freed, or running");
  return program_run(handle->program) ? fail(env, "out of memory") : NULL;
}

/* update(program, memory, w, v, g, target, keep, n, eta, momentum, decay, mu, nesterov): offsets in bytes, 0 for none. */
static napi_value update(napi_env env, napi_callback_info info) {
  enum { COUNT = 13 };
  size_t argc = COUNT, length;
  napi_value args[COUNT];
  napi_typedarray_type type;
  uint8_t *memory;
  double x[COUNT];
  Handle *handle = handle_of(env, info);
  if (!handle || handle->running) return fail(env, "update(program): it is freed, or running");
  int good = napi_get_cb_info(env, info, &argc, args, NULL, NULL) == napi_ok && argc == COUNT &&
             napi_get_typedarray_info(env, args[1], &type, &length, (void **)&memory, NULL, NULL) == napi_ok &&
             type == napi_uint8_array;
  for (int i = 2; good && i < COUNT; i++) good = napi_get_value_double(env, args[i], &x[i]) == napi_ok;
  for (int i = 2; good && i < 7; i++) good = x[i] >= 0 && x[i] + (i < 6 ? 4 : 1) * x[7] <= length;
  if (!good) return fail(env, "update(program, memory, offsets, n, settings)");
#define VECTOR(i) (x[i] > 0 ? memory + (size_t)x[i] : NULL)
  LcUpdate job = {
      .w = (float *)VECTOR(2), .v = (float *)VECTOR(3), .g = (float *)VECTOR(4), .target = (float *)VECTOR(5),
      .keep = VECTOR(6), .n = x[7], .eta = x[8], .momentum = x[9], .decay = x[10], .mu = x[11], .nesterov = x[12],
  };
#undef VECTOR
  program_update(handle->program, &job);
  return NULL;
}

/* copyRows(program, rows, width, indices, from, count, out) */
static napi_value copy_rows(napi_env env, napi_callback_info info) {
  enum { COUNT = 7 };
  size_t argc = COUNT, length, numbers, room;
  napi_value args[COUNT];
  napi_typedarray_type type[3];
  float *rows, *out;
  uint32_t *indices;
  int64_t width, from, count;
  Handle *handle = handle_of(env, info);
  if (!handle || handle->running) return fail(env, "copyRows(program): it is freed, or running");
  int good = napi_get_cb_info(env, info, &argc, args, NULL, NULL) == napi_ok && argc == COUNT &&
             napi_get_typedarray_info(env, args[1], &type[0], &length, (void **)&rows, NULL, NULL) == napi_ok &&
             napi_get_value_int64(env, args[2], &width) == napi_ok &&
             napi_get_typedarray_info(env, args[3], &type[1], &numbers, (void **)&indices, NULL, NULL) == napi_ok &&
             napi_get_value_int64(env, args[4], &from) == napi_ok && napi_get_value_int64(env, args[5], &count) == napi_ok &&
             napi_get_typedarray_info(env, args[6], &type[2], &room, (void **)&out, NULL, NULL) == napi_ok &&
             type[0] == napi_float32_array && type[1] == napi_uint32_array && type[2] == napi_float32_array;
  good = good && width > 0 && from >= 0 && count >= 0 && count <= INT32_MAX && from + count <= (int64_t)numbers &&
         count <= (int64_t)room / width;
  for (int64_t i = 0; good && i < count; i++) good = indices[from + i] < length / width;
  if (!good) return fail(env, "copyRows(program, rows, width, indices, from, count, out)");
  LcCopy copy = {.rows = rows, .width = width, .indices = indices + from, .count = count, .out = out};
  program_copy(handle->program, &copy);
  return NULL;
}

static napi_value seconds(napi_env env, napi_callback_info info) {
  Handle *handle = handle_of(env, info);
  if (!handle || handle->running) return fail(env, "seconds(program): it is freed, or running");
  napi_value result, value;
  napi_create_array(env, &result);
  for (int i = 0; i < program_size(handle->program); i++) {
    napi_create_double(env, program_seconds(handle->program, i), &value);
    napi_set_element(env, result, i, value);
  }
  return result;
}

static napi_value free_program(napi_env env, napi_callback_info info) {
  Handle *handle = handle_of(env, info);
  if (handle && handle->running) return fail(env, "free(program): it is running");
  if (handle) release(env, handle);
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor properties[] = {
      {"levels", NULL, list_levels, NULL, NULL, NULL, napi_enumerable, NULL},
      {"create", NULL, create, NULL, NULL, NULL, napi_enumerable, NULL},
      {"run", NULL, run_program, NULL, NULL, NULL, napi_enumerable, NULL},
      {"runNow", NULL, run_now, NULL, NULL, NULL, napi_enumerable, NULL},
      {"update", NULL, update, NULL, NULL, NULL, napi_enumerable, NULL},
      {"copyRows", NULL, copy_rows, NULL, NULL, NULL, napi_enumerable, NULL},
      {"seconds", NULL, seconds, NULL, NULL, NULL, napi_enumerable, NULL},
      {"free", NULL, free_program, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
  return exports;
}
