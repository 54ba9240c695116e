/* The LC-SGD update and copies of rows, on a program's threads. */
#include "addon/door.h"
#include "addon/handle.h"

/* A whole number in [0, most] that is a multiple of `unit`. */
static int counts(double x, double most, double unit) {
  return x >= 0 && x <= most && x / unit == (double)(int64_t)(x / unit);
}

/* update(program, memory, w, v, g, target, keep, n, eta, momentum, decay, mu, nesterov): byte offsets, 0 for none. */
napi_value update(napi_env env, napi_callback_info info) {
  enum {
    COUNT = 13,
    MOST_WEIGHTS = MOST_FLOATS
  };
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
      .w = (float *)VECTOR(2),
      .v = (float *)VECTOR(3),
      .g = (float *)VECTOR(4),
      .target = (float *)VECTOR(5),
      .keep = VECTOR(6),
      .n = x[7],
      .eta = x[8],
      .momentum = x[9],
      .decay = x[10],
      .mu = x[11],
      .nesterov = x[12],
  };
#undef VECTOR
  program_update(handle->program, &job);
  return NULL;
}

/* copyRows(program, rows, width, indices, from, count, out) */
napi_value copy_rows(napi_env env, napi_callback_info info) {
  enum {
    COUNT = 7,
    MOST_COPIED = 1 << 30
  };
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
  good = good && napi_get_typedarray_info(env, args[1], &type[0], &length, (void **)&rows, NULL, NULL) == napi_ok &&
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
