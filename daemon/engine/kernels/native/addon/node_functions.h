/*
 * What the addon calls in the program that loads it: Node, or an Electron application. The build reads the names, too:
 * on macOS nothing else may be undefined.
 */
#ifndef LC_NODE_FUNCTIONS_H
#define LC_NODE_FUNCTIONS_H

#define NODE_FUNCTIONS(X)          \
  X(napi_check_object_type_tag)    \
  X(napi_create_array)             \
  X(napi_create_async_work)        \
  X(napi_create_double)            \
  X(napi_create_error)             \
  X(napi_create_object)            \
  X(napi_create_promise)           \
  X(napi_create_reference)         \
  X(napi_create_string_utf8)       \
  X(napi_define_properties)        \
  X(napi_delete_async_work)        \
  X(napi_delete_reference)         \
  X(napi_get_array_length)         \
  X(napi_get_cb_info)              \
  X(napi_get_element)              \
  X(napi_get_reference_value)      \
  X(napi_get_typedarray_info)      \
  X(napi_get_undefined)            \
  X(napi_get_value_double)         \
  X(napi_get_value_int32)          \
  X(napi_get_value_int64)          \
  X(napi_get_value_string_utf8)    \
  X(napi_is_arraybuffer)           \
  X(napi_is_detached_arraybuffer)  \
  X(napi_is_typedarray)            \
  X(napi_queue_async_work)         \
  X(napi_reject_deferred)          \
  X(napi_resolve_deferred)         \
  X(napi_set_element)              \
  X(napi_strict_equals)            \
  X(napi_throw_error)              \
  X(napi_type_tag_object)          \
  X(napi_typeof)                   \
  X(napi_unwrap)                   \
  X(napi_wrap)                     \
  X(uv_cond_broadcast)             \
  X(uv_cond_destroy)               \
  X(uv_cond_init)                  \
  X(uv_cond_wait)                  \
  X(uv_hrtime)                     \
  X(uv_mutex_destroy)              \
  X(uv_mutex_init)                 \
  X(uv_mutex_lock)                 \
  X(uv_mutex_unlock)               \
  X(uv_sleep)                      \
  X(uv_thread_create)              \
  X(uv_thread_join)

#endif
