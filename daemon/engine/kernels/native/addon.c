/*
 * The Node-API door. layout: the hash of layout.json that the kernels were compiled with. levels(): names of what the processor can run, best first. create(buffers, code, threads, level) ->
 * program; run(program) -> Promise; runNow(program), on this thread;
 * update(program, ...) and copyRows(program, ...), see below; seconds(program): what each operation took when it ran last;
 * free(program).
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "program/program.h"

/* What a program object holds. */
typedef struct {
  Program *program;
  /* The memory behind its buffers, each once, in an array of our own: kept alive, and looked at before it is used. */
  napi_ref memories;
  uint32_t memory_count;
  int running, freed;
} Handle;

typedef struct {
  napi_async_work work;
  napi_deferred deferred;
  /* The program object, which must outlive the run. */
  napi_ref object;
  Handle *handle;
  int failed;
} Run;

/* Marks program objects: nothing else that JavaScript hands in is taken for one. */
static const napi_type_tag program_tag = {0x5f0c8d1b7e9a4f3dULL, 0x9b2e6c4a1d8f7035ULL};

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
  handle->program = NULL;
  napi_delete_reference(env, handle->memories);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)hint;
  Handle *handle = data;
  /* A run holds its program object, so this is the end of the environment: the thread that runs still needs both. */
  if (handle->running) return;
  release(env, handle);
  free(handle);
}

/* Adds the memory of a typed array, unless it is there. */
static int keep_memory(napi_env env, napi_value memories, uint32_t *count, napi_value memory) {
  for (uint32_t i = 0; i < *count; i++) {
    napi_value known;
    bool same;
    if (napi_get_element(env, memories, i, &known) != napi_ok || napi_strict_equals(env, known, memory, &same) != napi_ok) return 0;
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
    if (napi_get_element(env, list, i, &buffer) != napi_ok || napi_is_typedarray(env, buffer, &typed) != napi_ok || !typed ||
        napi_get_typedarray_info(env, buffer, &type, &length, (void **)&buffers[i], &memory, NULL) != napi_ok ||
        type != napi_float32_array || !keep_memory(env, memories, memory_count, memory))
      return 0;
    sizes[i] = length;
  }
  return 1;
}

static napi_value create(napi_env env, napi_callback_info info) {
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
  if (!wrong && (napi_create_array(env, &memories) != napi_ok ||
                 !read_buffers(env, args[0], count, buffers, sizes, memories, &handle->memory_count)))
    wrong = "buffers are Float32Arrays";
  if (!wrong) {
    const Memory memory = {buffers, sizes, count};
    Refusal refusal;
    handle->program = program_create(&memory, code, code_length, threads, kernels, &refusal);
    if (!handle->program) {
      snprintf(message, sizeof message, "the program cannot be built: operation %d: %s", refusal.operation, refusal.reason);
      wrong = message;
    }
  }
  free(buffers), free(sizes);
  if (!wrong && (napi_create_object(env, &result) != napi_ok || napi_type_tag_object(env, result, &program_tag) != napi_ok ||
                 napi_create_reference(env, memories, 1, &handle->memories) != napi_ok ||
                 napi_wrap(env, result, handle, finalize, NULL, NULL) != napi_ok))
    wrong = "the program object cannot be made";
  if (!wrong) return result;
  if (handle) {
    program_free(handle->program);
    if (handle->memories) napi_delete_reference(env, handle->memories);
    free(handle);
  }
  return fail(env, wrong);
}

/* The handle of the first argument, which is stored in *object; NULL unless it is a program that is not freed. */
static Handle *handle_of(napi_env env, napi_callback_info info, napi_value *object) {
  size_t argc = 1;
  Handle *handle;
  bool tagged;
  napi_valuetype type;
  if (napi_get_cb_info(env, info, &argc, object, NULL, NULL) != napi_ok || argc < 1 ||
      napi_typeof(env, *object, &type) != napi_ok || type != napi_object ||
      napi_check_object_type_tag(env, *object, &program_tag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(env, *object, (void **)&handle) != napi_ok || handle->freed)
    return NULL;
  return handle;
}

/* Whether the buffers are where they were: memory that was transferred or has grown is not. */
static int memory_is_there(napi_env env, const Handle *handle) {
  napi_value memories, memory;
  bool plain, detached;
  if (napi_get_reference_value(env, handle->memories, &memories) != napi_ok) return 0;
  for (uint32_t i = 0; i < handle->memory_count; i++)
    if (napi_get_element(env, memories, i, &memory) != napi_ok || napi_is_arraybuffer(env, memory, &plain) != napi_ok ||
        (plain && (napi_is_detached_arraybuffer(env, memory, &detached) != napi_ok || detached)))
      return 0;
  return 1;
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
  napi_delete_reference(env, run->object);
  free(run);
}

static const char no_program[] = "this is no program, it is freed, or it is running";
static const char moved[] = "the memory of a buffer was transferred or has grown";

static napi_value run_program(napi_env env, napi_callback_info info) {
  napi_value object, promise, name;
  Handle *handle = handle_of(env, info, &object);
  if (!handle || handle->running) return fail(env, no_program);
  if (!memory_is_there(env, handle)) return fail(env, moved);
  Run *run = calloc(1, sizeof *run);
  if (!run) return fail(env, "out of memory");
  run->handle = handle;
  if (napi_create_reference(env, object, 1, &run->object) != napi_ok ||
      napi_create_string_utf8(env, "lc-prune training step", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, NULL, name, execute, complete, run, &run->work) != napi_ok ||
      napi_create_promise(env, &run->deferred, &promise) != napi_ok) {
    if (run->work) napi_delete_async_work(env, run->work);
    if (run->object) napi_delete_reference(env, run->object);
    free(run);
    return fail(env, "the run cannot be queued");
  }
  handle->running = 1;
  if (napi_queue_async_work(env, run->work) != napi_ok) {
    /* Rejects, and releases what the run holds. */
    run->failed = 1;
    complete(env, napi_ok, run);
  }
  return promise;
}

static napi_value run_now(napi_env env, napi_callback_info info) {
  napi_value object;
  Handle *handle = handle_of(env, info, &object);
  if (!handle || handle->running) return fail(env, no_program);
  if (!memory_is_there(env, handle)) return fail(env, moved);
  return program_run(handle->program) ? fail(env, "out of memory") : NULL;
}

/* A whole number in [0, most] that is a multiple of `unit`. */
static int counts(double x, double most, double unit) { return x >= 0 && x <= most && x / unit == (double)(int64_t)(x / unit); }

/* update(program, memory, w, v, g, target, keep, n, eta, momentum, decay, mu, nesterov): offsets in bytes, 0 for none. */
static napi_value update(napi_env env, napi_callback_info info) {
  enum { COUNT = 13, MOST_WEIGHTS = MOST_FLOATS };
  size_t argc = COUNT, length;
  napi_value args[COUNT];
  napi_typedarray_type type;
  uint8_t *memory;
  double x[COUNT];
  bool typed;
  Handle *handle = handle_of(env, info, args);
  if (!handle || handle->running) return fail(env, no_program);
  int good = napi_get_cb_info(env, info, &argc, args, NULL, NULL) == napi_ok && argc == COUNT &&
             napi_is_typedarray(env, args[1], &typed) == napi_ok && typed &&
             napi_get_typedarray_info(env, args[1], &type, &length, (void **)&memory, NULL, NULL) == napi_ok &&
             type == napi_uint8_array && (uintptr_t)memory % sizeof(float) == 0;
  for (int i = 2; good && i < COUNT; i++) good = napi_get_value_double(env, args[i], &x[i]) == napi_ok;
  good = good && counts(x[7], MOST_WEIGHTS, 1);
  for (int i = 2; good && i < 7; i++)
    good = counts(x[i], length, i < 6 ? sizeof(float) : 1) && x[i] + (i < 6 ? sizeof(float) : 1) * x[7] <= length;
  /* Target and keep may be none. */
  good = good && x[2] > 0 && x[3] > 0 && x[4] > 0;
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
  enum { COUNT = 7, MOST_COPIED = 1 << 30 };
  size_t argc = COUNT, length, numbers, room;
  napi_value args[COUNT];
  napi_typedarray_type type[3];
  float *rows, *out;
  uint32_t *indices;
  int64_t width, from, count;
  bool typed = true;
  Handle *handle = handle_of(env, info, args);
  if (!handle || handle->running) return fail(env, no_program);
  int good = napi_get_cb_info(env, info, &argc, args, NULL, NULL) == napi_ok && argc == COUNT;
  for (int i = 1; good && i < COUNT; i = i == 1 ? 3 : i == 3 ? 6 : COUNT)
    good = napi_is_typedarray(env, args[i], &typed) == napi_ok && typed;
  good = good &&
             napi_get_typedarray_info(env, args[1], &type[0], &length, (void **)&rows, NULL, NULL) == napi_ok &&
             napi_get_value_int64(env, args[2], &width) == napi_ok &&
             napi_get_typedarray_info(env, args[3], &type[1], &numbers, (void **)&indices, NULL, NULL) == napi_ok &&
             napi_get_value_int64(env, args[4], &from) == napi_ok && napi_get_value_int64(env, args[5], &count) == napi_ok &&
             napi_get_typedarray_info(env, args[6], &type[2], &room, (void **)&out, NULL, NULL) == napi_ok &&
             type[0] == napi_float32_array && type[1] == napi_uint32_array && type[2] == napi_float32_array;
  good = good && width > 0 && from >= 0 && count >= 0 && count <= MOST_COPIED && from <= (int64_t)numbers - count &&
         count <= (int64_t)room / width;
  for (int64_t i = 0; good && i < count; i++) good = indices[from + i] < length / width;
  if (!good) return fail(env, "copyRows(program, rows, width, indices, from, count, out)");
  LcCopy copy = {.rows = rows, .width = width, .indices = indices + from, .count = count, .out = out};
  program_copy(handle->program, &copy);
  return NULL;
}

static napi_value seconds(napi_env env, napi_callback_info info) {
  napi_value object, result, value;
  Handle *handle = handle_of(env, info, &object);
  if (!handle || handle->running) return fail(env, no_program);
  napi_create_array(env, &result);
  for (int i = 0; i < program_size(handle->program); i++) {
    napi_create_double(env, program_seconds(handle->program, i), &value);
    napi_set_element(env, result, i, value);
  }
  return result;
}

static napi_value free_program(napi_env env, napi_callback_info info) {
  napi_value object;
  Handle *handle = handle_of(env, info, &object);
  if (handle && handle->running) return fail(env, "free(program): it is running");
  if (handle) release(env, handle);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value layout;
  napi_create_string_utf8(env, LAYOUT_HASH, NAPI_AUTO_LENGTH, &layout);
  const napi_property_descriptor properties[] = {
      {"layout", NULL, NULL, NULL, NULL, layout, napi_enumerable, NULL},
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
