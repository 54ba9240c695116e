/* The functions of the addon; addon.c says what each takes. */
#ifndef LC_DOOR_H
#define LC_DOOR_H
#define NAPI_VERSION 8
#include <node_api.h>
#include "runtime.h"

napi_value list_levels(napi_env env, napi_callback_info info);
napi_value create(napi_env env, napi_callback_info info);
napi_value run_program(napi_env env, napi_callback_info info);
napi_value run_now(napi_env env, napi_callback_info info);
napi_value update(napi_env env, napi_callback_info info);
napi_value copy_rows(napi_env env, napi_callback_info info);

/* The kernels of a level by its name; NULL where this processor does not have it. */
const Kernels *level_named(napi_env env, napi_value value);
#endif
