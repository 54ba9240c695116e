/* What the native kernels share: vectors, the thread team, the operations' entry points. */
#ifndef LC_RUNTIME_H
#define LC_RUNTIME_H

#include <stdint.h>

typedef float f32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef uint8_t u8;
typedef uint8_t u8x8 __attribute__((vector_size(8)));
typedef f32x8 f32x8u __attribute__((aligned(4), may_alias));
typedef u8x8 u8x8u __attribute__((aligned(1), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define LOAD(p) (*(const f32x8u *)(p))
#define STORE(p, x) (*(f32x8u *)(p) = (x))
#define MIN(a, b) ((a) < (b) ? (a) : (b))

INLINE f32x8 splat(float x) { return (f32x8){x, x, x, x, x, x, x, x}; }
INLINE f32x8 select8(i32x8 mask, f32x8 a, f32x8 b) { return (f32x8)(((i32x8)a & mask) | ((i32x8)b & ~mask)); }

/* Scratch vectors may be read a vector past their end. */
#define SLACK 16

typedef struct Team Team;

/* Calls task(argument, i, scratch) for i in [0, n) on all threads, in no order. scratch: `floats` of the thread's own. */
typedef void (*Task)(const void *argument, int i, float *scratch);
void team_run(Team *team, int n, Task task, const void *argument, long floats);

/* Columns of a matrix in panels of 16 (the last one of 8, if that holds it), rows inside; zero padded. */
INLINE int panel_width(int columns_left) { return columns_left > 8 ? 16 : 8; }
INLINE long packed_columns(int n) { return (n / 16) * 16 + (n % 16 ? panel_width(n % 16) : 0); }

typedef struct {
  const float *a, *b, *bias;
  float *c, *packed;
  int m, n, k, transpose_a, transpose_b, relu;
} Gemm;
void gemm(Team *team, const Gemm *gemm);

typedef struct {
  int batch, h, w, c, oh, ow, f, kh, kw, sh, sw, top, left;
} Geometry;

typedef struct {
  int ph, pw, sh, sw, oh, ow;
} Pool;

typedef struct {
  Geometry g;
  const float *x, *filter, *bias;
  float *y, *packed;
  int relu, pooled;
  Pool pool;
  u8 *index;
} Convolution;
void convolution(Team *team, const Convolution *op);

typedef struct {
  Geometry g;
  const float *dy, *filter;
  float *dx, *packed;
} InputGradient;
void convolution_input_gradient(Team *team, const InputGradient *op);

typedef struct {
  Geometry g;
  const float *x, *dy;
  float *dw, *db, *partial;
  int pooled;
  Pool pool;
  const u8 *index;
} FilterGradient;
/* Images are summed in this many parts, whatever the number of threads: the result must not depend on it. */
#define PARTS 16
void convolution_filter_gradient(Team *team, const FilterGradient *op);

/* One image: y[oh][ow][c] = max, index = position in the window of the first maximum. */
void max_pool_image(const float *x, int w, int c, const Pool *pool, float *y, u8 *index);
/* One image: dx[h][w][c]. */
void max_pool_gradient_image(const float *dy, const u8 *index, int h, int w, int c, const Pool *pool, float *dx);

typedef struct {
  const float *x;
  float *y;
  u8 *index;
  int batch, h, w, c;
  Pool pool;
  /* Padding; averages only. */
  int top, left;
} Pooling;
void max_pool(Team *team, const Pooling *op);
void max_pool_gradient(Team *team, const Pooling *op); /* x is dy, y is dx */
void average_pool(Team *team, const Pooling *op);
void average_pool_gradient(Team *team, const Pooling *op);

/* Element-wise operations over rows x columns, run tile by tile in the cache; see elementwise.c. */
typedef struct {
  int32_t op, out, a, b;
  union {
    const float *in;
    float *outside;
    float constant;
    float range[2];
  };
} Step;
typedef struct {
  long rows, columns;
  int count;
  const Step *steps;
  float *partial;
} Fused;
void fused(Team *team, const Fused *op);

#endif
