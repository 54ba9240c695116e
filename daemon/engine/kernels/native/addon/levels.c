/* The levels of instructions that the kernels are compiled for, and whether this processor has them. */
#include <string.h>
#include "addon/door.h"

/* Best first. */
static const struct {
  const char *name;
  const Kernels *kernels;
} levels[] = {
#if defined(__aarch64__)
    {"NEON", &kernels_neon}
#else
    {"AVX-512", &kernels_avx512}, {"AVX2", &kernels_avx2}
#endif
};

#if defined(__aarch64__)
/* Every processor of this architecture has NEON. */
static int runs(const Kernels *kernels) { return kernels == &kernels_neon; }
#else
static int runs(const Kernels *kernels) {
  __builtin_cpu_init();
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (kernels == &kernels_avx2) return avx2;
  return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

napi_value list_levels(napi_env env, napi_callback_info info) {
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

const Kernels *level_named(napi_env env, napi_value value) {
  char name[16];
  if (napi_get_value_string_utf8(env, value, name, sizeof name, NULL) != napi_ok) return NULL;
  for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++)
    if (strcmp(name, levels[i].name) == 0 && runs(levels[i].kernels)) return levels[i].kernels;
  return NULL;
}
