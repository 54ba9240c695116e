/* Matrix product. Both matrices are read where they lie, but for B transposed or in a way that caches dislike. */
#include "tile.h"

/*
 * Rows of C that one task computes: enough to pay for a copy of B's panel. More of them where there are tasks enough for
 * all threads, as long as A's rows stay in the second-level cache.
 */
#define TASK_ROWS 64
#define ENOUGH_TASKS 32
#define TASK_FLOATS 98304
/*
 * Rows of B between two visits to C. They and the columns of a tile stay in a cache: a wide tile has time to read the
 * second level's, a narrow one has not. A narrow one of NEON's is 12 columns wide, of AVX2's 16.
 */
#if LANES == 4
#define DEPTH 256
#else
#define DEPTH (LANES == 16 ? 1024 : 128)
#endif

/* B's rows that are whole pages apart share a few sets of the cache: then its panel is copied too. */
static int copies_panel(const Gemm *g) { return g->transpose_b || (g->row_b % 256 == 0 && g->m >= TASK_ROWS); }

static int64_t products_of(const Gemm *g) {
  int64_t products = 1;
  for (int axis = 0; axis < LEAD_RANK; axis++) products *= g->lead[axis];
  return products;
}

/* Into how many tasks the rows of one product are cut. */
static int blocks_of(const Gemm *g) {
  int64_t panels = panels_of(g->n) * products_of(g), rows = TASK_ROWS;
  while (copies_panel(g) && 2 * rows * MIN(g->k, DEPTH) <= TASK_FLOATS && panels * (g->m / (2 * rows)) >= ENOUGH_TASKS)
    rows *= 2;
  return (g->m + rows - 1) / rows;
}

/* to[i * width + j] = b[j * row + i], four by four. */
static void transpose(const float *b, int64_t row, int columns, int depth, float *to, int64_t width) {
  for (int j = 0; j < columns; j += 4) {
    const float *line = b + j * row;
    int i = 0;
    for (; j + 4 <= columns && i + 4 <= depth; i += 4) {
#if defined(__aarch64__)
      transpose_four(line + i, row, to + i * width + j, width);
#else
      __m128 r0 = _mm_loadu_ps(line + i), r1 = _mm_loadu_ps(line + row + i), r2 = _mm_loadu_ps(line + 2 * row + i);
      __m128 r3 = _mm_loadu_ps(line + 3 * row + i);
      _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
      float *at = to + i * width + j;
      _mm_storeu_ps(at, r0), _mm_storeu_ps(at + width, r1), _mm_storeu_ps(at + 2 * width, r2);
      _mm_storeu_ps(at + 3 * width, r3);
#endif
    }
    for (; i < depth; i++)
      for (int l = j; l < MIN(j + 4, columns); l++) to[i * width + l] = b[l * row + i];
  }
}

typedef struct {
  const Gemm *gemm;
  int blocks;
} GemmPlan;

static void gemm_task(const void *argument, int task, float *scratch) {
  const GemmPlan *plan = argument;
  const Gemm *g = plan->gemm;
  int panels = panels_of(g->n), p = task % panels, block = task / panels % plan->blocks;
  /* Even blocks of whole tiles. */
  int64_t tiles = (g->m + ROWS - 1) / ROWS;
  int m0 = tiles * block / plan->blocks * ROWS, m1 = MIN(tiles * (block + 1) / plan->blocks * ROWS, g->m);
  int n0 = panel_start(g->n, p), columns = panel_start(g->n, p + 1) - n0;
  const float *a = g->a, *b = g->b;
  float *c = g->c + n0;
  int64_t place = task / panels / plan->blocks;
  for (int axis = LEAD_RANK - 1; axis >= 0; place /= g->lead[axis], axis--) {
    int64_t i = place % g->lead[axis];
    a += i * g->lead_a[axis], b += i * g->lead_b[axis], c += i * g->lead_c[axis];
  }
  int64_t row = g->transpose_a ? 1 : g->row_a, column = g->transpose_a ? g->row_a : 1, row_b = g->row_b;
  for (int k0 = 0; k0 < g->k; k0 += DEPTH) {
    int depth = MIN(DEPTH, g->k - k0), last = k0 + depth == g->k;
    Tile t = {.images = 1, .outer = 1, .inner = depth, .a_inner = column, .columns = columns, .accumulate = k0 > 0};
    t.bias = last && g->bias ? g->bias + n0 : 0;
    t.relu = last && g->relu;
    if (copies_panel(g)) {
      t.b = scratch, t.b_step = VECTORS * LANES;
      if (g->transpose_b) transpose(b + n0 * row_b + k0, row_b, columns, depth, scratch, t.b_step);
      else
        for (int i = 0; i < depth; i++)
          for (int j = 0; j < columns; j += LANES)
            STORE(scratch + i * t.b_step + j, load_some(b + (k0 + i) * row_b + n0 + j, columns - j));
    } else t.b = b + k0 * row_b + n0, t.b_step = row_b;
    for (int m = m0; m < m1; m += ROWS) {
      t.rows = MIN(ROWS, m1 - m);
      for (int i = 0; i < ROWS; i++) {
        int64_t at = MIN(m + i, m1 - 1);
        t.a[i] = a + at * row + k0 * column;
        t.c[i] = c + at * g->row_c;
      }
      tile(&t);
    }
  }
}

static void gemm(ThreadPool *workers, const Gemm *g) {
  const GemmPlan plan = {g, blocks_of(g)};
  const int64_t products = products_of(g);
  thread_pool_run(workers, products * plan.blocks * panels_of(g->n), gemm_task, &plan,
           copies_panel(g) ? (int64_t)MIN(DEPTH, g->k) * VECTORS * LANES : 0,
           PRODUCT_NANOSECONDS((double)products * g->m * g->n * g->k));
}
