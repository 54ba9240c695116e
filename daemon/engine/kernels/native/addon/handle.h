/* What the functions of the addon share: the handle of a program, and how a call fails. */
#ifndef LC_HANDLE_H
#define LC_HANDLE_H
#define NAPI_VERSION 8
#include <node_api.h>
#include "program/program.h"

/* What a program object holds. */
typedef struct {
  Program *program;
  /* The memory behind its buffers, each once, in an array of our own: kept alive, and looked at before it is used. */
  napi_ref memories;
  uint32_t memory_count;
  int running, freed;
} Handle;

/* Throws an error. @returns NULL, for the caller to return. */
napi_value fail(napi_env env, const char *message);

/* Makes the object of a program, which frees it when nobody has it any more. 1 where it could. */
int handle_wrap(napi_env env, Handle *handle, napi_value memories, napi_value *object);
/* The handle of the first argument, which is stored in *object; NULL unless it is a program that is not freed. */
Handle *handle_of(napi_env env, napi_callback_info info, napi_value *object);
/* Whether the buffers are where they were: memory that was transferred or has grown is not. */
int memory_is_there(napi_env env, const Handle *handle);
void handle_release(napi_env env, Handle *handle);

extern const char no_program[];
extern const char moved[];
#endif
