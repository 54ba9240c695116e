/**
 * Positions of the nodes of a graph: rows by depth, few crossings, straight lines where possible. Pure.
 * After Sugiyama, Tagawa and Toda 1981: longest paths, then medians of the neighbours, then positions; an edge over several rows passes through a
 * narrow gap in each.
 */
import type { Graph } from './graph.js';

/** In pixels. */
export const NODE = { width: 208, height: 64 } as const;
const GAP = { x: 24, y: 30, edge: 18 } as const;
const SWEEPS = 8;

export interface Place {
  /** Of its centre. */
  readonly x: number;
  readonly y: number;
  readonly row: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** In the order of the graph's nodes. */
  readonly places: readonly Place[];
  /** In the order of the graph's edges: the points that each passes through, from the bottom of one node to the top of another. */
  readonly lines: readonly (readonly (readonly [x: number, y: number])[])[];
}

/** A node, or the gap through which an edge passes a row. */
interface Cell {
  readonly row: number;
  readonly width: number;
  readonly above: number[];
  readonly below: number[];
  x: number;
}

/** The row of each node: one below the lowest node that it reads. Edges that go back up (a layer that is used twice) do not count. */
function rowsOf({ nodes, edges }: Graph): number[] {
  const rows = nodes.map(() => 0);
  const byTarget = nodes.map((): number[] => []);
  for (const [from, to] of edges) if (from < to) byTarget[to]!.push(from);
  for (let to = 0; to < rows.length; to++) for (const from of byTarget[to]!) rows[to] = Math.max(rows[to]!, rows[from]! + 1);
  return rows;
} // prettier-ignore

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Least-squares positions nearest to the wished ones that keep the order and the distances: pool adjacent violators. */
export function spread(wished: readonly number[], widths: readonly number[], gap: number): number[] {
  const offsets = widths.map(() => 0);
  for (let i = 1; i < widths.length; i++) offsets[i] = offsets[i - 1]! + (widths[i - 1]! + widths[i]!) / 2 + gap;
  const pools: { sum: number; size: number }[] = [];
  wished.forEach((wish, i) => {
    let pool = { sum: wish - offsets[i]!, size: 1 };
    for (let last = pools.at(-1); last && last.sum / last.size >= pool.sum / pool.size; last = pools.at(-1)) {
      pool = { sum: pool.sum + last.sum, size: pool.size + last.size };
      pools.pop();
    }
    pools.push(pool);
  });
  const placed = pools.flatMap(({ sum, size }) => new Array<number>(size).fill(sum / size));
  return placed.map((place, i) => place + offsets[i]!);
}

export function layoutOf(graph: Graph): Layout {
  if (graph.nodes.length === 0) return { width: 0, height: 0, places: [], lines: [] };
  const rowOf = rowsOf(graph);
  const cells: Cell[] = rowOf.map((row) => ({ row, width: NODE.width, above: [], below: [], x: 0 }));
  /** For each edge, the cells that it passes through, downwards. */
  const ways = graph.edges.map(([from, to]) => {
    const [top, bottom] = rowOf[from]! < rowOf[to]! ? [from, to] : [to, from];
    const way = [top];
    for (let row = rowOf[top]! + 1; row < rowOf[bottom]!; row++) {
      cells.push({ row, width: GAP.edge, above: [], below: [], x: 0 });
      way.push(cells.length - 1);
    }
    way.push(bottom);
    if (rowOf[top] !== rowOf[bottom])
      for (let i = 1; i < way.length; i++) {
        cells[way[i - 1]!]!.below.push(way[i]!);
        cells[way[i]!]!.above.push(way[i - 1]!);
      }
    return way;
  });

  const rows: number[][] = Array.from({ length: Math.max(0, ...rowOf) + 1 }, () => []);
  cells.forEach(({ row }, cell) => rows[row]!.push(cell));
  const settle = (row: readonly number[], near: 'above' | 'below'): void => {
    const wish = (cell: number): number => {
      const others = cells[cell]![near];
      return others.length > 0 ? mean(others.map((other) => cells[other]!.x)) : cells[cell]!.x;
    };
    const placed = spread(row.map(wish), row.map((cell) => cells[cell]!.width), GAP.x); // prettier-ignore
    row.forEach((cell, i) => (cells[cell]!.x = placed[i]!));
  };
  const order = (row: number[], near: 'above' | 'below'): void => {
    const wishes = new Map(
      row.map((cell) => {
        const others = cells[cell]![near];
        return [cell, others.length > 0 ? mean(others.map((other) => cells[other]!.x)) : cells[cell]!.x];
      }),
    );
    row.sort((a, b) => wishes.get(a)! - wishes.get(b)!);
  };
  for (const row of rows) {
    order(row, 'above');
    settle(row, 'above');
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 1;
    for (const row of down ? rows : [...rows].reverse()) {
      // The order is fixed first; the loops after it change positions only.
      if (sweep < SWEEPS / 2) order(row, down ? 'above' : 'below');
      settle(row, down ? 'above' : 'below');
    }
  }

  const left = Math.min(...cells.map(({ x, width }) => x - width / 2));
  const right = Math.max(...cells.map(({ x, width }) => x + width / 2));
  const xOf = (cell: number): number => cells[cell]!.x - left + GAP.x / 2;
  const yOf = (row: number): number => row * (NODE.height + GAP.y) + NODE.height / 2 + GAP.y / 2;
  return {
    width: right - left + GAP.x,
    height: rows.length * (NODE.height + GAP.y),
    places: rowOf.map((row, node) => ({ x: xOf(node), y: yOf(row), row })),
    lines: ways.map((way) =>
      way.flatMap((cell, i): [number, number][] => {
        const [x, y] = [xOf(cell), yOf(cells[cell]!.row)];
        const [top, bottom]: [number, number][] = [[x, y - NODE.height / 2], [x, y + NODE.height / 2]]; // prettier-ignore
        return i === 0 ? [bottom!] : i === way.length - 1 ? [top!] : [top!, bottom!];
      }),
    ),
  };
}

/** An SVG path through the points of a line: straight across a row, curved between rows. */
export function linePath(points: Layout['lines'][number]): string {
  return points
    .map(([x, y], i) => {
      const before = points[i - 1];
      if (!before) return `M${x.toFixed(1)} ${y.toFixed(1)}`;
      if (before[0] === x) return `V${y.toFixed(1)}`;
      const half = ((before[1] + y) / 2).toFixed(1);
      return `C${before[0].toFixed(1)} ${half} ${x.toFixed(1)} ${half} ${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
