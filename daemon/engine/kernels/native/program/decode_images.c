/* Convolutions, their gradients and poolings: operations on images. */
#include "program/decode.h"
#include "program/windows.h"

void decode_convolution(Reader *r, Convolution *c, int tiled) {
  const ConvolutionWords w = read_convolution(r);
  c->g = w.g, c->relu = w.relu, c->pooled = w.pooled, c->pool = w.pool;
  check_geometry(r, &c->g);
  check_padded(r, &c->g, c->g.c);
  if (tiled) check_tiles(r, &c->g);
  if (c->pooled) check_fused_pool(r, &c->pool, &c->g);
  c->x = reads(r, w.x, image_floats(r, &c->g)), c->filter = reads(r, w.filter, filter_floats(r, &c->g));
  c->bias = may_read(r, w.bias, SIZE(c->g.f));
  const int64_t results = result_floats(r, &c->g);
  c->y = writes(r, w.y, c->pooled ? SIZE(c->g.batch, c->pool.oh, c->pool.ow, c->g.f) : results);
  c->index = c->pooled ? (uint8_t *)writes(r, w.index, index_floats(r, &c->pool, c->g.batch, c->g.f)) : NULL;
  c->places = tiled ? writes(r, w.places, places_floats(r, c->g.c, c->g.f)) : NULL;
}

void decode_input_gradient(Reader *r, InputGradient *d, int tiled) {
  const InputGradientWords w = read_input_gradient(r);
  d->g = w.g;
  const Geometry *g = &d->g;
  check_geometry(r, g);
  check_padded(r, g, g->c);
  if (tiled) check_tiles(r, g);
  if ((g->dh > 1 || g->dw > 1) && (g->sh > 1 || g->sw > 1)) fault(r, "an input gradient is both strided and dilated");
  if (!r->wrong && g->sh == 1 && g->sw == 1) {
    Geometry turned = turned_geometry(g);
    SIDES(g->h + (g->kh - INT64_C(1)) * g->dh), SIDES(g->w + (g->kw - INT64_C(1)) * g->dw);
    check_padded(r, &turned, g->f);
  }
  d->dy = reads(r, w.dy, result_floats(r, g)), d->filter = reads(r, w.filter, filter_floats(r, g));
  d->dx = writes(r, w.dx, image_floats(r, g)), d->packed = writes(r, w.packed, filter_floats(r, g));
  d->places = tiled ? writes(r, w.places, places_floats(r, g->f, g->c)) : NULL;
}

void decode_filter_gradient(Reader *r, FilterGradient *d, int tiled) {
  const FilterGradientWords w = read_filter_gradient(r);
  d->g = w.g, d->pooled = w.pooled, d->pool = w.pool;
  const Geometry *g = &d->g;
  check_geometry(r, g);
  check_padded(r, g, g->c);
  if (tiled) check_tiles(r, g);
  if (d->pooled) check_fused_pool(r, &d->pool, g);
  d->x = reads(r, w.x, image_floats(r, g));
  const int64_t results = result_floats(r, g), filter = filter_floats(r, g);
  d->dy = reads(r, w.dy, d->pooled ? SIZE(g->batch, d->pool.oh, d->pool.ow, g->f) : results);
  d->dw = writes(r, w.dw, filter), d->db = may_write(r, w.db, SIZE(g->f));
  if (!r->wrong)
    d->partial = writes(r, w.partial, SIZE(parts_of(g->batch), (int64_t)g->kh * g->kw * g->c + 1, padded_columns(g->f)));
  d->index = d->pooled ? (uint8_t *)reads(r, w.index, index_floats(r, &d->pool, g->batch, g->f)) : NULL;
}

void decode_depthwise(Reader *r, Depthwise *d, int kind) {
  const DepthwiseWords w = read_depthwise(r);
  d->g = w.g;
  const Geometry *g = &d->g;
  check_geometry(r, g);
  check_padded(r, g, g->f);
  if (r->wrong) return;
  if (g->c < 1 || g->f % g->c != 0) {
    fault(r, "a channel has no whole number of filters");
    return;
  }
  const int64_t image = image_floats(r, g), results = result_floats(r, g), filters = SIZE(g->kh, g->kw, g->f);
  d->x = kind == PROGRAM_DEPTHWISE_INPUT_GRADIENT ? NULL : reads(r, w.x, image);
  d->filter = kind == PROGRAM_DEPTHWISE_FILTER_GRADIENT ? NULL : reads(r, w.filter, filters);
  d->dy = kind == PROGRAM_DEPTHWISE ? NULL : reads(r, w.dy, results);
  d->y = kind == PROGRAM_DEPTHWISE ? writes(r, w.y, results) : NULL;
  d->dx = kind == PROGRAM_DEPTHWISE_INPUT_GRADIENT ? writes(r, w.dx, image) : NULL;
  d->dw = kind == PROGRAM_DEPTHWISE_FILTER_GRADIENT ? writes(r, w.dw, filters) : NULL;
  d->partial = NULL;
  if (kind == PROGRAM_DEPTHWISE_FILTER_GRADIENT && !r->wrong)
    d->partial = writes(r, w.partial, SIZE(parts_of(g->batch), g->kh, g->kw, padded_columns(g->f)));
}

void decode_pooling(Reader *r, Pooling *p, int kind) {
  const PoolingWords w = read_pooling(r);
  p->batch = w.batch, p->h = w.h, p->w = w.w, p->c = w.c, p->pool = w.pool, p->top = w.top, p->left = w.left;
  check_pool(r, &p->pool, p->h, p->w, p->top, p->left);
  if (r->wrong) return;
  const int64_t image = SIZE(p->batch, p->h, p->w, p->c), results = SIZE(p->batch, p->pool.oh, p->pool.ow, p->c);
  const int64_t places = index_floats(r, &p->pool, p->batch, p->c);
  const int backward = kind == PROGRAM_MAX_POOL_GRADIENT || kind == PROGRAM_AVERAGE_POOL_GRADIENT;
  p->x = reads(r, w.x, backward ? results : image), p->y = writes(r, w.y, backward ? image : results);
  p->index = NULL;
  if (kind == PROGRAM_MAX_POOL) p->index = (uint8_t *)writes(r, w.index, places);
  if (kind == PROGRAM_MAX_POOL_GRADIENT) p->index = (uint8_t *)reads(r, w.index, places);
}
