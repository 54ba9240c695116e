/* Matrix product. Both matrices are read where they lie, but for B transposed or in a way that caches dislike. */
#include "tile.h"

/* Rows of C that one task computes: enough to pay for a copy of B's panel. */
#define TASK_ROWS 64
/*
 * Rows of B between two visits to C. They and the columns of a tile stay in a cache: a wide tile has time to read the
 * second level's, a narrow one has not.
 */
#define DEPTH (LANES == 16 ? 1024 : 128)

/* B's rows that are whole pages apart share a few sets of the cache: then its panel is copied too. */
static int copies_panel(const Gemm *g) { return g->transpose_b || (g->n % 256 == 0 && g->m >= TASK_ROWS); }

/* to[i * width + j] = b[j * row + i], four by four. */
static void transpose(const float *b, long row, int columns, int depth, float *to, long width) {
  for (int j = 0; j < columns; j += 4) {
    const float *line = b + j * row;
    int i = 0;
    for (; j + 4 <= columns && i + 4 <= depth; i += 4) {
      __m128 r0 = _mm_loadu_ps(line + i), r1 = _mm_loadu_ps(line + row + i), r2 = _mm_loadu_ps(line + 2 * row + i);
      __m128 r3 = _mm_loadu_ps(line + 3 * row + i);
      _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
      float *at = to + i * width + j;
      _mm_storeu_ps(at, r0), _mm_storeu_ps(at + width, r1), _mm_storeu_ps(at + 2 * width, r2);
      _mm_storeu_ps(at + 3 * width, r3);
    }
    for (; i < depth; i++)
      for (int l = j; l < MIN(j + 4, columns); l++) to[i * width + l] = b[l * row + i];
  }
}

static void gemm_task(const void *argument, int task, float *scratch) {
  const Gemm *g = argument;
  int panels = panels_of(g->n), p = task % panels;
  int m0 = task / panels * TASK_ROWS, m1 = MIN(m0 + TASK_ROWS, g->m);
  int n0 = panel_start(g->n, p), columns = panel_start(g->n, p + 1) - n0;
  long row = g->transpose_a ? 1 : g->k, column = g->transpose_a ? g->m : 1;
  for (int k0 = 0; k0 < g->k; k0 += DEPTH) {
    int depth = MIN(DEPTH, g->k - k0), last = k0 + depth == g->k;
    Tile t = {.images = 1, .outer = 1, .inner = depth, .a_inner = column, .columns = columns, .accumulate = k0 > 0};
    t.bias = last && g->bias ? g->bias + n0 : 0;
    t.relu = last && g->relu;
    if (copies_panel(g)) {
      t.b = scratch, t.b_step = VECTORS * LANES;
      if (g->transpose_b) transpose(g->b + (long)n0 * g->k + k0, g->k, columns, depth, scratch, t.b_step);
      else
        for (int i = 0; i < depth; i++)
          for (int j = 0; j < columns; j += LANES)
            STORE(scratch + i * t.b_step + j, load_some(g->b + (long)(k0 + i) * g->n + n0 + j, columns - j));
    } else t.b = g->b + (long)k0 * g->n + n0, t.b_step = g->n;
    for (int m = m0; m < m1; m += ROWS) {
      t.rows = MIN(ROWS, m1 - m);
      for (int i = 0; i < ROWS; i++) {
        long at = MIN(m + i, m1 - 1);
        t.a[i] = g->a + at * row + k0 * column;
        t.c[i] = g->c + at * g->n + n0;
      }
      tile(&t);
    }
  }
}

static void gemm(ThreadPool *workers, const Gemm *g) {
  int tasks = (g->m + TASK_ROWS - 1) / TASK_ROWS * panels_of(g->n);
  thread_pool_run(workers, tasks, gemm_task, g, copies_panel(g) ? (long)MIN(DEPTH, g->k) * VECTORS * LANES : 0,
           PRODUCT_NANOSECONDS((double)g->m * g->n * g->k));
}
