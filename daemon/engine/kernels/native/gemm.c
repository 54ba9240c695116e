/* Matrix product: B is packed into panels, A is read where it lies, in either order. */
#include "micro.h"

/* Rows of B kept in the first-level cache, and rows of C that one task computes. */
#define KB 256
#define MB 48
/* Panels of one task. */
#define NB 4

static void pack(const void *argument, int panel, float *scratch) {
  (void)scratch;
  const Gemm *g = argument;
  int n0 = panel * 16, width = panel_width(g->n - n0);
  long row = g->transpose_b ? 1 : g->n, column = g->transpose_b ? g->k : 1;
  pack_panel(g->b, row, column, g->k, n0, g->n, width, g->packed + (long)n0 * g->k);
}

static void block(const void *argument, int task, float *scratch) {
  (void)scratch;
  const Gemm *g = argument;
  int panels = (g->n + 15) / 16, groups = (panels + NB - 1) / NB;
  int m0 = task / groups * MB, m1 = MIN(m0 + MB, g->m);
  int p0 = task % groups * NB, p1 = MIN(p0 + NB, panels);
  long row = g->transpose_a ? 1 : g->k, column = g->transpose_a ? g->m : 1;
  for (int k0 = 0; k0 < g->k; k0 += KB) {
    int kb = MIN(KB, g->k - k0), last = k0 + kb == g->k;
    for (int p = p0; p < p1; p++) {
      int n0 = p * 16, left = g->n - n0, width = panel_width(left), valid = MIN(width, left);
      const float *b = g->packed + (long)n0 * g->k + (long)k0 * width;
      for (int m = m0; m < m1; m += 6) {
        const float *a[6];
        for (int i = 0; i < 6; i++) a[i] = g->a + MIN(m + i, m1 - 1) * row + k0 * column;
        f32x8 acc[12] = {0};
        if (width == 16) micro(1, 1, kb, a, 0, column, b, 16, acc);
        else micro(0, 1, kb, a, 0, column, b, 8, acc);
        for (int i = 0; i < 6 && m + i < m1; i++) {
          float *c = g->c + (long)(m + i) * g->n + n0;
          for (int j = 0; j < width / 8; j++) {
            int n = valid - 8 * j;
            if (n <= 0) break;
            f32x8 x = acc[2 * i + j];
            if (k0 > 0) x += load_part(c + 8 * j, n);
            if (last && g->bias) x += load_part(g->bias + n0 + 8 * j, n);
            if (last && g->relu) x = select8(x < 0, splat(0), x);
            store_part(c + 8 * j, x, n);
          }
        }
      }
    }
  }
}

void gemm(Team *team, const Gemm *g) {
  int panels = (g->n + 15) / 16;
  team_run(team, panels, pack, g, 0);
  team_run(team, (g->m + MB - 1) / MB * ((panels + NB - 1) / NB), block, g, 0);
}
