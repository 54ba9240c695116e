/* How large an image becomes by its padding; shared by the kernels and the check of their operands. */
#ifndef LC_GEOMETRY_H
#define LC_GEOMETRY_H
#include "runtime.h"

typedef struct {
  int64_t row, image; /* of the padded image, in floats */
  int h, w;        /* padded */
  int padded;
} Padded;

/* The sides alone: channels that were not checked yet must not be multiplied. */
static inline Padded padded_sides(const Geometry *g) {
  int h = (g->oh - 1) * g->sh + (g->kh - 1) * g->dh + 1, w = (g->ow - 1) * g->sw + (g->kw - 1) * g->dw + 1;
  Padded p = {.h = h > g->h ? h : g->h, .w = w > g->w ? w : g->w};
  p.padded = g->top > 0 || g->left > 0 || p.h > g->h || p.w > g->w;
  if (g->top + g->h > p.h) p.h = g->top + g->h;
  if (g->left + g->w > p.w) p.w = g->left + g->w;
  return p;
}

static inline Padded padded(const Geometry *g) {
  Padded p = padded_sides(g);
  p.row = (int64_t)p.w * g->c;
  p.image = p.row * p.h;
  return p;
}

/* The convolution whose forward pass is the input gradient of one with stride 1: dy by the turned filter. */
static inline Geometry turned_geometry(const Geometry *g) {
  return (Geometry){.batch = g->batch,
                    .h = g->oh,
                    .w = g->ow,
                    .c = g->f,
                    .oh = g->h,
                    .ow = g->w,
                    .f = g->c,
                    .kh = g->kh,
                    .kw = g->kw,
                    .sh = 1,
                    .sw = 1,
                    .top = (g->kh - 1) * g->dh - g->top,
                    .left = (g->kw - 1) * g->dw - g->left,
                    .dh = g->dh,
                    .dw = g->dw};
}

/* Sums over a batch are made in so many parts, none of them empty. */
static inline int parts_of(int batch) { return MIN(PARTS, batch); }

/* Rows of sums in parts of the batch are this long: whole vectors of every level. */
static inline int64_t padded_columns(int64_t n) { return (n + COLUMN_UNIT - 1) / COLUMN_UNIT * COLUMN_UNIT; }

/* A matrix of rows x columns at one of the places of Winograd's tiles takes so many floats. */
#define PLACES (SIDE * SIDE)
static inline int64_t filter_place(int64_t rows, int64_t columns) {
  return rows * padded_columns(columns) + PLACE_SLACK;
}

/* Where a maximum was is a byte, unless its window has more pixels than a byte can count. */
static inline int wide_places(const Pool *p) { return (int64_t)p->ph * p->pw > BYTE_PLACES; }
#endif
