/*
 * Convolutions with fewer multiplications, by Winograd's tiles: see winograd.h. Each of a tile's 36 places is a matrix
 * (tiles x channels, channels x filters, tiles x filters); their products are plain ones, of a block of tiles that stays
 * in the second-level cache. Both gradients are the adjoint of the convolution, with the same tiles.
 */
#include "winograd.h"

/* How a convolution is cut into tiles of m x m results, some of them over the edge. */
typedef struct {
  int m, across, tiles;     /* tiles of a row, of an image */
  int block;                /* tiles whose products are computed at once */
  int images;               /* of one task: enough for a block */
  Geometry g;               /* as if results filled all tiles */
  Padded p;
  long x_row, y_row;        /* a tile's channels and filters at one place, in floats */
  long x_place, y_place;    /* a block at one place; not whole pages apart */
} Tiling;

/* Tiles of a block in a convolution and its input gradient; more in a filter's gradient, which sums over them. */
#define BLOCK (2 * ROWS)
#define SUMMED_BLOCK (4 * ROWS)

static Tiling tiling(const Geometry *g, int block) {
  Tiling t = {.m = SIDE + 1 - g->kh, .block = block, .g = *g};
  int down = (g->oh + t.m - 1) / t.m;
  t.across = (g->ow + t.m - 1) / t.m;
  t.tiles = down * t.across;
  t.images = MIN((block + t.tiles - 1) / t.tiles, g->batch);
  t.g.oh = down * t.m, t.g.ow = t.across * t.m;
  t.p = padded(&t.g);
  t.x_row = padded_columns(g->c), t.y_row = padded_columns(g->f);
  t.x_place = block * t.x_row + PLACE_SLACK, t.y_place = block * t.y_row + PLACE_SLACK;
  return t;
}

/* Where tile number `tile` of some images begins: in a padded image, and among the results. */
static long pixels_at(const Tiling *t, int tile) {
  int at = tile % t->tiles;
  return tile / t->tiles * t->p.image + at / t->across * t->m * t->p.row + (long)(at % t->across) * t->m * t->g.c;
}
typedef struct {
  long at;
  /* Results that are not over the edge; the rest of a tile is none. */
  int rows, columns;
} Results;
static Results results_at(const Tiling *t, const Geometry *g, int tile) {
  int at = tile % t->tiles, top = at / t->across * t->m, left = at % t->across * t->m;
  return (Results){(((long)(tile / t->tiles) * g->oh + top) * g->ow + left) * g->f, MIN(t->m, g->oh - top), MIN(t->m, g->ow - left)};
}

/* Calls f(.., cut, part) with constants for whole vectors, and for the last one. */
#define BY_PART(left, f, ...) \
  do \
    if ((left) >= LANES) f(__VA_ARGS__, 0, part_of(LANES)); \
    else f(__VA_ARGS__, 1, part_of(left)); \
  while (0)
#define LOAD_CUT(p) (cut ? load_part(p, part) : (vf)LOAD(p))
#define STORE_CUT(p, x) \
  do \
    if (cut) store_part(p, x, part); \
    else STORE(p, x); \
  while (0)

INLINE void store_places(const vf *d, float *places, long place) {
#pragma GCC unroll 36
  for (int i = 0; i < PLACES; i++) STORE(places + i * place, d[i]);
}
INLINE void load_places(vf *d, const float *places, long place) {
#pragma GCC unroll 36
  for (int i = 0; i < PLACES; i++) d[i] = LOAD(places + i * place);
}

/* D of one tile, one vector of channels. */
INLINE void reduce_pixels_at(const Tiling *t, const float *x, float *places, const int cut, Part part) {
#pragma GCC unroll 2
  for (int half = 0; half < 2; half++) {
    vf d[SIDE][SIDE];
#pragma GCC unroll 6
    for (int j = 0; j < SIDE; j++) {
      vf column[SIDE];
#pragma GCC unroll 6
      for (int i = 0; i < SIDE; i++) column[i] = LOAD_CUT(x + i * t->p.row + j * t->g.c);
      reduce_half(half, column, 1);
      d[0][j] = column[0], d[1][j] = column[1], d[2][j] = column[2];
    }
#pragma GCC unroll 3
    for (int i = 0; i < SIDE / 2; i++) {
      reduce_row(d[i]);
#pragma GCC unroll 6
      for (int j = 0; j < SIDE; j++) STORE(places + ((half * SIDE / 2 + i) * SIDE + j) * t->x_place, d[i][j]);
    }
  }
}

static void reduce_block(const Tiling *t, const float *x, int first, int count, float *places) {
  for (int k = 0; k < count; k++) {
    const float *at = x + pixels_at(t, first + k);
    for (int c = 0; c < t->g.c; c += LANES)
      BY_PART(t->g.c - c, reduce_pixels_at, t, at + c, places + k * t->x_row + c);
  }
}

/* Its adjoint: B D B' added to the pixels. */
INLINE void spread_pixels_at(const Tiling *t, const float *places, float *x, const int cut, Part part) {
#pragma GCC unroll 2
  for (int half = 0; half < 2; half++) {
    vf d[SIDE][SIDE];
#pragma GCC unroll 6
    for (int j = 0; j < SIDE; j++) {
      vf column[SIDE];
#pragma GCC unroll 6
      for (int i = 0; i < SIDE; i++) column[i] = LOAD(places + (i * SIDE + j) * t->x_place);
      spread_half(half, column, 1);
      d[0][j] = column[0], d[1][j] = column[1], d[2][j] = column[2];
    }
#pragma GCC unroll 3
    for (int i = 0; i < SIDE / 2; i++) {
      spread_row(d[i]);
#pragma GCC unroll 6
      for (int j = 0; j < SIDE; j++) {
        float *at = x + (2 * i + half) * t->p.row + j * t->g.c;
        STORE_CUT(at, d[i][j] + LOAD_CUT(at));
      }
    }
  }
}

static void spread_block(const Tiling *t, const float *places, int first, int count, float *x) {
  for (int k = 0; k < count; k++) {
    float *at = x + pixels_at(t, first + k);
    for (int c = 0; c < t->g.c; c += LANES)
      BY_PART(t->g.c - c, spread_pixels_at, t, places + k * t->x_row + c, at + c);
  }
}

/* A' M A + bias of one tile, one vector of filters. */
INLINE void interpolate_results_at(const int m, const Tiling *t, const float *places, const Convolution *op, int f, float *y,
                                   Results results, const int cut, Part part) {
  vf d[PLACES];
  load_places(d, places + f, t->y_place);
  interpolate_tile(m, d);
  vf bias = op->bias ? LOAD_CUT(op->bias + f) : splat(0);
#pragma GCC unroll 4
  for (int i = 0; i < m; i++)
#pragma GCC unroll 4
    for (int j = 0; j < m; j++) {
      if (i >= results.rows || j >= results.columns) continue;
      vf sum = d[i * SIDE + j] + bias;
      if (op->relu) sum = select_v(sum < 0, splat(0), sum);
      STORE_CUT(y + ((long)i * op->g.ow + j) * op->g.f + f, sum);
    }
}

static void interpolate_block(const Tiling *t, const float *places, int first, int count, const Convolution *op, float *y) {
  for (int k = 0; k < count; k++, places += t->y_row) {
    Results results = results_at(t, &op->g, first + k);
    for (int f = 0; f < op->g.f; f += LANES)
      if (t->m == 4) BY_PART(op->g.f - f, interpolate_results_at, 4, t, places, op, f, y + results.at, results);
      else BY_PART(op->g.f - f, interpolate_results_at, 2, t, places, op, f, y + results.at, results);
  }
}

/* A dy A' of one tile, one vector of filters. */
INLINE void evaluate_results_at(const int m, const Tiling *t, const float *dy, const Geometry *g, Results results,
                                float *places, const int cut, Part part) {
  vf d[PLACES];
#pragma GCC unroll 4
  for (int i = 0; i < m; i++)
#pragma GCC unroll 4
    for (int j = 0; j < m; j++)
      d[i * SIDE + j] = i < results.rows && j < results.columns ? LOAD_CUT(dy + ((long)i * g->ow + j) * g->f) : splat(0);
  evaluate_tile(m, d);
  store_places(d, places, t->y_place);
}

static void evaluate_block(const Tiling *t, const float *dy, const Geometry *g, int first, int count, float *places) {
  for (int k = 0; k < count; k++, places += t->y_row) {
    Results results = results_at(t, g, first + k);
    for (int f = 0; f < g->f; f += LANES) {
      const float *from = dy + results.at + f;
      if (t->m == 4) BY_PART(g->f - f, evaluate_results_at, 4, t, from, g, results, places + f);
      else BY_PART(g->f - f, evaluate_results_at, 2, t, from, g, results, places + f);
    }
  }
}

INLINE float inverse_distance(int place) { return inverse_distances[place / SIDE] * inverse_distances[place % SIDE]; }

/* E of one row of filters, n numbers long: rows of taps (i, j) lie i * down + j * across from each other. */
static void evaluate_filter(int r, const float *filter, long down, long across, int n, float *places, long place) {
  for (int at = 0; at < n; at += LANES) {
    vf d[PLACES];
    for (int i = 0; i < r; i++)
      for (int j = 0; j < r; j++) d[i * SIDE + j] = load_some(filter + i * down + j * across + at, n - at);
    if (r == 3) evaluate_tile(3, d);
    else evaluate_tile(5, d);
    for (int i = 0; i < PLACES; i++) STORE(places + i * place + at, d[i] * splat(inverse_distance(i)));
  }
}

/*
 * Matrices of all places: c = a b, a[i][k] lying i * a_row + k * a_column from a; or c += a b. Rows of b and c are whole
 * vectors; rows of a and c are whole tiles: what is beyond them is computed, and not used.
 */
typedef struct {
  const float *a, *b;
  float *c;
  long a_row, a_column, a_place, b_row, b_place, c_row, c_place;
  int rows, columns, depth, accumulate;
} Products;

/* As tile_of, but for sums of few terms: with nothing to decide. */
INLINE void short_tile(const Products *p, const float *a, const float *b, float *c, const int vectors, const int half) {
  const int full = vectors - half;
  const long a_row = p->a_row, a_column = p->a_column, b_row = p->b_row, c_row = p->c_row;
#define START(i) \
  const float *a##i = a + i * a_row; \
  vf c##i##0 = splat(0), c##i##1 = c##i##0, c##i##2 = c##i##0; \
  half_vf h##i = {0};
  EACH_ROW(START)
  for (long k = 0, at = 0; k < p->depth; k++, at += a_column, b += b_row) {
    vf b0 = {0}, b1 = {0}, b2 = {0};
    half_vf bh = {0};
    if (full > 0) b0 = LOAD(b);
    if (full > 1) b1 = LOAD(b + LANES);
    if (full > 2) b2 = LOAD(b + 2 * LANES);
    if (half) bh = LOAD_HALF(b + full * LANES);
#define SUM(i) \
  { \
    vf x = splat(a##i[at]); \
    if (full > 0) c##i##0 += x * b0; \
    if (full > 1) c##i##1 += x * b1; \
    if (full > 2) c##i##2 += x * b2; \
    if (half) h##i += low_half(x) * bh; \
  }
    EACH_ROW(SUM)
  }
#define ADD(p, x) STORE(p, accumulate ? (x) + LOAD(p) : (x))
  const int accumulate = p->accumulate;
#define WRITE(i) \
  { \
    float *to = c + i * c_row; \
    if (full > 0) ADD(to, c##i##0); \
    if (full > 1) ADD(to + LANES, c##i##1); \
    if (full > 2) ADD(to + 2 * LANES, c##i##2); \
    if (half) ADD(to + full * LANES, whole(h##i)); \
  }
  EACH_ROW(WRITE)
#undef START
#undef SUM
#undef ADD
#undef WRITE
}

/* One panel of all places, of so many vectors. */
INLINE void multiply_panel(const Products *p, int n0, const int vectors, const int half) {
  for (int place = 0; place < PLACES; place++)
    for (int row = 0; row < p->rows; row += ROWS)
      short_tile(p, p->a + place * p->a_place + row * p->a_row, p->b + place * p->b_place + n0,
                 p->c + place * p->c_place + row * p->c_row + n0, vectors, half);
}

static void multiply_places(const Products *p) {
  for (int panel = 0; panel < panels_of(p->columns); panel++) {
    int n0 = panel_start(p->columns, panel), n = panel_start(p->columns, panel + 1) - n0;
    int vectors = (n + LANES - 1) / LANES, half = LANES == 16 && n % 16 > 0 && n % 16 <= 8;
    if (vectors == 1) half ? multiply_panel(p, n0, 1, 1) : multiply_panel(p, n0, 1, 0);
    else if (vectors == 2) half ? multiply_panel(p, n0, 2, 1) : multiply_panel(p, n0, 2, 0);
    else half ? multiply_panel(p, n0, 3, 1) : multiply_panel(p, n0, 3, 0);
  }
}

static int tasks_of(const Tiling *t) { return (t->g.batch + t->images - 1) / t->images; }
/* For the estimate: a third of the direct products, and the tiles. */
static double tiled_time(const Geometry *g) { return product_time(g) / 3; }
static long block_floats(const Tiling *t) { return PLACES * (t->x_place + t->y_place); }
static long sums_place(const Geometry *g) { return filter_place((g->c + ROWS - 1) / ROWS * ROWS, g->f); }

static void forward_filter(const void *argument, int channel, float *scratch) {
  (void)scratch;
  const Convolution *op = argument;
  const Geometry *g = &op->g;
  evaluate_filter(g->kh, op->filter + (long)channel * g->f, (long)g->kw * g->c * g->f, (long)g->c * g->f, g->f,
                  op->places + channel * padded_columns(g->f), filter_place(g->c, g->f));
}

/* Images of a task, with zeros around them. */
static const float *padded_images(const Tiling *t, const float *x, int count, float *to) {
  for (int i = 0; i < count; i++) pad_image(&t->g, &t->p, x + (long)i * t->g.h * t->g.w * t->g.c, to + i * t->p.image);
  return t->p.padded ? to : x;
}

static void forward_tiles(const void *argument, int task, float *scratch) {
  const Convolution *op = argument;
  const Geometry *g = &op->g;
  Tiling t = tiling(g, BLOCK);
  int image = task * t.images, images = MIN(t.images, g->batch - image), tiles = images * t.tiles;
  long pixels = (long)g->oh * g->ow * g->f;
  float *d = scratch, *m = d + PLACES * t.x_place, *own = m + PLACES * t.y_place;
  const float *x = padded_images(&t, op->x + (long)image * g->h * g->w * g->c, images, own);
  float *y = op->pooled ? own + t.images * t.p.image + SLACK : op->y + image * pixels;
  Products products = {.a = d, .a_row = t.x_row, .a_column = 1, .a_place = t.x_place, .b = op->places, .b_row = t.y_row};
  products.b_place = filter_place(g->c, g->f), products.depth = g->c, products.columns = g->f;
  products.c = m, products.c_row = t.y_row, products.c_place = t.y_place;
  for (int first = 0; first < tiles; first += t.block) {
    products.rows = MIN(t.block, tiles - first);
    reduce_block(&t, x, first, products.rows, d);
    multiply_places(&products);
    interpolate_block(&t, m, first, products.rows, op, y);
  }
  for (int i = 0; op->pooled && i < images; i++) {
    long out = (long)(image + i) * op->pool.oh * op->pool.ow * g->f;
    max_pool_image(y + i * pixels, g->ow, g->f, &op->pool, op->y + out, places_at(&op->pool, op->index, out));
  }
}

static void winograd(Team *team, const Convolution *op) {
  const Geometry *g = &op->g;
  Tiling t = tiling(g, BLOCK);
  long own = t.images * (t.p.image + (op->pooled ? (long)g->oh * g->ow * g->f : 0)) + 2 * SLACK;
  team_run(team, g->c, forward_filter, op, 0, PLACES * filter_time(g) / 9);
  team_run(team, tasks_of(&t), forward_tiles, op, block_floats(&t) + own, tiled_time(g));
}

static void backward_filter(const void *argument, int filter, float *scratch) {
  (void)scratch;
  const InputGradient *op = argument;
  const Geometry *g = &op->g;
  long row = (long)g->kw * g->c;
  evaluate_filter(g->kh, op->packed + filter * row, row * g->f, g->c, g->c, op->places + filter * padded_columns(g->c),
                  filter_place(g->f, g->c));
}

static void backward_tiles(const void *argument, int task, float *scratch) {
  const InputGradient *op = argument;
  const Geometry *g = &op->g;
  Tiling t = tiling(g, BLOCK);
  int image = task * t.images, images = MIN(t.images, g->batch - image), tiles = images * t.tiles;
  long given = (long)g->h * g->w * g->c;
  float *d = scratch, *m = d + PLACES * t.x_place;
  float *dx = t.p.padded ? m + PLACES * t.y_place : op->dx + image * given;
  const float *dy = op->dy + (long)image * g->oh * g->ow * g->f;
  memset(dx, 0, images * t.p.image * sizeof(float));
  Products products = {.a = m, .a_row = t.y_row, .a_column = 1, .a_place = t.y_place, .b = op->places, .b_row = t.x_row};
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

static void winograd_input_gradient(Team *team, const InputGradient *op) {
  const Geometry *g = &op->g;
  Tiling t = tiling(g, BLOCK);
  team_run(team, g->kh, pack_transposed, op, 0, filter_time(g));
  team_run(team, g->f, backward_filter, op, 0, PLACES * filter_time(g) / 9);
  team_run(team, tasks_of(&t), backward_tiles, op, block_floats(&t) + t.images * t.p.image + SLACK, tiled_time(g));
}

/* G' (N S N) G of one channel, one vector of filters. */
INLINE void interpolate_filter(const int r, const float *sums, long place, float *dw, long tap) {
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
  long columns = padded_columns(g->f), place = sums_place(g);
  float *d = scratch, *m = d + PLACES * t.x_place, *sums = m + PLACES * t.y_place, *own = sums + PLACES * place;
  float *expanded = own + t.images * t.p.image + SLACK;
  float *dw = op->partial + part * ((long)g->kh * g->kw * g->c + 1) * columns, *db = dw + (long)g->kh * g->kw * g->c * columns;
  int from = (long)g->batch * part / PARTS, to = (long)g->batch * (part + 1) / PARTS;
  memset(db, 0, columns * sizeof(float));
  if (from == to) memset(sums, 0, PLACES * place * sizeof(float));
  Products products = {.a = d, .a_row = 1, .a_column = t.x_row, .a_place = t.x_place, .b = m, .b_row = t.y_row};
  products.b_place = t.y_place, products.rows = g->c, products.columns = g->f;
  products.c = sums, products.c_row = columns, products.c_place = place;
  for (int image = from; image < to; image += t.images) {
    int images = MIN(t.images, to - image), tiles = images * t.tiles;
    const float *x = padded_images(&t, op->x + (long)image * g->h * g->w * g->c, images, own);
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

static void winograd_filter_gradient(Team *team, const FilterGradient *op) {
  const Geometry *g = &op->g;
  Tiling t = tiling(g, SUMMED_BLOCK);
  long expanded = op->pooled ? (long)g->oh * g->ow * g->f : 0;
  long own = PLACES * sums_place(g) + t.images * (t.p.image + expanded) + 2 * SLACK;
  team_run(team, PARTS, filter_tiles, op, block_floats(&t) + own, tiled_time(g));
  sum_parts(team, op);
}
