/* How a convolution is cut into tiles, and blocks of tiles; where each begins in images and results. */
#ifndef LC_TILING_H
#define LC_TILING_H
#include "geometry.h"
#include "tile.h"

/* How a convolution is cut into tiles of m x m results, some of them over the edge. */
typedef struct {
  int m, across, tiles; /* tiles of a row, of an image */
  int block;            /* tiles whose products are computed at once */
  int images;           /* of one task: enough for a block */
  Geometry g;           /* as if results filled all tiles */
  Padded p;
  int64_t x_row, y_row;     /* a tile's channels and filters at one place, in floats */
  int64_t x_place, y_place; /* a block at one place; not whole pages apart */
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
static int64_t pixels_at(const Tiling *t, int tile) {
  int at = tile % t->tiles;
  return tile / t->tiles * t->p.image + at / t->across * t->m * t->p.row + (int64_t)(at % t->across) * t->m * t->g.c;
}
typedef struct {
  int64_t at;
  /* Results that are not over the edge; the rest of a tile is none. */
  int rows, columns;
} Results;
static Results results_at(const Tiling *t, const Geometry *g, int tile) {
  int at = tile % t->tiles, top = at / t->across * t->m, left = at % t->across * t->m;
  return (Results){(((int64_t)(tile / t->tiles) * g->oh + top) * g->ow + left) * g->f, MIN(t->m, g->oh - top),
                   MIN(t->m, g->ow - left)};
}

#endif
