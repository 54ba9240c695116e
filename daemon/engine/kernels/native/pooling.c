/* Max pooling that remembers where the maximum was, and its gradient. */
#include <string.h>
#include "runtime.h"
#include "vector.h"

static void max_pool_image(const float *x, int w, int c, const Pool *p, float *y, u8 *index) {
  for (int oy = 0; oy < p->oh; oy++)
    for (int ox = 0; ox < p->ow; ox++, y += c, index += c) {
      const float *window = x + ((long)oy * p->sh * w + ox * p->sw) * c;
      int ch = 0;
      /* The last vector overlaps the one before: the same values again, and no branches on data. */
      for (int next = c < LANES ? c : 0; next < c; next = ch) {
        int first = MIN(next, c - LANES);
        ch = first + LANES;
        vf best = LOAD(window + first);
        vi at = {0};
        for (int ky = 0; ky < p->ph; ky++)
          for (int kx = 0; kx < p->pw; kx++) {
            vf v = LOAD(window + ((long)ky * w + kx) * c + first);
            vi larger = v > best;
            best = select_v(larger, v, best);
            int position = ky * p->pw + kx;
            at = (at & ~larger) | (larger & splat_int(position));
          }
        STORE(y + first, best);
        *(vbu *)(index + first) = __builtin_convertvector(at, vb);
      }
      for (; ch < c; ch++) {
        float best = window[ch];
        int at = 0;
        for (int ky = 0; ky < p->ph; ky++)
          for (int kx = 0; kx < p->pw; kx++) {
            float v = window[((long)ky * w + kx) * c + ch];
            if (v > best) best = v, at = ky * p->pw + kx;
          }
        y[ch] = best;
        index[ch] = at;
      }
    }
}

static void max_pool_gradient_image(const float *dy, const u8 *index, int h, int w, int c, const Pool *p, float *dx) {
  int apart = p->sh >= p->ph && p->sw >= p->pw;
  int whole = p->sh == p->ph && p->sw == p->pw && p->oh * p->sh == h && p->ow * p->sw == w;
  if (!whole) memset(dx, 0, (long)h * w * c * sizeof(float));
  for (int oy = 0; oy < p->oh; oy++)
    for (int ox = 0; ox < p->ow; ox++, dy += c, index += c) {
      float *window = dx + ((long)oy * p->sh * w + ox * p->sw) * c;
      int ch = 0;
      /* As above. */
      if (apart)
        for (int next = c < LANES ? c : 0; next < c; next = ch) {
          int first = MIN(next, c - LANES);
          ch = first + LANES;
          vf g = LOAD(dy + first);
          vi at = __builtin_convertvector(*(const vbu *)(index + first), vi);
          for (int ky = 0; ky < p->ph; ky++)
            for (int kx = 0; kx < p->pw; kx++) {
              int position = ky * p->pw + kx;
              vi here = at == splat_int(position);
              STORE(window + ((long)ky * w + kx) * c + first, (vf)((vi)g & here));
            }
        }
      for (; ch < c; ch++) {
        if (apart)
          for (int ky = 0; ky < p->ph; ky++)
            for (int kx = 0; kx < p->pw; kx++) window[((long)ky * w + kx) * c + ch] = 0;
        window[((long)(index[ch] / p->pw) * w + index[ch] % p->pw) * c + ch] += dy[ch];
      }
    }
}

/* Whether windows reach over the edge: what lies there is no value. */
static int reaches_out(const Pooling *op) {
  const Pool *p = &op->pool;
  return op->top > 0 || op->left > 0 || (p->oh - 1) * p->sh + p->ph > op->h || (p->ow - 1) * p->sw + p->pw > op->w;
}

/* One image, in either direction: index is the position in the whole window. */
static void pool_clipped(const Pooling *op, const float *from, float *to, u8 *index, int backward) {
  const Pool *p = &op->pool;
  int c = op->c;
  if (backward) memset(to, 0, (long)op->h * op->w * c * sizeof(float));
  for (int oy = 0; oy < p->oh; oy++)
    for (int ox = 0; ox < p->ow; ox++)
      for (int ch = 0; ch < c; ch++) {
        long out = ((long)oy * p->ow + ox) * c + ch;
        int y0 = oy * p->sh - op->top, x0 = ox * p->sw - op->left;
        if (backward) {
          to[((long)(y0 + index[out] / p->pw) * op->w + x0 + index[out] % p->pw) * c + ch] += from[out];
          continue;
        }
        float best = -__builtin_inff();
        int at = -1;
        for (int y = MAX(y0, 0); y < MIN(y0 + p->ph, op->h); y++)
          for (int x = MAX(x0, 0); x < MIN(x0 + p->pw, op->w); x++) {
            float v = from[((long)y * op->w + x) * c + ch];
            if (at < 0 || v > best) best = v, at = (y - y0) * p->pw + x - x0;
          }
        to[out] = best;
        index[out] = at;
      }
}

static void pool_image(const void *argument, int image, float *scratch) {
  (void)scratch;
  const Pooling *op = argument;
  long in = (long)image * op->h * op->w * op->c, out = (long)image * op->pool.oh * op->pool.ow * op->c;
  if (reaches_out(op)) {
    pool_clipped(op, op->x + in, op->y + out, op->index + out, 0);
    return;
  }
  max_pool_image(op->x + in, op->w, op->c, &op->pool, op->y + out, op->index + out);
}

static void gradient_image(const void *argument, int image, float *scratch) {
  (void)scratch;
  const Pooling *op = argument;
  long in = (long)image * op->h * op->w * op->c, out = (long)image * op->pool.oh * op->pool.ow * op->c;
  if (reaches_out(op)) {
    pool_clipped(op, op->x + out, op->y + in, op->index + out, 1);
    return;
  }
  max_pool_gradient_image(op->x + out, op->index + out, op->h, op->w, op->c, &op->pool, op->y + in);
}

/* One image: every window visits its pixels inside the image; `to` gathers (forward) or spreads (backward). */
static void average_image(const Pooling *op, const float *from, float *to, int backward) {
  const Pool *p = &op->pool;
  int c = op->c;
  memset(to, 0, (backward ? (long)op->h * op->w : (long)p->oh * p->ow) * c * sizeof(float));
  for (int oy = 0; oy < p->oh; oy++)
    for (int ox = 0; ox < p->ow; ox++) {
      int y0 = oy * p->sh - op->top, x0 = ox * p->sw - op->left;
      int y1 = MIN(y0 + p->ph, op->h), x1 = MIN(x0 + p->pw, op->w);
      y0 = y0 < 0 ? 0 : y0, x0 = x0 < 0 ? 0 : x0;
      float share = 1.0f / ((y1 - y0) * (x1 - x0));
      long out = ((long)oy * p->ow + ox) * c;
      for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
          long in = ((long)y * op->w + x) * c;
          for (int ch = 0; ch < c; ch++)
            if (backward) to[in + ch] += share * from[out + ch];
            else to[out + ch] += share * from[in + ch];
        }
    }
}

static void average(const void *argument, int image, float *scratch) {
  (void)scratch;
  const Pooling *op = argument;
  long in = (long)image * op->h * op->w * op->c, out = (long)image * op->pool.oh * op->pool.ow * op->c;
  average_image(op, op->x + in, op->y + out, 0);
}

static void average_gradient(const void *argument, int image, float *scratch) {
  (void)scratch;
  const Pooling *op = argument;
  long in = (long)image * op->h * op->w * op->c, out = (long)image * op->pool.oh * op->pool.ow * op->c;
  average_image(op, op->x + out, op->y + in, 1);
}

static double pool_time(const Pooling *op) { return 4 * PASS_NANOSECONDS((double)op->batch * op->h * op->w * op->c); }

static void average_pool(Team *team, const Pooling *op) { team_run(team, op->batch, average, op, 0, pool_time(op)); }
static void average_pool_gradient(Team *team, const Pooling *op) { team_run(team, op->batch, average_gradient, op, 0, pool_time(op)); }
static void max_pool(Team *team, const Pooling *op) { team_run(team, op->batch, pool_image, op, 0, pool_time(op)); }
static void max_pool_gradient(Team *team, const Pooling *op) { team_run(team, op->batch, gradient_image, op, 0, pool_time(op)); }
