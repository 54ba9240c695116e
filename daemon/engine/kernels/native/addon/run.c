/* run(program) -> Promise, on a thread of the pool; runNow(program), on this one. */
#include <stdlib.h>
#include "addon/door.h"
#include "addon/handle.h"

typedef struct {
  napi_async_work work;
  napi_deferred deferred;
  /* The program object, which must outlive the run. */
  napi_ref object;
  Handle *handle;
  int failed;
} Run;

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

napi_value run_program(napi_env env, napi_callback_info info) {
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

napi_value run_now(napi_env env, napi_callback_info info) {
  napi_value object;
  Handle *handle = handle_of(env, info, &object);
  if (!handle || handle->running) return fail(env, no_program);
  if (!memory_is_there(env, handle)) return fail(env, moved);
  return program_run(handle->program) ? fail(env, "out of memory") : NULL;
}
