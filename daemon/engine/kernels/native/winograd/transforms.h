/* From pixels, results and filters to the places of tiles, and back: a block of tiles at a time. */
#ifndef LC_TRANSFORMS_H
#define LC_TRANSFORMS_H
#include "winograd/tiles.h"
#include "winograd/tiling.h"

INLINE void store_places(const vf *d, float *places, int64_t place) {
#pragma GCC unroll 36
  for (int i = 0; i < PLACES; i++) STORE(places + i * place, d[i]);
}
INLINE void load_places(vf *d, const float *places, int64_t place) {
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
    for (int c = 0; c < t->g.c; c += LANES) BY_PART(t->g.c - c, reduce_pixels_at, t, at + c, places + k * t->x_row + c);
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
    for (int c = 0; c < t->g.c; c += LANES) BY_PART(t->g.c - c, spread_pixels_at, t, places + k * t->x_row + c, at + c);
  }
}

/* A' M A + bias of one tile, one vector of filters. */
INLINE void interpolate_results_at(const int m, const Tiling *t, const float *places, const Convolution *op, int f,
                                   float *y, Results results, const int cut, Part part) {
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
      STORE_CUT(y + ((int64_t)i * op->g.ow + j) * op->g.f + f, sum);
    }
}

static void interpolate_block(const Tiling *t, const float *places, int first, int count, const Convolution *op,
                              float *y) {
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
      d[i * SIDE + j] =
          i < results.rows && j < results.columns ? LOAD_CUT(dy + ((int64_t)i * g->ow + j) * g->f) : splat(0);
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
static void evaluate_filter(int r, const float *filter, int64_t down, int64_t across, int n, float *places,
                            int64_t place) {
  for (int at = 0; at < n; at += LANES) {
    vf d[PLACES];
    for (int i = 0; i < r; i++)
      for (int j = 0; j < r; j++) d[i * SIDE + j] = load_some(filter + i * down + j * across + at, n - at);
    if (r == 3) evaluate_tile(3, d);
    else evaluate_tile(5, d);
    for (int i = 0; i < PLACES; i++) STORE(places + i * place + at, d[i] * splat(inverse_distance(i)));
  }
}

#endif
