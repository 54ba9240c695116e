/* The object that stands for a program in JavaScript. */
#include "addon/handle.h"
#include <stdlib.h>

/* Marks program objects: nothing else that JavaScript hands in is taken for one. */
static const napi_type_tag program_tag = {0x5f0c8d1b7e9a4f3dULL, 0x9b2e6c4a1d8f7035ULL};

const char no_program[] = "this is no program, it is freed, or it is running";
const char moved[] = "the memory of a buffer was transferred or has grown";

napi_value fail(napi_env env, const char *message) {
  napi_throw_error(env, NULL, message);
  return NULL;
}

void handle_release(napi_env env, Handle *handle) {
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
  handle_release(env, handle);
  free(handle);
}

int handle_wrap(napi_env env, Handle *handle, napi_value memories, napi_value *object) {
  return napi_create_object(env, object) == napi_ok && napi_type_tag_object(env, *object, &program_tag) == napi_ok &&
      napi_create_reference(env, memories, 1, &handle->memories) == napi_ok &&
      napi_wrap(env, *object, handle, finalize, NULL, NULL) == napi_ok;
}

Handle *handle_of(napi_env env, napi_callback_info info, napi_value *object) {
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

int memory_is_there(napi_env env, const Handle *handle) {
  napi_value memories, memory;
  bool plain, detached;
  if (napi_get_reference_value(env, handle->memories, &memories) != napi_ok) return 0;
  for (uint32_t i = 0; i < handle->memory_count; i++)
    if (napi_get_element(env, memories, i, &memory) != napi_ok || napi_is_arraybuffer(env, memory, &plain) != napi_ok ||
        (plain && (napi_is_detached_arraybuffer(env, memory, &detached) != napi_ok || detached)))
      return 0;
  return 1;
}
