/*
 * Depthwise convolution: element-wise products of pixels and taps, for all channels of a pixel. Images are read where they
 * lie: taps beyond an edge are left out. Channels with several filters are repeated for each of them first.
 */
#include <string.h>
#include "tile.h"

static int filters_each(const Geometry *g) { return g->f / g->c; }
/* An image with its channels repeated: one thread's own. */
static int64_t repeated_floats(const Geometry *g) { return filters_each(g) > 1 ? (int64_t)g->h * g->w * g->f + SLACK : 0; }

static const float *repeat_image(const Geometry *g, const float *x, float *to) {
  const int times = filters_each(g);
  if (times == 1) return x;
  for (int64_t i = 0; i < (int64_t)g->h * g->w * g->c; i++)
    for (int q = 0; q < times; q++) to[i * times + q] = x[i];
  return to;
}

/*
 * What one result, or one pixel of a gradient, is a sum over, along one side: taps first, first + step and so on, and the
 * places that they meet, at, at + move and so on.
 */
typedef struct {
  int first, count, step, at, move;
} Taps;

/* One side of a convolution. */
typedef struct {
  int size, results, taps, stride, before, dilation;
} Side;
static Side down_of(const Geometry *g) { return (Side){g->h, g->oh, g->kh, g->sh, g->top, g->dh}; }
static Side across_of(const Geometry *g) { return (Side){g->w, g->ow, g->kw, g->sw, g->left, g->dw}; }

static int divisor(int a, int b) {
  while (b > 0) {
    const int rest = a % b;
    a = b, b = rest;
  }
  return a;
}

/* Pixels under a result. */
static Taps under_result(const Side *s, int result) {
  const int at = result * s->stride - s->before;
  const int first = at < 0 ? (-at + s->dilation - 1) / s->dilation : 0;
  const int end = MIN(s->taps, (s->size - at + s->dilation - 1) / s->dilation);
  return (Taps){first, MAX(end - first, 0), 1, at + first * s->dilation, s->dilation};
}

/* Results over a pixel. */
static Taps over_pixel(const Side *s, int pixel) {
  for (int tap = 0; tap < s->taps; tap++) {
    const int from = pixel + s->before - tap * s->dilation;
    if (from < 0) break;
    if (from % s->stride != 0 || from / s->stride >= s->results) continue;
    const int common = divisor(s->stride, s->dilation), step = s->stride / common;
    const int64_t left = MIN((s->taps - 1 - tap) / step, from / ((int64_t)step * s->dilation));
    return (Taps){tap, left + 1, step, from / s->stride, -(s->dilation / common)};
  }
  return (Taps){0};
}

static Taps taps_at(const Side *s, int place, int backward) {
  return backward ? over_pixel(s, place) : under_result(s, place);
}

/* Neighbours that are computed at once: each tap is loaded for all of them. */
#define NEIGHBOURS 4

/* Sums of some pixels over their taps. */
typedef struct {
  Taps down, across;
  /* The place that the first taps of the first pixel meet; floats to the next row, and to what the next pixel meets. */
  const float *from, *filter;
  int64_t row, next;
  float *to;
  /* Floats from one pixel that is written to the next. */
  int64_t next_to;
  int f, kw;
} Gather;

/* taps: how many there are on either side, or 0 for any number. */
INLINE void gather_vector(const Gather *s, int j, const int pixels, const int taps, const int cut, Part part) {
  const int down = taps > 0 ? taps : s->down.count, across = taps > 0 ? taps : s->across.count;
  const int64_t move = (int64_t)s->across.move * s->f, step = (int64_t)s->across.step * s->f, next = s->next;
  const float *line = s->from + j, *filters = s->filter + j;
  vf s0 = splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (int i = 0; i < down; i++, line += s->down.move * s->row, filters += (int64_t)s->down.step * s->kw * s->f) {
    const float *from = line, *filter = filters;
    for (int k = 0; k < across; k++, from += move, filter += step) {
      const vf tap = LOAD_CUT(filter);
      s0 += tap * LOAD_CUT(from);
      if (pixels == 1) continue;
      s1 += tap * LOAD_CUT(from + next);
      s2 += tap * LOAD_CUT(from + 2 * next);
      s3 += tap * LOAD_CUT(from + 3 * next);
    }
  }
  float *to = s->to + j;
  STORE_CUT(to, s0);
  if (pixels == 1) return;
  STORE_CUT(to + s->next_to, s1);
  STORE_CUT(to + 2 * s->next_to, s2);
  STORE_CUT(to + 3 * s->next_to, s3);
}

INLINE void gather_vectors(const Gather *s, const int pixels, const int taps) {
  for (int j = 0; j < s->f; j += LANES) BY_PART(s->f - j, gather_vector, s, j, pixels, taps);
}

static void gather_pixels(const Gather *s, int pixels) {
  const int three = s->down.count == 3 && s->across.count == 3;
  if (pixels == 1) gather_vectors(s, 1, 0);
  else if (three) gather_vectors(s, NEIGHBOURS, 3);
  else gather_vectors(s, NEIGHBOURS, 0);
}

static int same_taps(const Taps *a, const Taps *b) { return a->first == b->first && a->count == b->count; }

/* Results of one image from its pixels; or, backward, its pixels' gradient from that of its results. */
static void gather_image(const Geometry *g, const float *from, const float *filter, float *to, int backward) {
  const Side down = down_of(g), across = across_of(g);
  const int h = backward ? g->h : g->oh, w = backward ? g->w : g->ow;
  /* Pixels this far apart meet the same taps, and places so far apart. */
  const int apart = backward ? g->sw : 1, next = backward ? 1 : g->sw;
  Gather s = {.row = (int64_t)(backward ? g->ow : g->w) * g->f, .next = (int64_t)next * g->f, .f = g->f, .kw = g->kw};
  s.next_to = (int64_t)apart * g->f;
  for (int y = 0; y < h; y++) {
    s.down = taps_at(&down, y, backward);
    for (int start = 0; start < MIN(apart, w); start++)
      for (int x = start, pixels; x < w; x += pixels * apart) {
        s.across = taps_at(&across, x, backward);
        pixels = 1;
        if (x + (NEIGHBOURS - INT64_C(1)) * apart < w) {
          const Taps last = taps_at(&across, x + (NEIGHBOURS - 1) * apart, backward);
          if (s.across.count > 0 && same_taps(&s.across, &last)) pixels = NEIGHBOURS;
        }
        s.from = from + s.down.at * s.row + (int64_t)s.across.at * g->f;
        s.filter = filter + ((int64_t)s.down.first * g->kw + s.across.first) * g->f;
        s.to = to + ((int64_t)y * w + x) * g->f;
        gather_pixels(&s, pixels);
      }
  }
}

static void depthwise_image(const void *argument, int image, float *scratch) {
  const Depthwise *op = argument;
  const Geometry *g = &op->g;
  const float *x = repeat_image(g, op->x + (int64_t)image * g->h * g->w * g->c, scratch);
  gather_image(g, x, op->filter, op->y + (int64_t)image * g->oh * g->ow * g->f, 0);
}

static void depthwise_back_image(const void *argument, int image, float *scratch) {
  const Depthwise *op = argument;
  const Geometry *g = &op->g;
  const int times = filters_each(g);
  const int64_t given = (int64_t)g->h * g->w * g->c;
  float *dx = op->dx + image * given, *each = times > 1 ? scratch : dx;
  gather_image(g, op->dy + (int64_t)image * g->oh * g->ow * g->f, op->filter, each, 1);
  for (int64_t i = 0; times > 1 && i < given; i++) {
    float sum = 0;
    for (int q = 0; q < times; q++) sum += each[i * times + q];
    dx[i] = sum;
  }
}

/* Results of a row whose products are summed in registers; a column of such strips is summed before it is added. */
#define STRIP 16

/* Sums over some results of one row, for some taps. */
typedef struct {
  const float *x, *dy;
  float *sums;
  /* Floats from a pixel to the next tap's, to the next row's; to what the next result meets; to the sums of the next row. */
  int64_t tap, row, next, sums_row, columns;
  int f, results;
} TapSums;

INLINE void tap_sums_vector(const TapSums *s, int j, const int down, const int across, const int cut, Part part) {
  vf sum[3 * 5];
  const float *x = s->x + j, *dy = s->dy + j;
#pragma GCC unroll 15
  for (int i = 0; i < down * across; i++) sum[i] = splat(0);
  for (int result = 0; result < s->results; result++, x += s->next, dy += s->f) {
    const vf slope = LOAD_CUT(dy);
#pragma GCC unroll 3
    for (int i = 0; i < down; i++)
#pragma GCC unroll 5
      for (int k = 0; k < across; k++) sum[i * across + k] += slope * LOAD_CUT(x + i * s->row + k * s->tap);
  }
#pragma GCC unroll 3
  for (int i = 0; i < down; i++)
#pragma GCC unroll 5
    for (int k = 0; k < across; k++) {
      float *to = s->sums + i * s->sums_row + k * s->columns + j;
      STORE(to, LOAD(to) + sum[i * across + k]);
    }
}

INLINE void tap_sums(const TapSums *s, const int down, const int across) {
  for (int j = 0; j < s->f; j += LANES) BY_PART(s->f - j, tap_sums_vector, s, j, down, across);
}

/* Results from `from` to `end` of which a tap meets a pixel. */
typedef struct {
  int from, end;
} Range;
static Range meeting(const Side *s, int tap) {
  const int shift = s->before - tap * s->dilation, last = s->size - 1 + shift;
  const int from = shift > 0 ? (shift + s->stride - 1) / s->stride : 0, end = last < 0 ? 0 : last / s->stride + 1;
  return (Range){from, MAX(MIN(end, s->results), from)};
}

/* Adds the products of one row of results, from `from` to `end`, at all taps. sums[tap][padded f]. */
static void strip_row(const Geometry *g, const float *x, const float *dy, int result, Range strip, float *sums) {
  const Side down = down_of(g), across = across_of(g);
  const Taps rows = under_result(&down, result);
  const Range first = meeting(&across, 0), last = meeting(&across, g->kw - 1);
  /* Where all taps of a row meet pixels. */
  Range inner = {MAX(strip.from, first.from), MIN(strip.end, last.end)};
  if (inner.end < inner.from) inner.end = inner.from = MAX(MIN(inner.from, strip.end), strip.from);
  TapSums s = {.tap = (int64_t)g->dw * g->f, .row = (int64_t)g->dh * g->w * g->f, .next = (int64_t)g->sw * g->f, .f = g->f};
  s.columns = padded_columns(g->f), s.sums_row = g->kw * s.columns;
  for (int i = 0; i < rows.count; i++) {
    const float *line = x + ((int64_t)rows.at + (int64_t)i * rows.move) * g->w * g->f, *slopes = dy + (int64_t)result * g->ow * g->f;
    float *sums_row = sums + (rows.first + i) * s.sums_row;
    if (inner.end > inner.from && (g->kw == 3 || g->kw == 5)) {
      s.x = line + ((int64_t)inner.from * g->sw - g->left) * g->f;
      s.dy = slopes + (int64_t)inner.from * g->f, s.results = inner.end - inner.from, s.sums = sums_row;
      if (g->kw == 5) tap_sums(&s, 1, 5);
      else if (rows.count != 3) tap_sums(&s, 1, 3);
      else if (i == 0) tap_sums(&s, 3, 3);
    } else inner.end = inner.from;
    /* At the edges, and for other filters, tap by tap. */
    for (int k = 0; k < g->kw; k++) {
      const Range met = meeting(&across, k);
      const Range sides[2] = {{MAX(met.from, strip.from), MIN(MIN(met.end, strip.end), inner.from)},
                              {MAX(MAX(met.from, strip.from), inner.end), MIN(met.end, strip.end)}};
      for (int side = 0; side < 2; side++) {
        if (sides[side].end <= sides[side].from) continue;
        s.x = line + ((int64_t)sides[side].from * g->sw + (int64_t)k * g->dw - g->left) * g->f;
        s.dy = slopes + (int64_t)sides[side].from * g->f, s.results = sides[side].end - sides[side].from;
        s.sums = sums_row + k * s.columns;
        tap_sums(&s, 1, 1);
      }
    }
  }
}

/* Sums of one part of the batch: partial[part][tap][padded f]. */
static void depthwise_part(const void *argument, int part, float *scratch) {
  const Depthwise *op = argument;
  const Geometry *g = &op->g;
  const int parts = parts_of(g->batch);
  const int64_t size = (int64_t)g->kh * g->kw * padded_columns(g->f);
  float *sums = op->partial + part * size, *own = scratch, *repeated = scratch + size;
  memset(sums, 0, size * sizeof(float));
  for (int image = (int64_t)g->batch * part / parts; image < (int64_t)g->batch * (part + 1) / parts; image++) {
    const float *x = repeat_image(g, op->x + (int64_t)image * g->h * g->w * g->c, repeated);
    const float *dy = op->dy + (int64_t)image * g->oh * g->ow * g->f;
    for (int from = 0; from < g->ow; from += STRIP) {
      const Range strip = {from, MIN(from + STRIP, g->ow)};
      memset(own, 0, size * sizeof(float));
      for (int result = 0; result < g->oh; result++) strip_row(g, x, dy, result, strip, own);
      for (int64_t i = 0; i < size; i += LANES) STORE(sums + i, LOAD(sums + i) + LOAD(own + i));
    }
  }
}

/* Vectors are slower to fill than a tile's: as if each did four times the work. */
static double depthwise_time(const Geometry *g) { return 4 * product_time(g) / g->c; }

static void depthwise(ThreadPool *workers, const Depthwise *op) {
  thread_pool_run(workers, op->g.batch, depthwise_image, op, repeated_floats(&op->g), depthwise_time(&op->g));
}
static void depthwise_input_gradient(ThreadPool *workers, const Depthwise *op) {
  thread_pool_run(workers, op->g.batch, depthwise_back_image, op, repeated_floats(&op->g), depthwise_time(&op->g));
}
static void depthwise_filter_gradient(ThreadPool *workers, const Depthwise *op) {
  const Geometry *g = &op->g;
  const int parts = parts_of(g->batch);
  const int64_t columns = padded_columns(g->f), taps = (int64_t)g->kh * g->kw, own = taps * columns + repeated_floats(g);
  thread_pool_run(workers, parts, depthwise_part, op, own, depthwise_time(g));
  for (int64_t tap = 0; tap < taps; tap++)
    for (int j = 0; j < g->f; j += LANES) {
      vf sum = splat(0);
      for (int part = 0; part < parts; part++) sum += LOAD(op->partial + (part * taps + tap) * columns + j);
      store_some(op->dw + tap * g->f + j, sum, g->f - j);
    }
}
