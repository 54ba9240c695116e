/*
 * The momentum-SGD update of the L step and of retraining, fused: one pass reads w, v, g, (target), (keep) and writes
 * w, v. PyTorch's convention, so that losses can be compared with torch.optim.SGD step by step:
 *   d = g + decay * w + mu * (w - target);  v = momentum * v + d;  w = w - eta * (nesterov ? d + momentum * v : v)
 * Where keep is 0, w and v become exactly 0. See daemon/engine/update/reference.ts, the float64 oracle.
 */
#include "simd.h"

/* A velocity this small (2^-100) moves no float32 weight, but as it decays further it turns denormal, and arithmetic
 * on denormals is 10-100 times as slow. */
#define TINY 0x1p-100f

INLINE float abs1(float x) { return x < 0 ? -x : x; }

INLINE void update(float *w, float *v, const float *g, const float *target, const u8 *keep, int n, float eta,
                   float momentum, float decay, float mu, int nesterov, int penalty, int masked) {
  const vf etas = splat(eta), momenta = splat(momentum), decays = splat(decay), mus = splat(mu), tiny = splat(TINY);
  int i = 0;
  for (; i + LANES <= n; i += LANES) {
    vf x = LOAD(w + i);
    vf d = LOAD(g + i) + decays * x;
    if (penalty) d += mus * (x - LOAD(target + i));
    vf u = momenta * LOAD(v + i) + d;
    vf magnitude = (vf)((vi)u & ((vi){0} + 0x7fffffff));
    /* "not smaller" rather than "larger": a NaN must stay one, or a diverged run would look healthy. */
    u = keep_where(~(magnitude < tiny), u);
    x -= etas * (nesterov ? d + momenta * u : u);
    if (masked) {
      vi kept = __builtin_convertvector(*(const vbu *)(keep + i), vi) != 0;
      x = keep_where(kept, x);
      u = keep_where(kept, u);
    }
    STORE(w + i, x);
    STORE(v + i, u);
  }
  for (; i < n; i++) {
    float x = w[i];
    float d = g[i] + decay * x;
    if (penalty) d += mu * (x - target[i]);
    float u = momentum * v[i] + d;
    if (abs1(u) < TINY) u = 0;
    x -= eta * (nesterov ? d + momentum * u : u);
    if (masked && !keep[i]) x = u = 0;
    w[i] = x;
    v[i] = u;
  }
}

/* target and keep may be null: no penalty, no mask. Native builds name it after their level. */
#ifdef __wasm__
#define UPDATE __attribute__((export_name("update"))) lc_update
#endif
void UPDATE(float *w, float *v, const float *g, const float *target, const u8 *keep, int n, float eta,
               float momentum, float decay, float mu, int nesterov) {
#define CASE(nesterov, penalty, masked) \
  update(w, v, g, target, keep, n, eta, momentum, decay, mu, nesterov, penalty, masked)
  if (nesterov) {
    if (target) keep ? CASE(1, 1, 1) : CASE(1, 1, 0);
    else keep ? CASE(1, 0, 1) : CASE(1, 0, 0);
  } else {
    if (target) keep ? CASE(0, 1, 1) : CASE(0, 1, 0);
    else keep ? CASE(0, 0, 1) : CASE(0, 0, 0);
  }
#undef CASE
}
