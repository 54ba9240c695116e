/*
 * Convolutions as products without unfolding the image: in NHWC the pixels under one row of the filter are consecutive
 * floats, so a row of A is a pointer into the image. Padding is copied in, image by image, in the cache.
 */
#include <stddef.h>
#include <string.h>
#include "geometry.h"
#include "gemm.c"
#include "pooling.c"

/* Of the convolution, and of each gradient. */
static double product_time(const Geometry *g) {
  return PRODUCT_NANOSECONDS((double)g->batch * g->oh * g->ow * g->f * g->kh * g->kw * g->c);
}
static double filter_time(const Geometry *g) { return PASS_NANOSECONDS((double)g->kh * g->kw * g->c * g->f); }

static const float *pad_image(const Geometry *g, const Padded *p, const float *x, float *to) {
  if (!p->padded) return x;
  int64_t left = (int64_t)g->left * g->c, given = (int64_t)g->w * g->c;
  memset(to, 0, g->top * p->row * sizeof(float));
  for (int y = 0; y < g->h; y++) {
    float *row = to + (y + g->top) * p->row;
    memset(row, 0, left * sizeof(float));
    memcpy(row + left, x + y * given, given * sizeof(float));
    memset(row + left + given, 0, (p->row - left - given) * sizeof(float));
  }
  memset(to + (g->top + g->h) * p->row, 0, (p->h - g->top - g->h) * p->row * sizeof(float));
  return to;
}

/* What lies within the padding. */
static void crop_image(const Geometry *g, const Padded *p, const float *from, float *to) {
  for (int y = 0; y < g->h; y++)
    memcpy(to + (int64_t)y * g->w * g->c, from + (y + g->top) * p->row + g->left * g->c,
           (int64_t)g->w * g->c * sizeof(float));
}

/* Output pixels in order, and where the pixels under each begin in the (padded) image. */
typedef struct {
  const Geometry *g;
  const float *line, *at;
  int64_t row;
  int left;
} Walk;

static Walk walk(const Geometry *g, const Padded *p, const float *x) { return (Walk){g, x, x, p->row, g->ow}; }

static const float *next_pixel(Walk *w) {
  const float *at = w->at;
  w->at += w->g->sw * w->g->c;
  if (--w->left == 0) w->line += w->g->sh * w->row, w->at = w->line, w->left = w->g->ow;
  return at;
}

/* The next rows of a tile: pixels while there are any, then the last one again. */
static void next_rows(Walk *w, Tile *t, int64_t pixels_left) {
  t->rows = MIN(ROWS, pixels_left);
  const float *at = NULL;
  for (int i = 0; i < ROWS; i++) t->a[i] = at = i < t->rows ? next_pixel(w) : at;
}

static void forward(const void *argument, int image, float *scratch) {
  const Convolution *op = argument;
  const Geometry *g = &op->g;
  Padded p = padded(g);
  int64_t pixels = (int64_t)g->oh * g->ow, inner = (int64_t)g->kw * g->c;
  const float *x = pad_image(g, &p, op->x + (int64_t)image * g->h * g->w * g->c, scratch);
  float *y = op->pooled ? scratch + p.image + SLACK : op->y + image * pixels * g->f;
  for (int panel = 0; panel < panels_of(g->f); panel++) {
    int n0 = panel_start(g->f, panel);
    Tile t = {.b = op->filter + n0, .b_step = g->f, .images = g->kh, .a_image = g->dh * p.row, .a_inner = 1};
    /* Under a row of the filter lies one run of numbers, unless it is dilated. */
    if (g->dw == 1) t.outer = 1, t.inner = inner;
    else t.outer = g->kw, t.a_outer = g->dw * g->c, t.inner = g->c;
    t.columns = panel_start(g->f, panel + 1) - n0;
    t.bias = op->bias ? op->bias + n0 : 0;
    t.relu = op->relu;
    Walk w = walk(g, &p, x);
    for (int64_t m = 0; m < pixels; m += ROWS) {
      next_rows(&w, &t, pixels - m);
      for (int i = 0; i < ROWS; i++) t.c[i] = y + (m + i) * g->f + n0;
      tile(&t);
    }
  }
  if (op->pooled) {
    int64_t out = (int64_t)image * op->pool.oh * op->pool.ow * g->f;
    max_pool_image(y, g->ow, g->f, &op->pool, op->y + out, places_at(&op->pool, op->index, out));
  }
}

static void convolution(ThreadPool *workers, const Convolution *op) {
  const Geometry *g = &op->g;
  int64_t own = padded(g).image + SLACK + (op->pooled ? (int64_t)g->oh * g->ow * g->f + SLACK : 0);
  thread_pool_run(workers, g->batch, forward, op, own, product_time(g));
}

/* Per row of the filter: packed[ky][f][kx * c + ch] = filter[ky][kx][ch][f]. */
static void pack_transposed(const void *argument, int ky, float *scratch) {
  (void)scratch;
  const InputGradient *op = argument;
  const Geometry *g = &op->g;
  int64_t row = (int64_t)g->kw * g->c * g->f;
  transpose(op->filter + ky * row, g->f, g->kw * g->c, g->f, op->packed + ky * row, (int64_t)g->kw * g->c);
}

/* Every output pixel spreads dy . filter over the pixels under it. */
static void backward(const void *argument, int image, float *scratch) {
  const InputGradient *op = argument;
  const Geometry *g = &op->g;
  Padded p = padded(g);
  int64_t pixels = (int64_t)g->oh * g->ow;
  int n = g->kw * g->c;
  const float *dy = op->dy + image * pixels * g->f;
  float *dx = p.padded ? scratch : op->dx + (int64_t)image * g->h * g->w * g->c;
  memset(dx, 0, p.image * sizeof(float));
  for (int ky = 0; ky < g->kh; ky++)
    for (int panel = 0; panel < panels_of(n); panel++) {
      int n0 = panel_start(n, panel);
      Tile t = {.b = op->packed + (int64_t)ky * n * g->f + n0,
                .b_step = n,
                .images = 1,
                .outer = 1,
                .inner = g->f,
                .a_inner = 1};
      t.columns = panel_start(n, panel + 1) - n0;
      t.accumulate = 1;
      Walk w = walk(g, &p, dx + ky * p.row + n0);
      /* Pixels under neighbours overlap: each tile row is added before the next one is. */
      for (int64_t m = 0; m < pixels; m += ROWS) {
        t.rows = MIN(ROWS, pixels - m);
        for (int i = 0; i < ROWS; i++) {
          t.a[i] = dy + MIN(m + i, pixels - 1) * g->f;
          t.c[i] = i < t.rows ? (float *)next_pixel(&w) : dx;
        }
        tile(&t);
      }
    }
  if (p.padded) crop_image(g, &p, dx, op->dx + (int64_t)image * g->h * g->w * g->c);
}

/* The filter turned by 180 degrees, its channels and filters exchanged. */
static void pack_turned(const void *argument, int tap, float *scratch) {
  (void)scratch;
  const InputGradient *op = argument;
  const Geometry *g = &op->g;
  int64_t one = (int64_t)g->c * g->f;
  transpose(op->filter + tap * one, g->f, g->c, g->f, op->packed + (g->kh * g->kw - 1 - tap) * one, g->c);
}

/*
 * With stride 1 the gradient is a convolution of dy with the turned filter: no spreading, at the price of padding dy.
 */
static void as_convolution(ThreadPool *workers, const InputGradient *op) {
  const Geometry *g = &op->g;
  Geometry turned = turned_geometry(g);
  Convolution c = {.g = turned, .x = op->dy, .y = op->dx, .filter = op->packed};
  thread_pool_run(workers, g->kh * g->kw, pack_turned, op, 0, filter_time(g));
  thread_pool_run(workers, g->batch, forward, &c, padded(&turned).image + SLACK, product_time(g));
}

static void convolution_input_gradient(ThreadPool *workers, const InputGradient *op) {
  const Geometry *g = &op->g;
  /* Padding's zeros are multiplied too: worth it for up to a quarter more pixels. */
  int little_padding = INT64_C(4) * g->h * g->w <= INT64_C(5) * g->oh * g->ow;
  int dilated = g->dh > 1 || g->dw > 1;
  if (dilated || (g->sh == 1 && g->sw == 1 && g->top < g->kh && g->left < g->kw && little_padding)) {
    as_convolution(workers, op);
    return;
  }
  thread_pool_run(workers, g->kh, pack_transposed, op, 0, filter_time(g));
  thread_pool_run(workers, g->batch, backward, op, padded(g).image + SLACK, product_time(g));
}

/* Images whose products are summed in registers: small ones are too few terms to pay for the way to memory. */
static int group_size(const Geometry *g) {
  const int parts = parts_of(g->batch);
  return MIN(MAX(512 / (g->oh * g->ow), 1), (g->batch + parts - 1) / parts);
}

/* dy of some images; through its pooling, if it was pooled. */
static const float *expanded_images(const FilterGradient *op, int first, int images, float *expanded) {
  const Geometry *g = &op->g;
  int64_t pixels = (int64_t)g->oh * g->ow;
  if (!op->pooled) return op->dy + first * pixels * g->f;
  for (int i = 0; i < images; i++) {
    int64_t at = (int64_t)(first + i) * op->pool.oh * op->pool.ow * g->f;
    max_pool_gradient_image(op->dy + at, places_at(&op->pool, (u8 *)op->index, at), g->oh, g->ow, g->f, &op->pool,
                            expanded + i * pixels * g->f);
  }
  return expanded;
}

/* sums[f] += dy of all pixels of some images. */
static void add_pixels(const Geometry *g, const float *dy, int images, float *sums) {
  const int64_t pixels = (int64_t)images * g->oh * g->ow;
  for (int f = 0; f < g->f; f += LANES)
    for (int64_t m0 = 0; m0 < pixels; m0 += SUMMED_TERMS) {
      const int64_t end = MIN(m0 + SUMMED_TERMS, pixels);
      vf sum = splat(0);
      for (int64_t m = m0; m < end; m++) sum += load_some(dy + m * g->f + f, g->f - f);
      STORE(sums + f, LOAD(sums + f) + sum);
    }
}

/* Rows of a large image whose products are summed at once; of a group of small ones, all. */
static int summed_rows(const Geometry *g) { return MIN(MAX(SUMMED_TERMS / g->ow, 1), g->oh); }

/* Sums of one part of the batch: partial[part][k][padded f], then the bias row. */
static void filter_part(const void *argument, int part, float *scratch) {
  const FilterGradient *op = argument;
  const Geometry *g = &op->g;
  Padded p = padded(g);
  int64_t columns = padded_columns(g->f), given = (int64_t)g->h * g->w * g->c;
  int inner = g->kw * g->c;
  int64_t rows = (int64_t)g->kh * inner;
  float *sums = op->partial + part * (rows + 1) * columns;
  float *expanded = scratch + group_size(g) * p.image + SLACK;
  memset(sums, 0, (rows + 1) * columns * sizeof(float));
  const int parts = parts_of(g->batch);
  int from = (int64_t)g->batch * part / parts, to = (int64_t)g->batch * (part + 1) / parts;
  for (int first = from; first < to; first += group_size(g)) {
    int images = MIN(group_size(g), to - first);
    const float *x = p.padded ? scratch : op->x + first * given, *dy = expanded_images(op, first, images, expanded);
    for (int i = 0; i < images; i++) pad_image(g, &p, op->x + (first + i) * given, scratch + i * p.image);
    const int panels = panels_of(g->f), block = summed_rows(g);
    for (int line = 0; line < g->oh; line += block)
      for (int panel = 0; panel < panels; panel++) {
        int n0 = panel_start(g->f, panel);
        Tile t = {.b = dy + (int64_t)line * g->ow * g->f + n0, .b_step = g->f, .images = images};
        t.outer = MIN(block, g->oh - line), t.inner = g->ow;
        t.a_image = p.image, t.a_outer = g->sh * p.row, t.a_inner = g->sw * g->c;
        t.columns = panel_start(g->f, panel + 1) - n0;
        t.accumulate = 1;
        /* Under a row of the filter lies one run of numbers, or under each of its taps. */
        const float *run = x + line * g->sh * p.row;
        const int length = g->dw == 1 ? inner : g->c, runs = inner / length;
        int left = length, runs_left = runs;
        for (int64_t k = 0; k < rows; k += ROWS) {
          t.rows = MIN(ROWS, rows - k);
          const float *at = NULL;
          for (int i = 0; i < ROWS; i++) {
            t.c[i] = sums + (k + i) * columns + n0;
            if (i < t.rows) at = run + length - left;
            t.a[i] = at;
            if (i >= t.rows || --left > 0) continue;
            run += g->dw * g->c, left = length;
            if (--runs_left == 0) run += g->dh * p.row - (int64_t)runs * g->dw * g->c, runs_left = runs;
          }
          tile(&t);
        }
      }
    if (op->db) add_pixels(g, dy, images, sums + rows * columns);
  }
}

/* Rows of one task of add_parts. */
#define SUM_ROWS 16

static void add_parts(const void *argument, int task, float *scratch) {
  (void)scratch;
  const FilterGradient *op = argument;
  const Geometry *g = &op->g;
  int64_t columns = padded_columns(g->f), rows = (int64_t)g->kh * g->kw * g->c, stride = (rows + 1) * columns;
  int64_t end = MIN((task + INT64_C(1)) * SUM_ROWS, rows + (op->db != 0));
  const int parts = parts_of(g->batch);
  for (int64_t row = (int64_t)task * SUM_ROWS; row < end; row++) {
    float *to = row == rows ? op->db : op->dw + row * g->f;
    for (int f = 0; f < g->f; f += LANES) {
      vf sum = splat(0);
      for (int part = 0; part < parts; part++) sum += LOAD(op->partial + part * stride + row * columns + f);
      store_some(to + f, sum, g->f - f);
    }
  }
}

static void sum_parts(ThreadPool *workers, const FilterGradient *op) {
  const Geometry *g = &op->g;
  int64_t rows = (int64_t)g->kh * g->kw * g->c + 1;
  thread_pool_run(workers, (rows + SUM_ROWS - 1) / SUM_ROWS, add_parts, op, 0, parts_of(g->batch) * filter_time(g));
}

static void convolution_filter_gradient(ThreadPool *workers, const FilterGradient *op) {
  const Geometry *g = &op->g;
  int64_t expanded = op->pooled ? (int64_t)g->oh * g->ow * g->f : 0;
  int64_t own = group_size(g) * (padded(g).image + expanded) + 2 * SLACK;
  thread_pool_run(workers, parts_of(g->batch), filter_part, op, own, product_time(g));
  sum_parts(workers, op);
}
