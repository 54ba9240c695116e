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
#if defined(__APPLE__)
/* macOS gives a thread AVX-512's registers when it first uses them: only the system knows whether there are any. */
int sysctlbyname(const char *name, void *value, size_t *size, void *new_value, size_t new_size);
static int has(const char *name) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value != 0;
}
#define HAS(feature) has("hw.optional." feature)
#define AVX2 "avx2_0"
#define FIND_FEATURES (void)0
#else
#define HAS(feature) __builtin_cpu_supports(feature)
#define AVX2 "avx2"
#define FIND_FEATURES __builtin_cpu_init()
#endif

static int runs(const Kernels *kernels) {
  FIND_FEATURES;
  int avx2 = HAS(AVX2) && HAS("fma");
  if (kernels == &kernels_avx2) return avx2;
  return avx2 && HAS("avx512f") && HAS("avx512vl") && HAS("avx512dq") && HAS("avx512bw");
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
