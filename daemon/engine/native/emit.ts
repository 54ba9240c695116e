import { sizeOf } from '../../protocol/shape.js';
import type { Node } from '../../network/ir.js';
import { encodeGroup } from './encodeGroup.js';
import { geometry, isPoolingOf, noPool, poolOf, reducedSizes, sizesAround } from './geometry.js';
import { mostRows, moveRank } from './layout.js';
import { movesOf, moveWords } from './moves.js';
import { operation } from './operands.js';
import type { Context, Place } from './places.js';
import { emitUnfolded, unfolding } from './unfolded.js';
import { root, Unsupported, type Unit } from './units.js';
import { paddedColumns, partsOf, transformFloats, summedTilesPay, tilesPay } from './winograd.js';

/**
 * Appends a unit's operations to the code (kernels/layout.json has the words of each).
 *
 * @throws Unsupported
 */
export function emit(code: number[], unit: Unit, context: Context): void {
  if (unit.kind === 'group') {
    encodeGroup(code, unit, context);
    return;
  }
  const { node } = unit;
  const at = (tensor: Node | undefined): Place | undefined => {
    const place = tensor && context.place(tensor);
    if (tensor && !place) throw new Unsupported(node);
    return place;
  };
  const [first, second] = node.inputs;
  const unfolded = unfolding(unit);
  if (unfolded) {
    const result = 'result' in unit ? unit.result : node;
    const bias = 'bias' in unit ? at(unit.bias) : undefined;
    const relu = unit.kind === 'convolution' && unit.relu;
    const operands = { pixels: at(first)!, factor: at(second)!, result: at(result)!, bias, relu };
    emitUnfolded(code, unfolded, operands, context.temporary);
    return;
  }
  switch (unit.kind) {
    case 'gemm': {
      const { sizes, a, b } = unit.products;
      const from = ({ base, offset }: typeof a): Place => {
        const place = at(base)!;
        return { buffer: place.buffer, offset: place.offset + offset };
      };
      const matrices = { a: from(a), b: from(b), bias: at(unit.bias), c: at(unit.result) };
      code.push(...operation('gemm', { ...matrices, ...sizes, relu: unit.relu }));
      return;
    }
    case 'convolution': {
      const g = geometry(node, first!, second!, node);
      const tiled = tilesPay(g);
      code.push(
        ...operation(tiled ? 'winograd' : 'convolution', {
          g,
          x: at(first),
          filter: at(second),
          bias: at(unit.bias),
          y: at(unit.result),
          relu: unit.relu,
          pooled: unit.pool !== undefined,
          pool: unit.pool ? poolOf(unit.pool) : noPool,
          index: unit.pool && context.index(unit.pool),
          places: tiled ? context.temporary(transformFloats(g.c, g.f)) : undefined,
        }),
      );
      return;
    }
    case 'inputGradient': {
      const g = geometry(node, node, second!, first!);
      const packed = context.temporary(g.kh * g.kw * g.c * g.f);
      const tiled = tilesPay(g);
      const places = tiled ? context.temporary(transformFloats(g.f, g.c)) : undefined;
      const kind = tiled ? 'winogradInputGradient' : 'inputGradient';
      code.push(...operation(kind, { g, dy: at(first), filter: at(second), dx: at(node), packed, places }));
      return;
    }
    case 'filterGradient': {
      const dy = unit.pool ? unit.pool.inputs[0]! : second!;
      const g = geometry(node, first!, node, second!);
      const partial = context.temporary(partsOf(g.batch) * (g.kh * g.kw * g.c + 1) * paddedColumns(g.f));
      const pool = unit.pool && root(unit.pool.inputs[2]!);
      code.push(
        ...operation(summedTilesPay(g) ? 'winogradFilterGradient' : 'filterGradient', {
          g,
          x: at(first),
          dy: at(dy),
          dw: at(node),
          db: at(unit.bias),
          partial,
          pooled: pool !== undefined,
          pool: pool ? poolOf(pool) : noPool,
          index: pool && context.index(pool),
        }),
      );
      return;
    }
    case 'depthwise': {
      const g = geometry(node, first!, second!, node);
      code.push(...operation('depthwise', { ...noOperands, g, x: at(first), filter: at(second), y: at(node) }));
      return;
    }
    case 'depthwiseInputGradient': {
      const g = geometry(node, node, second!, first!);
      const operands = { ...noOperands, filter: at(second), dy: at(first), dx: at(node) };
      code.push(...operation('depthwiseInputGradient', { ...operands, g }));
      return;
    }
    case 'depthwiseFilterGradient': {
      const g = geometry(node, first!, node, second!);
      const partial = context.temporary(partsOf(g.batch) * g.kh * g.kw * paddedColumns(g.f));
      const operands = { ...noOperands, x: at(first), dy: at(second), dw: at(node), partial };
      code.push(...operation('depthwiseFilterGradient', { ...operands, g }));
      return;
    }
    case 'maxPool':
    case 'averagePool':
    case 'maxPoolGradient':
    case 'averagePoolGradient': {
      const gradient = unit.kind.endsWith('Gradient');
      const pool = unit.kind === 'maxPoolGradient' ? root(node.inputs[2]!) : node;
      const [top, left] = node.attrs['pads'] as [number, number];
      const [batch, h, w, c] = (gradient ? node : first!).shape as [number, number, number, number];
      const index = unit.kind.startsWith('max') ? context.index(pool) : undefined;
      if (unit.kind === 'maxPoolGradient' && !isPoolingOf(pool, node))
        throw new Unsupported(node, ' of another pooling');
      const windows = { pool: poolOf(node, gradient ? first! : node), top, left };
      code.push(...operation(unit.kind, { x: at(first), y: at(node), index, batch, h, w, c, ...windows }));
      return;
    }
    case 'reduce': {
      const sizes = reducedSizes(node);
      const scale = node.op === 'Mean' ? 1 / sizes.middle : 1;
      const kind = reductions[node.op]!;
      code.push(...operation('reduce', { x: at(first), y: at(node), ...sizes, kind, scale }));
      return;
    }
    case 'cumulativeSum': {
      const { axis, exclusive, reverse } = node.attrs as { axis: number; exclusive: boolean; reverse: boolean };
      const sizes = sizesAround(node.shape, axis);
      code.push(...operation('cumulativeSum', { x: at(first), y: at(node), ...sizes, exclusive, reverse }));
      return;
    }
    case 'gather':
    case 'segmentSum': {
      const gathers = unit.kind === 'gather';
      const axis = gathers ? (node.attrs['axis'] as number) : 0;
      const { outer, middle: limit, inner: columns } = sizesAround(gathers ? first!.shape : node.shape, axis);
      const rows = sizeOf(second!.shape);
      if (limit > mostRows) throw new Unsupported(node, `: more than ${mostRows} rows`);
      code.push(...operation(unit.kind, { x: at(first), ids: at(second), y: at(node), outer, rows, columns, limit }));
      return;
    }
    case 'move': {
      const moves = movesOf(node);
      if (moves.length === 0 || moves.some(({ shape }) => shape.length > moveRank)) throw new Unsupported(node);
      const value = Number(node.attrs['value'] ?? 0);
      const to = context.place(node)!;
      for (const move of moves) {
        const from = context.place(node.inputs[move.input]!);
        if (!from) throw new Unsupported(node);
        code.push(...moveWords(from, to, move, move.fill, value));
      }
      return;
    }
  }
}

/** Numbers of the kernel (runtime.h). */
const reductions: Readonly<Record<string, number>> = { Sum: 0, Mean: 0, Max: 1, Prod: 2 };

/** What a depthwise operation has no use for. */
const noOperands = {
  x: undefined,
  filter: undefined,
  dy: undefined,
  y: undefined,
  dx: undefined,
  dw: undefined,
  partial: undefined,
};
