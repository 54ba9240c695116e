/*
 * The Node-API door: layout, the hash of layout.json that the kernels were compiled with; levels(), names of what the
 * processor can run, best first; create(buffers, code, threads, level) -> program; run(program) -> Promise;
 * runNow(program), on this thread; update(program, ...) and copyRows(program, ...), see vectors.c; seconds(program),
 * what each operation took when it ran last; free(program).
 */
#include "addon/door.h"
#include "addon/handle.h"

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
  if (handle) handle_release(env, handle);
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
