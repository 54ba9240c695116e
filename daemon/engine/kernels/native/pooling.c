/* Max pooling that remembers where the maximum was, and its gradient. */
#include <string.h>
#include "geometry.h"
#include "vector.h"

/* The places of output number `at` and what follows: bytes, or whole numbers of large windows. */
static u8 *places_at(const Pool *p, u8 *index, int64_t at) {
  return index + (wide_places(p) ? at * (int64_t)sizeof(int32_t) : at);
}

INLINE void store_place(u8 *index, int64_t at, int place, const int wide) {
  if (wide) ((int32_t *)index)[at] = place;
  else index[at] = place;
}
INLINE int load_place(const u8 *index, int64_t at, const int wide) {
  return wide ? ((const int32_t *)index)[at] : index[at];
}
INLINE void store_place_vector(u8 *index, int64_t at, vi places, const int wide) {
  if (wide) STORE_PLACES((int32_t *)index + at, places);
  else *(vbu *)(index + at) = __builtin_convertvector(places, vb);
}
INLINE vi load_place_vector(const u8 *index, int64_t at, const int wide) {
  return wide ? (vi)LOAD_PLACES((const int32_t *)index + at) : __builtin_convertvector(*(const vbu *)(index + at), vi);
}

INLINE void max_pool_windows(const float *x, int w, int c, const Pool *p, float *y, u8 *index, const int wide) {
  int64_t out = 0;
  for (int oy = 0; oy < p->oh; oy++)
    for (int ox = 0; ox < p->ow; ox++, out += c) {
      const float *window = x + ((int64_t)oy * p->sh * w + (int64_t)ox * p->sw) * c;
      int ch = 0;
      /* The last vector overlaps the one before: the same values again, and no branches on data. */
      for (int next = c < LANES ? c : 0; next < c; next = ch) {
        int first = MIN(next, c - LANES);
        ch = first + LANES;
        vf best = LOAD(window + first);
        vi at = {0};
        for (int ky = 0; ky < p->ph; ky++)
          for (int kx = 0; kx < p->pw; kx++) {
            vf v = LOAD(window + ((int64_t)ky * w + kx) * c + first);
            vi larger = v > best;
            best = select_v(larger, v, best);
            int position = ky * p->pw + kx;
            at = (at & ~larger) | (larger & splat_int(position));
          }
        STORE(y + out + first, best);
        store_place_vector(index, out + first, at, wide);
      }
      for (; ch < c; ch++) {
        float best = window[ch];
        int at = 0;
        for (int ky = 0; ky < p->ph; ky++)
          for (int kx = 0; kx < p->pw; kx++) {
            float v = window[((int64_t)ky * w + kx) * c + ch];
            if (v > best) best = v, at = ky * p->pw + kx;
          }
        y[out + ch] = best;
        store_place(index, out + ch, at, wide);
      }
    }
}

static void max_pool_image(const float *x, int w, int c, const Pool *p, float *y, u8 *index) {
  if (wide_places(p)) max_pool_windows(x, w, c, p, y, index, 1);
  else max_pool_windows(x, w, c, p, y, index, 0);
}

INLINE void max_pool_gradient_windows(const float *dy, const u8 *index, int h, int w, int c, const Pool *p, float *dx,
                                      const int wide) {
  const int apart = p->sh >= p->ph && p->sw >= p->pw, window_size = p->ph * p->pw;
  const int whole = p->sh == p->ph && p->sw == p->pw && p->oh * p->sh == h && p->ow * p->sw == w;
  int64_t out = 0;
  if (!whole) memset(dx, 0, (int64_t)h * w * c * sizeof(float));
  for (int oy = 0; oy < p->oh; oy++)
    for (int ox = 0; ox < p->ow; ox++, out += c) {
      float *window = dx + ((int64_t)oy * p->sh * w + (int64_t)ox * p->sw) * c;
      int ch = 0;
      /* As above. */
      if (apart)
        for (int next = c < LANES ? c : 0; next < c; next = ch) {
          int first = MIN(next, c - LANES);
          ch = first + LANES;
          vf g = LOAD(dy + out + first);
          vi at = load_place_vector(index, out + first, wide);
          for (int ky = 0; ky < p->ph; ky++)
            for (int kx = 0; kx < p->pw; kx++) {
              int position = ky * p->pw + kx;
              vi here = at == splat_int(position);
              STORE(window + ((int64_t)ky * w + kx) * c + first, (vf)((vi)g & here));
            }
        }
      for (; ch < c; ch++) {
        if (apart)
          for (int ky = 0; ky < p->ph; ky++)
            for (int kx = 0; kx < p->pw; kx++) window[((int64_t)ky * w + kx) * c + ch] = 0;
        int at = load_place(index, out + ch, wide);
        /* Places are data: one outside the window must not become an address. */
        if (at < 0 || at >= window_size) continue;
        window[((int64_t)(at / p->pw) * w + at % p->pw) * c + ch] += dy[out + ch];
      }
    }
}

static void max_pool_gradient_image(const float *dy, const u8 *index, int h, int w, int c, const Pool *p, float *dx) {
  if (wide_places(p)) max_pool_gradient_windows(dy, index, h, w, c, p, dx, 1);
  else max_pool_gradient_windows(dy, index, h, w, c, p, dx, 0);
}

/* Whether windows reach over the edge: what lies there is no value. */
static int reaches_out(const Pooling *op) {
  const Pool *p = &op->pool;
  return op->top > 0 || op->left > 0 || (p->oh - 1) * p->sh + p->ph > op->h || (p->ow - 1) * p->sw + p->pw > op->w;
}

/* One image, in either direction: a place is the position in the whole window. */
static void pool_clipped(const Pooling *op, const float *from, float *to, u8 *index, int backward) {
  const Pool *p = &op->pool;
  const int c = op->c, wide = wide_places(p);
  if (backward) memset(to, 0, (int64_t)op->h * op->w * c * sizeof(float));
  for (int oy = 0; oy < p->oh; oy++)
    for (int ox = 0; ox < p->ow; ox++)
      for (int ch = 0; ch < c; ch++) {
        int64_t out = ((int64_t)oy * p->ow + ox) * c + ch;
        int y0 = oy * p->sh - op->top, x0 = ox * p->sw - op->left;
        if (backward) {
          int at = load_place(index, out, wide), y = y0 + at / p->pw, x = x0 + at % p->pw;
          /* As above: only a place inside the image is one. */
          if (at >= 0 && y >= 0 && y < op->h && x >= 0 && x < op->w) to[((int64_t)y * op->w + x) * c + ch] += from[out];
          continue;
        }
        float best = -__builtin_inff();
        int at = -1;
        for (int y = MAX(y0, 0); y < MIN(y0 + p->ph, op->h); y++)
          for (int x = MAX(x0, 0); x < MIN(x0 + p->pw, op->w); x++) {
            float v = from[((int64_t)y * op->w + x) * c + ch];
            if (at < 0 || v > best) best = v, at = (y - y0) * p->pw + x - x0;
          }
        to[out] = best;
        store_place(index, out, at, wide);
      }
}

static void pool_image(const void *argument, int image, float *scratch) {
  (void)scratch;
  const Pooling *op = argument;
  int64_t in = (int64_t)image * op->h * op->w * op->c, out = (int64_t)image * op->pool.oh * op->pool.ow * op->c;
  if (reaches_out(op)) {
    pool_clipped(op, op->x + in, op->y + out, places_at(&op->pool, op->index, out), 0);
    return;
  }
  max_pool_image(op->x + in, op->w, op->c, &op->pool, op->y + out, places_at(&op->pool, op->index, out));
}

static void gradient_image(const void *argument, int image, float *scratch) {
  (void)scratch;
  const Pooling *op = argument;
  int64_t in = (int64_t)image * op->h * op->w * op->c, out = (int64_t)image * op->pool.oh * op->pool.ow * op->c;
  if (reaches_out(op)) {
    pool_clipped(op, op->x + out, op->y + in, places_at(&op->pool, op->index, out), 1);
    return;
  }
  max_pool_gradient_image(op->x + out, places_at(&op->pool, op->index, out), op->h, op->w, op->c, &op->pool,
                          op->y + in);
}

/*
 * One image: every window visits its pixels inside the image; `to` gathers (forward) or spreads (backward). line: the
 * sum of one row of a large window, c floats.
 */
static void average_image(const Pooling *op, const float *from, float *to, float *line, int backward) {
  const Pool *p = &op->pool;
  int c = op->c;
  memset(to, 0, (backward ? (int64_t)op->h * op->w : (int64_t)p->oh * p->ow) * c * sizeof(float));
  for (int oy = 0; oy < p->oh; oy++)
    for (int ox = 0; ox < p->ow; ox++) {
      int y0 = oy * p->sh - op->top, x0 = ox * p->sw - op->left;
      int y1 = MIN(y0 + p->ph, op->h), x1 = MIN(x0 + p->pw, op->w);
      y0 = y0 < 0 ? 0 : y0, x0 = x0 < 0 ? 0 : x0;
      float share = 1.0f / ((y1 - y0) * (x1 - x0));
      int64_t out = ((int64_t)oy * p->ow + ox) * c;
      const int large = (int64_t)(y1 - y0) * (x1 - x0) > SUMMED_TERMS;
      for (int y = y0; y < y1; y++) {
        float *sum = backward || !large ? to + out : line;
        if (sum == line) memset(line, 0, c * sizeof(float));
        for (int x = x0; x < x1; x++) {
          int64_t in = ((int64_t)y * op->w + x) * c;
          for (int ch = 0; ch < c; ch++)
            if (backward) to[in + ch] += share * from[out + ch];
            else sum[ch] += share * from[in + ch];
        }
        for (int ch = 0; ch < c && sum == line; ch++) to[out + ch] += line[ch];
      }
    }
}

static void average(const void *argument, int image, float *scratch) {
  const Pooling *op = argument;
  int64_t in = (int64_t)image * op->h * op->w * op->c, out = (int64_t)image * op->pool.oh * op->pool.ow * op->c;
  average_image(op, op->x + in, op->y + out, scratch, 0);
}

static void average_gradient(const void *argument, int image, float *scratch) {
  (void)scratch;
  const Pooling *op = argument;
  int64_t in = (int64_t)image * op->h * op->w * op->c, out = (int64_t)image * op->pool.oh * op->pool.ow * op->c;
  average_image(op, op->x + out, op->y + in, scratch, 1);
}

static double pool_time(const Pooling *op) { return 4 * PASS_NANOSECONDS((double)op->batch * op->h * op->w * op->c); }

static void average_pool(ThreadPool *workers, const Pooling *op) {
  thread_pool_run(workers, op->batch, average, op, op->c, pool_time(op));
}
static void average_pool_gradient(ThreadPool *workers, const Pooling *op) {
  thread_pool_run(workers, op->batch, average_gradient, op, 0, pool_time(op));
}
static void max_pool(ThreadPool *workers, const Pooling *op) { thread_pool_run(workers, op->batch, pool_image, op, 0, pool_time(op)); }
static void max_pool_gradient(ThreadPool *workers, const Pooling *op) {
  thread_pool_run(workers, op->batch, gradient_image, op, 0, pool_time(op));
}
