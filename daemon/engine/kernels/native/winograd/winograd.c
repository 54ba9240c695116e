/*
 * Convolutions with fewer multiplications, by Winograd's tiles: see tiles.h. Each of a tile's 36 places is a matrix
 * (tiles x channels, channels x filters, tiles x filters); their products are plain ones, of a block of tiles that
 * stays in the second-level cache. Both gradients are the adjoint of the convolution, with the same tiles.
 */
#include "winograd/products.h"
#include "winograd/tiles.h"
#include "winograd/tiling.h"
#include "winograd/transforms.h"

static int tasks_of(const Tiling *t) { return (t->g.batch + t->images - 1) / t->images; }
/* For the estimate: a third of the direct products, and the tiles. */
static double tiled_time(const Geometry *g) { return product_time(g) / 3; }
static int64_t block_floats(const Tiling *t) { return PLACES * (t->x_place + t->y_place); }
static int64_t sums_place(const Geometry *g) { return filter_place((g->c + ROWS - 1) / ROWS * ROWS, g->f); }

static void forward_filter(const void *argument, int channel, float *scratch) {
  (void)scratch;
  const Convolution *op = argument;
  const Geometry *g = &op->g;
  evaluate_filter(g->kh, op->filter + (int64_t)channel * g->f, (int64_t)g->kw * g->c * g->f, (int64_t)g->c * g->f, g->f,
                  op->places + channel * padded_columns(g->f), filter_place(g->c, g->f));
}

/* Images of a task, with zeros around them. */
static const float *padded_images(const Tiling *t, const float *x, int count, float *to) {
  for (int i = 0; i < count; i++)
    pad_image(&t->g, &t->p, x + (int64_t)i * t->g.h * t->g.w * t->g.c, to + i * t->p.image);
  return t->p.padded ? to : x;
}

static void forward_tiles(const void *argument, int task, float *scratch) {
  const Convolution *op = argument;
  const Geometry *g = &op->g;
  Tiling t = tiling(g, BLOCK);
  int image = task * t.images, images = MIN(t.images, g->batch - image), tiles = images * t.tiles;
  int64_t pixels = (int64_t)g->oh * g->ow * g->f;
  float *d = scratch, *m = d + PLACES * t.x_place, *own = m + PLACES * t.y_place;
  const float *x = padded_images(&t, op->x + (int64_t)image * g->h * g->w * g->c, images, own);
  float *y = op->pooled ? own + t.images * t.p.image + SLACK : op->y + image * pixels;
  Products products = {
      .a = d, .a_row = t.x_row, .a_column = 1, .a_place = t.x_place, .b = op->places, .b_row = t.y_row};
  products.b_place = filter_place(g->c, g->f), products.depth = g->c, products.columns = g->f;
  products.c = m, products.c_row = t.y_row, products.c_place = t.y_place;
  for (int first = 0; first < tiles; first += t.block) {
    products.rows = MIN(t.block, tiles - first);
    reduce_block(&t, x, first, products.rows, d);
    multiply_places(&products);
    interpolate_block(&t, m, first, products.rows, op, y);
  }
  for (int i = 0; op->pooled && i < images; i++) {
    int64_t out = (int64_t)(image + i) * op->pool.oh * op->pool.ow * g->f;
    max_pool_image(y + i * pixels, g->ow, g->f, &op->pool, op->y + out, places_at(&op->pool, op->index, out));
  }
}

static void winograd(ThreadPool *workers, const Convolution *op) {
  const Geometry *g = &op->g;
  Tiling t = tiling(g, BLOCK);
  int64_t own = t.images * (t.p.image + (op->pooled ? (int64_t)g->oh * g->ow * g->f : 0)) + 2 * SLACK;
  thread_pool_run(workers, g->c, forward_filter, op, 0, PLACES * filter_time(g) / 9);
  thread_pool_run(workers, tasks_of(&t), forward_tiles, op, block_floats(&t) + own, tiled_time(g));
}

static void backward_filter(const void *argument, int filter, float *scratch) {
  (void)scratch;
  const InputGradient *op = argument;
  const Geometry *g = &op->g;
  int64_t row = (int64_t)g->kw * g->c;
  evaluate_filter(g->kh, op->packed + filter * row, row * g->f, g->c, g->c, op->places + filter * padded_columns(g->c),
                  filter_place(g->f, g->c));
}

static void backward_tiles(const void *argument, int task, float *scratch) {
  const InputGradient *op = argument;
  const Geometry *g = &op->g;
  Tiling t = tiling(g, BLOCK);
  int image = task * t.images, images = MIN(t.images, g->batch - image), tiles = images * t.tiles;
  int64_t given = (int64_t)g->h * g->w * g->c;
  float *d = scratch, *m = d + PLACES * t.x_place;
  float *dx = t.p.padded ? m + PLACES * t.y_place : op->dx + image * given;
  const float *dy = op->dy + (int64_t)image * g->oh * g->ow * g->f;
  memset(dx, 0, images * t.p.image * sizeof(float));
  Products products = {
      .a = m, .a_row = t.y_row, .a_column = 1, .a_place = t.y_place, .b = op->places, .b_row = t.x_row};
  products.b_place = filter_place(g->f, g->c), products.depth = g->f, products.columns = g->c;
  products.c = d, products.c_row = t.x_row, products.c_place = t.x_place;
  for (int first = 0; first < tiles; first += t.block) {
    products.rows = MIN(t.block, tiles - first);
    evaluate_block(&t, dy, g, first, products.rows, m);
    multiply_places(&products);
    spread_block(&t, d, first, products.rows, dx);
  }
  for (int i = 0; t.p.padded && i < images; i++) crop_image(g, &t.p, dx + i * t.p.image, op->dx + (image + i) * given);
}

static void winograd_input_gradient(ThreadPool *workers, const InputGradient *op) {
  const Geometry *g = &op->g;
  Tiling t = tiling(g, BLOCK);
  thread_pool_run(workers, g->kh, pack_transposed, op, 0, filter_time(g));
  thread_pool_run(workers, g->f, backward_filter, op, 0, PLACES * filter_time(g) / 9);
  thread_pool_run(workers, tasks_of(&t), backward_tiles, op, block_floats(&t) + t.images * t.p.image + SLACK, tiled_time(g));
}

/* G' (N S N) G of one channel, one vector of filters. */
INLINE void interpolate_filter(const int r, const float *sums, int64_t place, float *dw, int64_t tap) {
  vf d[PLACES];
#pragma GCC unroll 36
  for (int i = 0; i < PLACES; i++) d[i] = LOAD(sums + i * place) * splat(inverse_distance(i));
  interpolate_tile(r, d);
#pragma GCC unroll 5
  for (int i = 0; i < r; i++)
#pragma GCC unroll 5
    for (int j = 0; j < r; j++) STORE(dw + (i * r + j) * tap, d[i * SIDE + j]);
}

/* The products of one part of the batch are summed at all places before they become filters: see filter_part. */
static void filter_tiles(const void *argument, int part, float *scratch) {
  const FilterGradient *op = argument;
  const Geometry *g = &op->g;
  Tiling t = tiling(g, SUMMED_BLOCK);
  int64_t columns = padded_columns(g->f), place = sums_place(g);
  float *d = scratch, *m = d + PLACES * t.x_place, *sums = m + PLACES * t.y_place, *own = sums + PLACES * place;
  float *expanded = own + t.images * t.p.image + SLACK;
  float *dw = op->partial + part * ((int64_t)g->kh * g->kw * g->c + 1) * columns,
        *db = dw + (int64_t)g->kh * g->kw * g->c * columns;
  const int parts = parts_of(g->batch);
  int from = (int64_t)g->batch * part / parts, to = (int64_t)g->batch * (part + 1) / parts;
  memset(db, 0, columns * sizeof(float));
  Products products = {.a = d, .a_row = 1, .a_column = t.x_row, .a_place = t.x_place, .b = m, .b_row = t.y_row};
  products.b_place = t.y_place, products.rows = g->c, products.columns = g->f;
  products.c = sums, products.c_row = columns, products.c_place = place;
  for (int image = from; image < to; image += t.images) {
    int images = MIN(t.images, to - image), tiles = images * t.tiles;
    const float *x = padded_images(&t, op->x + (int64_t)image * g->h * g->w * g->c, images, own);
    const float *dy = expanded_images(op, image, images, expanded);
    for (int first = 0; first < tiles; first += t.block) {
      products.depth = MIN(t.block, tiles - first);
      reduce_block(&t, x, first, products.depth, d);
      evaluate_block(&t, dy, g, first, products.depth, m);
      multiply_places(&products);
      products.accumulate = 1;
    }
    if (op->db) add_pixels(g, dy, images, db);
  }
  for (int c = 0; c < g->c; c++)
    for (int f = 0; f < g->f; f += LANES)
      if (g->kh == 3) interpolate_filter(3, sums + c * columns + f, place, dw + c * columns + f, g->c * columns);
      else interpolate_filter(5, sums + c * columns + f, place, dw + c * columns + f, g->c * columns);
}

static void winograd_filter_gradient(ThreadPool *workers, const FilterGradient *op) {
  const Geometry *g = &op->g;
  Tiling t = tiling(g, SUMMED_BLOCK);
  int64_t expanded = op->pooled ? (int64_t)g->oh * g->ow * g->f : 0;
  int64_t own = PLACES * sums_place(g) + t.images * (t.p.image + expanded) + 2 * SLACK;
  thread_pool_run(workers, parts_of(g->batch), filter_tiles, op, block_floats(&t) + own, tiled_time(g));
  sum_parts(workers, op);
}
