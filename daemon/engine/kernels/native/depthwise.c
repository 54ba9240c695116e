/* Depthwise convolution: element-wise products of an image whose channels are repeated for each of their filters. */
#include <string.h>
#include "tile.h"

/* The image as floats of f channels, padded: one thread's own. */
static Padded repeated(const Geometry *g) {
  Geometry wide = *g;
  wide.c = g->f;
  return padded(&wide);
}

static void repeat_image(const Geometry *g, const Padded *p, const float *x, float *to) {
  int times = g->f / g->c;
  memset(to, 0, p->image * sizeof(float));
  for (int y = 0; y < g->h; y++) {
    float *row = to + (y + g->top) * p->row + g->left * g->f;
    const float *from = x + (int64_t)y * g->w * g->c;
    if (times == 1) memcpy(row, from, (int64_t)g->w * g->c * sizeof(float));
    else
      for (int64_t i = 0; i < (int64_t)g->w * g->c; i++)
        for (int q = 0; q < times; q++) row[i * times + q] = from[i];
  }
}

static void depthwise_image(const void *argument, int image, float *scratch) {
  const Depthwise *op = argument;
  const Geometry *g = &op->g;
  Padded p = repeated(g);
  repeat_image(g, &p, op->x + (int64_t)image * g->h * g->w * g->c, scratch);
  float *y = op->y + (int64_t)image * g->oh * g->ow * g->f;
  for (int oy = 0; oy < g->oh; oy++)
    for (int ox = 0; ox < g->ow; ox++, y += g->f)
      for (int j = 0; j < g->f; j += LANES) {
        const float *at = scratch + oy * g->sh * p.row + ox * g->sw * g->f + j, *filter = op->filter + j;
        vf sum = splat(0);
        for (int ky = 0; ky < g->kh; ky++)
          for (int kx = 0; kx < g->kw; kx++, filter += g->f)
            sum += (vf)LOAD(at + ky * g->dh * p.row + kx * g->dw * g->f) * load_some(filter, g->f - j);
        store_some(y + j, sum, g->f - j);
      }
}

static void depthwise_back_image(const void *argument, int image, float *scratch) {
  const Depthwise *op = argument;
  const Geometry *g = &op->g;
  Padded p = repeated(g);
  int times = g->f / g->c;
  memset(scratch, 0, p.image * sizeof(float));
  const float *dy = op->dy + (int64_t)image * g->oh * g->ow * g->f;
  for (int oy = 0; oy < g->oh; oy++)
    for (int ox = 0; ox < g->ow; ox++, dy += g->f)
      for (int j = 0; j < g->f; j += LANES) {
        float *at = scratch + oy * g->sh * p.row + ox * g->sw * g->f + j;
        const float *filter = op->filter + j;
        vf d = load_some(dy + j, g->f - j);
        for (int ky = 0; ky < g->kh; ky++)
          for (int kx = 0; kx < g->kw; kx++, filter += g->f) {
            float *to = at + ky * g->dh * p.row + kx * g->dw * g->f;
            store_some(to, (vf)LOAD(to) + d * load_some(filter, g->f - j), g->f - j);
          }
      }
  for (int y = 0; y < g->h; y++) {
    const float *row = scratch + (y + g->top) * p.row + g->left * g->f;
    float *to = op->dx + ((int64_t)image * g->h + y) * g->w * g->c;
    for (int64_t i = 0; i < (int64_t)g->w * g->c; i++) {
      float sum = 0;
      for (int q = 0; q < times; q++) sum += row[i * times + q];
      to[i] = sum;
    }
  }
}

/* Sums of one part of the batch: partial[part][tap][padded f]. */
static void depthwise_part(const void *argument, int part, float *scratch) {
  const Depthwise *op = argument;
  const Geometry *g = &op->g;
  Padded p = repeated(g);
  int64_t columns = padded_columns(g->f), taps = g->kh * g->kw;
  float *sums = op->partial + part * taps * columns;
  memset(sums, 0, taps * columns * sizeof(float));
  for (int image = (int64_t)g->batch * part / PARTS; image < (int64_t)g->batch * (part + 1) / PARTS; image++) {
    repeat_image(g, &p, op->x + (int64_t)image * g->h * g->w * g->c, scratch);
    for (int64_t tap = 0; tap < taps; tap++)
      for (int j = 0; j < g->f; j += LANES) {
        const float *dy = op->dy + (int64_t)image * g->oh * g->ow * g->f + j;
        const float *at = scratch + tap / g->kw * g->dh * p.row + tap % g->kw * g->dw * g->f + j;
        vf sum = LOAD(sums + tap * columns + j);
        for (int oy = 0; oy < g->oh; oy++) {
          vf line = splat(0);
          for (int ox = 0; ox < g->ow; ox++, dy += g->f)
            line += (vf)LOAD(at + oy * g->sh * p.row + ox * g->sw * g->f) * load_some(dy, g->f - j);
          sum += line;
        }
        STORE(sums + tap * columns + j, sum);
      }
  }
}

/* Vectors are slower to fill than a tile's: as if each did eight times the work. */
static double depthwise_time(const Geometry *g) { return 8 * product_time(g) / g->c; }

static void depthwise(ThreadPool *workers, const Depthwise *op) {
  thread_pool_run(workers, op->g.batch, depthwise_image, op, repeated(&op->g).image + SLACK, depthwise_time(&op->g));
}
static void depthwise_input_gradient(ThreadPool *workers, const Depthwise *op) {
  thread_pool_run(workers, op->g.batch, depthwise_back_image, op, repeated(&op->g).image + SLACK, depthwise_time(&op->g));
}
static void depthwise_filter_gradient(ThreadPool *workers, const Depthwise *op) {
  const Geometry *g = &op->g;
  int64_t columns = padded_columns(g->f), taps = g->kh * g->kw;
  thread_pool_run(workers, PARTS, depthwise_part, op, repeated(g).image + SLACK, depthwise_time(g));
  for (int64_t tap = 0; tap < taps; tap++)
    for (int j = 0; j < g->f; j += LANES) {
      vf sum = splat(0);
      for (int part = 0; part < PARTS; part++) sum += LOAD(op->partial + (part * taps + tap) * columns + j);
      store_some(op->dw + tap * g->f + j, sum, g->f - j);
    }
}
