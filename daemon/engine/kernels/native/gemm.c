/* Matrix product. Both matrices are read where they lie, but for B transposed or in a way that caches dislike. */
#include "tile.h"

/* Rows of C that one task computes: enough to pay for a copy of B's panel. */
#define TASK_ROWS 64
/* Rows of B between two visits to C: they and as many columns as a tile has stay in the second-level cache. */
#define DEPTH 1024

/* B's rows that are whole pages apart share a few sets of the cache: then its panel is copied too. */
static int copies_panel(const Gemm *g) { return g->transpose_b || (g->n % 256 == 0 && g->m >= TASK_ROWS); }

/* to[i][j] = b[(n0 + j) * k + k0 + i], rows of `width`; block by block, so that both sides stay in the cache. */
static void transpose_panel(const float *b, long row, int columns, int depth, float *to, int width) {
  for (int i0 = 0; i0 < depth; i0 += 16)
    for (int j = 0; j < columns; j++)
      for (int i = i0; i < MIN(i0 + 16, depth); i++) to[(long)i * width + j] = b[j * row + i];
}

static void gemm_task(const void *argument, int task, float *scratch) {
  const Gemm *g = argument;
  int panels = panels_of(g->n), p = task % panels;
  int m0 = task / panels * TASK_ROWS, m1 = MIN(m0 + TASK_ROWS, g->m);
  int n0 = panel_start(g->n, p), columns = panel_start(g->n, p + 1) - n0;
  long row = g->transpose_a ? 1 : g->k, column = g->transpose_a ? g->m : 1;
  for (int k0 = 0; k0 < g->k; k0 += DEPTH) {
    int depth = MIN(DEPTH, g->k - k0), last = k0 + depth == g->k;
    Tile t = {.outer = 1, .inner = depth, .a_inner = column, .columns = columns, .accumulate = k0 > 0};
    t.bias = last && g->bias ? g->bias + n0 : 0;
    t.relu = last && g->relu;
    if (copies_panel(g)) {
      t.b = scratch, t.b_step = VECTORS * LANES;
      if (g->transpose_b) transpose_panel(g->b + (long)n0 * g->k + k0, g->k, columns, depth, scratch, t.b_step);
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

static void gemm(Team *team, const Gemm *g) {
  int tasks = (g->m + TASK_ROWS - 1) / TASK_ROWS * panels_of(g->n);
  team_run(team, tasks, gemm_task, g, copies_panel(g) ? (long)MIN(DEPTH, g->k) * VECTORS * LANES : 0,
           PRODUCT_NANOSECONDS((double)g->m * g->n * g->k));
}
