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

/* An image and the padding before it, beyond which no pixel is. */
typedef struct {
  int h, w, c, top, left;
} Field;

/* The part of one window that lies inside its image, and its first pixel, which may lie outside. */
typedef struct {
  int y0, y1, x0, x1;
  int64_t at;
} View;

/* clipped: whether windows may reach over the edge. */
INLINE View view_of(const Field *f, const Pool *p, int oy, int ox, const int clipped) {
  const int y = oy * p->sh - f->top, x = ox * p->sw - f->left;
  View v = {0, p->ph, 0, p->pw, ((int64_t)y * f->w + x) * f->c};
  if (clipped) v.y0 = MAX(-y, 0), v.y1 = MIN(p->ph, f->h - y), v.x0 = MAX(-x, 0), v.x1 = MIN(p->pw, f->w - x);
  return v;
}

INLINE void max_pool_windows(const float *x, const Field *f, const Pool *p, float *y, u8 *index, const int wide,
                             const int clipped) {
  const int w = f->w, c = f->c;
  int64_t out = 0;
  for (int oy = 0; oy < p->oh; oy++)
    for (int ox = 0; ox < p->ow; ox++, out += c) {
      const View v = view_of(f, p, oy, ox, clipped);
      const int start = v.y0 * p->pw + v.x0;
      const float *window = x + v.at, *begin = window + ((int64_t)v.y0 * w + v.x0) * c;
      int ch = 0;
      /* The last vector overlaps the one before: the same values again, and no branches on data. */
      for (int next = c < LANES ? c : 0; next < c; next = ch) {
        int first = MIN(next, c - LANES);
        ch = first + LANES;
        vf best = LOAD(begin + first);
        vi at = splat_int(start);
        for (int ky = v.y0; ky < v.y1; ky++)
          for (int kx = v.x0; kx < v.x1; kx++) {
            vf value = LOAD(window + ((int64_t)ky * w + kx) * c + first);
            vi larger = value > best;
            best = select_v(larger, value, best);
            int position = ky * p->pw + kx;
            at = (at & ~larger) | (larger & splat_int(position));
          }
        STORE(y + out + first, best);
        store_place_vector(index, out + first, at, wide);
      }
      for (; ch < c; ch++) {
        float best = begin[ch];
        int at = start;
        for (int ky = v.y0; ky < v.y1; ky++)
          for (int kx = v.x0; kx < v.x1; kx++) {
            float value = window[((int64_t)ky * w + kx) * c + ch];
            if (value > best) best = value, at = ky * p->pw + kx;
          }
        y[out + ch] = best;
        store_place(index, out + ch, at, wide);
      }
    }
}

/* Without padding: every window lies inside. */
static void max_pool_image(const float *x, int w, int c, const Pool *p, float *y, u8 *index) {
  const Field f = {.w = w, .c = c};
  if (wide_places(p)) max_pool_windows(x, &f, p, y, index, 1, 0);
  else max_pool_windows(x, &f, p, y, index, 0, 0);
}

/* Larger windows that overlap get their gradient number by number. */
#define GATHERED_WINDOW 32

INLINE void max_pool_gradient_windows(const float *dy, const u8 *index, const Field *f, const Pool *p, float *dx,
                                      const int wide, const int clipped) {
  const int h = f->h, w = f->w, c = f->c, window_size = p->ph * p->pw;
  const int apart = p->sh >= p->ph && p->sw >= p->pw, by_vectors = apart || window_size <= GATHERED_WINDOW;
  const int whole = !clipped && p->sh == p->ph && p->sw == p->pw && p->oh * p->sh == h && p->ow * p->sw == w;
  int64_t out = 0;
  if (!whole) memset(dx, 0, (int64_t)h * w * c * sizeof(float));
  for (int oy = 0; oy < p->oh; oy++)
    for (int ox = 0; ox < p->ow; ox++, out += c) {
      const View v = view_of(f, p, oy, ox, clipped);
      float *window = dx + v.at;
      int ch = 0;
      /* As above; but what is added must not be added again. */
      const int end = !by_vectors || c < LANES ? 0 : apart ? c : c - c % LANES;
      for (int next = 0; next < end; next = ch) {
        int first = MIN(next, c - LANES);
        ch = first + LANES;
        vf g = LOAD(dy + out + first);
        vi at = load_place_vector(index, out + first, wide);
        for (int ky = v.y0; ky < v.y1; ky++)
          for (int kx = v.x0; kx < v.x1; kx++) {
            int position = ky * p->pw + kx;
            vf here = (vf)((vi)g & (at == splat_int(position)));
            float *to = window + ((int64_t)ky * w + kx) * c + first;
            STORE(to, apart ? here : (vf)LOAD(to) + here);
          }
      }
      for (; ch < c; ch++) {
        if (apart)
          for (int ky = v.y0; ky < v.y1; ky++)
            for (int kx = v.x0; kx < v.x1; kx++) window[((int64_t)ky * w + kx) * c + ch] = 0;
        int at = load_place(index, out + ch, wide);
        /* Places are data: one outside the window, or the image, must not become an address. */
        if (at < 0 || at >= window_size) continue;
        const int ky = at / p->pw, kx = at % p->pw;
        if (ky < v.y0 || ky >= v.y1 || kx < v.x0 || kx >= v.x1) continue;
        window[((int64_t)ky * w + kx) * c + ch] += dy[out + ch];
      }
    }
}

static void max_pool_gradient_image(const float *dy, const u8 *index, int h, int w, int c, const Pool *p, float *dx) {
  const Field f = {.h = h, .w = w, .c = c};
  if (wide_places(p)) max_pool_gradient_windows(dy, index, &f, p, dx, 1, 0);
  else max_pool_gradient_windows(dy, index, &f, p, dx, 0, 0);
}

/* Whether windows reach over the edge: what lies there is no value. */
static int reaches_out(const Pooling *op) {
  const Pool *p = &op->pool;
  return op->top > 0 || op->left > 0 || (p->oh - 1) * p->sh + p->ph > op->h || (p->ow - 1) * p->sw + p->pw > op->w;
}

static Field field_of(const Pooling *op) { return (Field){op->h, op->w, op->c, op->top, op->left}; }

static void pool_image(const void *argument, int image, float *scratch) {
  (void)scratch;
  const Pooling *op = argument;
  int64_t in = (int64_t)image * op->h * op->w * op->c, out = (int64_t)image * op->pool.oh * op->pool.ow * op->c;
  const Field f = field_of(op);
  const float *x = op->x + in;
  float *y = op->y + out;
  u8 *index = places_at(&op->pool, op->index, out);
  if (!reaches_out(op)) max_pool_image(x, op->w, op->c, &op->pool, y, index);
  else if (wide_places(&op->pool)) max_pool_windows(x, &f, &op->pool, y, index, 1, 1);
  else max_pool_windows(x, &f, &op->pool, y, index, 0, 1);
}

static void gradient_image(const void *argument, int image, float *scratch) {
  (void)scratch;
  const Pooling *op = argument;
  int64_t in = (int64_t)image * op->h * op->w * op->c, out = (int64_t)image * op->pool.oh * op->pool.ow * op->c;
  const Field f = field_of(op);
  const float *dy = op->x + out;
  float *dx = op->y + in;
  const u8 *index = places_at(&op->pool, op->index, out);
  if (!reaches_out(op)) max_pool_gradient_image(dy, index, op->h, op->w, op->c, &op->pool, dx);
  else if (wide_places(&op->pool)) max_pool_gradient_windows(dy, index, &f, &op->pool, dx, 1, 1);
  else max_pool_gradient_windows(dy, index, &f, &op->pool, dx, 0, 1);
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
