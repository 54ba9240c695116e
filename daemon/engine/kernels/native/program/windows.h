/* Sizes of images, filters and windows: what must hold for them, and how many floats they take. */
#ifndef LC_WINDOWS_H
#define LC_WINDOWS_H
#include "geometry.h"
#include "program/reader.h"

/* Windows of `window` pixels, `step` apart, along a side: the first and the last have a pixel inside it. */
static inline void check_windows(Reader *r, int64_t side, int64_t window, int64_t step, int64_t before, int64_t count) {
  SIDES(side), SIDES(window), SIDES(step), SIDES(count);
  if (before < 0 || before >= window) fault(r, "a window lies outside its image");
  if ((count - 1) * step - before >= side) fault(r, "a window lies outside its image");
}

/* The sizes of a convolution, which its words begin with. */
static inline void check_geometry(Reader *r, const Geometry *g) {
  SIDES(g->kh, g->dh), SIDES(g->kw, g->dw);
  if (r->wrong) return;
  check_windows(r, g->h, (g->kh - INT64_C(1)) * g->dh + 1, g->sh, g->top, g->oh);
  check_windows(r, g->w, (g->kw - INT64_C(1)) * g->dw + 1, g->sw, g->left, g->ow);
  SIDES((g->oh - INT64_C(1)) * g->sh + (g->kh - INT64_C(1)) * g->dh + 1),
      SIDES((g->ow - INT64_C(1)) * g->sw + (g->kw - INT64_C(1)) * g->dw + 1);
  SIDES(g->h + (int64_t)g->top), SIDES(g->w + (int64_t)g->left);
}

/* An image of so many channels with its padding. */
static inline void check_padded(Reader *r, const Geometry *g, int64_t channels) {
  if (r->wrong) return;
  Padded p = padded_sides(g);
  SIZE(p.h, p.w, channels);
}

/* Winograd's tiles hang over the edge by less than a tile. */
static inline void check_tiles(Reader *r, const Geometry *g) {
  /* Sizes that are out of range must not be added to. */
  if (r->wrong) return;
  if (g->kh != g->kw || (g->kh != 3 && g->kh != 5)) fault(r, "no tile has such a filter");
  else if (g->sh != 1 || g->sw != 1 || g->dh != 1 || g->dw != 1) fault(r, "tiles are neither strided nor dilated");
  Geometry wide = *g;
  wide.oh += SIDE, wide.ow += SIDE;
  check_padded(r, &wide, g->c);
}

static inline int64_t image_floats(Reader *r, const Geometry *g) { return SIZE(g->batch, g->h, g->w, g->c); }
static inline int64_t result_floats(Reader *r, const Geometry *g) { return SIZE(g->batch, g->oh, g->ow, g->f); }
static inline int64_t filter_floats(Reader *r, const Geometry *g) { return SIZE(g->kh, g->kw, g->c, g->f); }
static inline int64_t places_floats(Reader *r, int64_t rows, int64_t columns) {
  return SIZE(rows, padded_columns(columns)) ? SIZE(PLACES, filter_place(rows, columns)) : 0;
}

static inline int64_t index_floats(Reader *r, const Pool *p, int64_t batch, int64_t c) {
  int64_t outputs = SIZE(batch, p->oh, p->ow, c);
  return wide_places(p) ? outputs : (outputs + 3) / 4;
}

/* Pooling of an image of h x w. */
static inline void check_pool(Reader *r, const Pool *p, int64_t h, int64_t w, int64_t top, int64_t left) {
  check_windows(r, h, p->ph, p->sh, top, p->oh);
  check_windows(r, w, p->pw, p->sw, left, p->ow);
  SIZE(p->ph, p->pw);
}

/* Pooling of a convolution's results where they arise: every window lies inside. */
static inline void check_fused_pool(Reader *r, const Pool *p, const Geometry *g) {
  check_pool(r, p, g->oh, g->ow, 0, 0);
  if (r->wrong) return;
  if ((p->oh - INT64_C(1)) * p->sh + p->ph > g->oh || (p->ow - INT64_C(1)) * p->sw + p->pw > g->ow)
    fault(r, "a window lies outside its image");
}
#endif
