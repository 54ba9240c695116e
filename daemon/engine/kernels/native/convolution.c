/*
 * Convolutions as products without unfolding the image: in NHWC the pixels under one row of the filter are consecutive
 * floats, so a row of A is a pointer into the image. Padding is copied in, image by image, in the cache.
 */
#include <string.h>
#include "micro.h"

typedef struct {
  long row, image;     /* of the padded image, in floats */
  int h, w;            /* padded */
  int padded;
} Padded;

static Padded padded(const Geometry *g) {
  int h = (g->oh - 1) * g->sh + g->kh, w = (g->ow - 1) * g->sw + g->kw;
  Padded p = {.h = h > g->h ? h : g->h, .w = w > g->w ? w : g->w};
  p.padded = g->top > 0 || g->left > 0 || p.h > g->h || p.w > g->w;
  if (g->top + g->h > p.h) p.h = g->top + g->h;
  if (g->left + g->w > p.w) p.w = g->left + g->w;
  p.row = (long)p.w * g->c;
  p.image = p.row * p.h;
  return p;
}

static const float *pad_image(const Geometry *g, const Padded *p, const float *x, float *to) {
  if (!p->padded) return x;
  memset(to, 0, p->image * sizeof(float));
  for (int y = 0; y < g->h; y++)
    memcpy(to + (y + g->top) * p->row + g->left * g->c, x + (long)y * g->w * g->c, (long)g->w * g->c * sizeof(float));
  return to;
}

static void pack_filter(const void *argument, int panel, float *scratch) {
  (void)scratch;
  const Convolution *op = argument;
  const Geometry *g = &op->g;
  int k = g->kh * g->kw * g->c, n0 = panel * 16;
  pack_panel(op->filter, g->f, 1, k, n0, g->f, panel_width(g->f - n0), op->packed + (long)n0 * k);
}

static void forward(const void *argument, int image, float *scratch) {
  const Convolution *op = argument;
  const Geometry *g = &op->g;
  Padded p = padded(g);
  long pixels = (long)g->oh * g->ow, inner = (long)g->kw * g->c, k = g->kh * inner;
  const float *x = pad_image(g, &p, op->x + (long)image * g->h * g->w * g->c, scratch);
  float *y = op->pooled ? scratch + p.image + SLACK : op->y + image * pixels * g->f;
  for (int n0 = 0; n0 < g->f; n0 += 16) {
    int left = g->f - n0, width = panel_width(left), valid = MIN(width, left);
    const float *b = op->packed + n0 * k;
    f32x8 bias0 = splat(0), bias1 = splat(0);
    if (op->bias) {
      bias0 = load_part(op->bias + n0, valid);
      if (valid > 8) bias1 = load_part(op->bias + n0 + 8, valid - 8);
    }
    for (long m = 0; m < pixels; m += 6) {
      const float *a[6];
      f32x8 acc[12];
      for (int i = 0; i < 6; i++) {
        long pixel = MIN(m + i, pixels - 1);
        a[i] = x + pixel / g->ow * g->sh * p.row + pixel % g->ow * g->sw * g->c;
        acc[2 * i] = bias0, acc[2 * i + 1] = bias1;
      }
      if (width == 16) micro(1, g->kh, inner, a, p.row, 1, b, 16, acc);
      else micro(0, g->kh, inner, a, p.row, 1, b, 8, acc);
      for (int i = 0; i < 6 && m + i < pixels; i++)
        for (int j = 0; 8 * j < valid; j++) {
          f32x8 v = acc[2 * i + j];
          if (op->relu) v = select8(v < 0, splat(0), v);
          store_part(y + (m + i) * g->f + n0 + 8 * j, v, valid - 8 * j);
        }
    }
  }
  if (op->pooled) {
    long out = (long)image * op->pool.oh * op->pool.ow * g->f;
    max_pool_image(y, g->ow, g->f, &op->pool, op->y + out, op->index + out);
  }
}

void convolution(Team *team, const Convolution *op) {
  const Geometry *g = &op->g;
  team_run(team, (g->f + 15) / 16, pack_filter, op, 0);
  long own = padded(g).image + SLACK + (op->pooled ? (long)g->oh * g->ow * g->f + SLACK : 0);
  team_run(team, g->batch, forward, op, own);
}

/* Per row ky of the filter: B[f][kx * c + ch] = filter[ky][kx][ch][f]. */
static void pack_transposed(const void *argument, int ky, float *scratch) {
  (void)scratch;
  const InputGradient *op = argument;
  const Geometry *g = &op->g;
  int n = g->kw * g->c;
  const float *b = op->filter + (long)ky * n * g->f;
  float *to = op->packed + ky * packed_columns(n) * g->f;
  for (int n0 = 0; n0 < n; n0 += 16) pack_panel(b, 1, g->f, g->f, n0, n, panel_width(n - n0), to + (long)n0 * g->f);
}

/* Every output pixel spreads dy . filter over the pixels under it. */
static void backward(const void *argument, int image, float *scratch) {
  const InputGradient *op = argument;
  const Geometry *g = &op->g;
  Padded p = padded(g);
  long pixels = (long)g->oh * g->ow;
  int n = g->kw * g->c;
  const float *dy = op->dy + image * pixels * g->f;
  float *dx = p.padded ? scratch : op->dx + (long)image * g->h * g->w * g->c;
  memset(dx, 0, p.image * sizeof(float));
  for (int ky = 0; ky < g->kh; ky++)
    for (int n0 = 0; n0 < n; n0 += 16) {
      int left = n - n0, width = panel_width(left), valid = MIN(width, left);
      const float *b = op->packed + (ky * packed_columns(n) + n0) * g->f;
      for (long m = 0; m < pixels; m += 6) {
        const float *a[6];
        for (int i = 0; i < 6; i++) a[i] = dy + MIN(m + i, pixels - 1) * g->f;
        f32x8 acc[12] = {0};
        if (width == 16) micro(1, 1, g->f, a, 0, 1, b, 16, acc);
        else micro(0, 1, g->f, a, 0, 1, b, 8, acc);
        for (int i = 0; i < 6 && m + i < pixels; i++) {
          long pixel = m + i;
          float *to = dx + (pixel / g->ow * g->sh + ky) * p.row + pixel % g->ow * g->sw * g->c + n0;
          for (int j = 0; 8 * j < valid; j++) {
            int part = valid - 8 * j;
            store_part(to + 8 * j, acc[2 * i + j] + load_part(to + 8 * j, part), part);
          }
        }
      }
    }
  if (p.padded) {
    float *to = op->dx + (long)image * g->h * g->w * g->c;
    for (int y = 0; y < g->h; y++)
      memcpy(to + (long)y * g->w * g->c, dx + (y + g->top) * p.row + g->left * g->c, (long)g->w * g->c * sizeof(float));
  }
}

/* Column panel of the filter turned by 180 degrees, its channels and filters exchanged. */
static void pack_turned(const void *argument, int panel, float *scratch) {
  (void)scratch;
  const InputGradient *op = argument;
  const Geometry *g = &op->g;
  int n0 = panel * 16, width = panel_width(g->c - n0), taps = g->kh * g->kw;
  float *to = op->packed + (long)n0 * taps * g->f;
  for (int tap = taps - 1; tap >= 0; tap--, to += (long)g->f * width)
    pack_panel(op->filter + (long)tap * g->c * g->f, 1, g->f, g->f, n0, g->c, width, to);
}

/* With stride 1 the gradient is a convolution of dy with the turned filter: no spreading, at the price of padding dy. */
static void as_convolution(Team *team, const InputGradient *op) {
  const Geometry *g = &op->g;
  Geometry turned = {g->batch, g->oh, g->ow, g->f, g->h, g->w, g->c, g->kh, g->kw, 1, 1, g->kh - 1 - g->top, g->kw - 1 - g->left};
  Convolution c = {.g = turned, .x = op->dy, .y = op->dx, .packed = op->packed};
  team_run(team, (g->c + 15) / 16, pack_turned, op, 0);
  team_run(team, g->batch, forward, &c, padded(&turned).image + SLACK);
}

void convolution_input_gradient(Team *team, const InputGradient *op) {
  const Geometry *g = &op->g;
  /* Padding's zeros are multiplied too: worth it for up to a quarter more pixels. */
  int little_padding = 4L * g->h * g->w <= 5L * g->oh * g->ow;
  if (g->sh == 1 && g->sw == 1 && g->top < g->kh && g->left < g->kw && little_padding) {
    as_convolution(team, op);
    return;
  }
  team_run(team, op->g.kh, pack_transposed, op, 0);
  team_run(team, op->g.batch, backward, op, padded(&op->g).image + SLACK);
}

/* Sums of one part of the batch: partial[part][k][packed f], then the bias row. */
static void filter_part(const void *argument, int part, float *scratch) {
  const FilterGradient *op = argument;
  const Geometry *g = &op->g;
  Padded p = padded(g);
  long pixels = (long)g->oh * g->ow, columns = packed_columns(g->f);
  int inner = g->kw * g->c;
  long rows = (long)g->kh * inner;
  float *sums = op->partial + part * (rows + 1) * columns;
  float *expanded = scratch + p.image + SLACK;
  memset(sums, 0, (rows + 1) * columns * sizeof(float));
  int from = (long)g->batch * part / PARTS, to = (long)g->batch * (part + 1) / PARTS;
  for (int image = from; image < to; image++) {
    const float *x = pad_image(g, &p, op->x + (long)image * g->h * g->w * g->c, scratch);
    const float *dy = op->dy + image * pixels * g->f;
    if (op->pooled) {
      long at = (long)image * op->pool.oh * op->pool.ow * g->f;
      max_pool_gradient_image(op->dy + at, op->index + at, g->oh, g->ow, g->f, &op->pool, expanded);
      dy = expanded;
    }
    for (int n0 = 0; n0 < g->f; n0 += 16) {
      int width = panel_width(g->f - n0);
      for (int ky = 0; ky < g->kh; ky++)
        for (int k = 0; k < inner; k += 6) {
          const float *a[6];
          f32x8 acc[12];
          int valid = MIN(6, inner - k);
          float *sum = sums + (ky * (long)inner + k) * columns + n0;
          for (int i = 0; i < 6; i++) {
            int row = MIN(i, valid - 1);
            a[i] = x + ky * p.row + k + row;
            acc[2 * i] = LOAD(sum + row * columns);
            acc[2 * i + 1] = width == 16 ? (f32x8)LOAD(sum + row * columns + 8) : splat(0);
          }
          /* The last panel reads past a pixel's channels: into columns that are never stored. */
          if (width == 16) micro(1, g->oh, g->ow, a, g->sh * p.row, g->sw * g->c, dy + n0, g->f, acc);
          else micro(0, g->oh, g->ow, a, g->sh * p.row, g->sw * g->c, dy + n0, g->f, acc);
          for (int i = 0; i < valid; i++) {
            STORE(sum + i * columns, acc[2 * i]);
            if (width == 16) STORE(sum + i * columns + 8, acc[2 * i + 1]);
          }
        }
    }
    if (op->db) {
      float *bias = sums + rows * columns;
      for (long m = 0; m < pixels; m++)
        for (int f = 0; f < g->f; f += 8) STORE(bias + f, LOAD(bias + f) + LOAD(dy + m * g->f + f));
    }
  }
}

static void add_parts(const void *argument, int row, float *scratch) {
  (void)scratch;
  const FilterGradient *op = argument;
  const Geometry *g = &op->g;
  long columns = packed_columns(g->f), rows = (long)g->kh * g->kw * g->c, stride = (rows + 1) * columns;
  float *to = row == rows ? op->db : op->dw + (long)row * g->f;
  for (int f = 0; f < g->f; f += 8) {
    f32x8 sum = splat(0);
    for (int part = 0; part < PARTS; part++) sum += LOAD(op->partial + part * stride + row * columns + f);
    store_part(to + f, sum, g->f - f);
  }
}

void convolution_filter_gradient(Team *team, const FilterGradient *op) {
  const Geometry *g = &op->g;
  long own = padded(g).image + SLACK + (op->pooled ? (long)g->oh * g->ow * g->f + SLACK : 0);
  team_run(team, PARTS, filter_part, op, own);
  team_run(team, g->kh * g->kw * g->c + (op->db != 0), add_parts, op, 0);
}
