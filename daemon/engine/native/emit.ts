import type { Node } from '../graph/ir.js';
import { encodeGroup } from './encodeGroup.js';
import { geometry, isPoolingOf, noPool, poolFields, reducedSizes } from './geometry.js';
import { moveRank, movesOf, moveWords } from './moves.js';
import { program as op } from './opcodes.js';
import { type Context, floatBits, words } from './places.js';
import { productsOf } from './products.js';
import { root, Unsupported, type Unit } from './units.js';
import { placesFloats, summedTilesPay, tilesPay } from './winograd.js';
import { sizeOf } from '../../protocol/shape.js';

/** Rows of a filter gradient's sums are this long: whole vectors of any level. */
const paddedColumns = (n: number): number => Math.ceil(n / 16) * 16;
const parts = 16;

/** Rows that a float can number. */
const mostRows = 2 ** 24;

/**
 * Appends a unit's operations to the code (the words of each operation stand in program.c).
 *
 * @throws Unsupported
 */
export function emit(code: number[], unit: Unit, context: Context): void {
  if (unit.kind === 'group') {
    encodeGroup(code, unit, context);
    return;
  }
  const { node } = unit;
  const at = (tensor: Node | undefined) => {
    const place = tensor && context.place(tensor);
    if (tensor && !place) throw new Unsupported(node);
    return words(place);
  };
  const [first, second] = node.inputs;
  switch (unit.kind) {
    case 'gemm': {
      const { m, n, k, transposeA, transposeB, offsets } = productsOf(node);
      const [[bufferA, a], [bufferB, b], [bufferC, c]] = [at(first), at(second), at(unit.result)];
      for (const offset of offsets) {
        code.push(op.gemm, bufferA, a + offset.a, bufferB, b + offset.b, ...at(unit.bias), bufferC, c + offset.c);
        code.push(m, n, k, Number(transposeA), Number(transposeB), Number(unit.relu));
      }
      return;
    }
    case 'convolution': {
      const g = geometry(node, first!, second!, node);
      const tiled = tilesPay(g);
      code.push(tiled ? op.winograd : op.convolution, ...Object.values(g));
      code.push(...at(first), ...at(second), ...at(unit.bias), ...at(unit.result));
      const pool = unit.pool ? poolFields(unit.pool) : noPool;
      code.push(
        Number(unit.relu),
        Number(unit.pool !== undefined),
        ...pool,
        ...words(unit.pool && context.index(unit.pool)),
        ...words(tiled ? context.temporary(placesFloats(g.c, g.f)) : undefined),
      );
      return;
    }
    case 'inputGradient': {
      const g = geometry(node, node, second!, first!);
      const turned = context.temporary(g.kh * g.kw * g.c * g.f);
      const tiled = tilesPay(g);
      code.push(tiled ? op.winogradInputGradient : op.inputGradient, ...Object.values(g));
      code.push(...at(first), ...at(second), ...at(node), ...words(turned));
      code.push(...words(tiled ? context.temporary(placesFloats(g.f, g.c)) : undefined));
      return;
    }
    case 'filterGradient': {
      const dy = unit.pool ? unit.pool.inputs[0]! : second!;
      const g = geometry(node, first!, node, second!);
      const partial = context.temporary(parts * (g.kh * g.kw * g.c + 1) * paddedColumns(g.f));
      code.push(
        summedTilesPay(g, parts) ? op.winogradFilterGradient : op.filterGradient,
        ...Object.values(g),
        ...at(first),
        ...at(dy),
        ...at(node),
        ...at(unit.bias),
        ...words(partial),
      );
      const pool = unit.pool && root(unit.pool.inputs[2]!);
      code.push(
        Number(pool !== undefined),
        ...(pool ? poolFields(pool) : noPool),
        ...words(pool && context.index(pool)),
      );
      return;
    }
    case 'depthwise': {
      const g = geometry(node, first!, second!, node);
      const none = words(undefined);
      code.push(op.depthwise, ...Object.values(g), ...at(first), ...at(second), ...none);
      code.push(...at(node), ...none, ...none, ...none);
      return;
    }
    case 'depthwiseInputGradient': {
      const g = geometry(node, node, second!, first!);
      const none = words(undefined);
      code.push(op.depthwiseInputGradient, ...Object.values(g), ...none, ...at(second), ...at(first));
      code.push(...none, ...at(node), ...none, ...none);
      return;
    }
    case 'depthwiseFilterGradient': {
      const g = geometry(node, first!, node, second!);
      const partial = context.temporary(parts * g.kh * g.kw * paddedColumns(g.f));
      const none = words(undefined);
      code.push(op.depthwiseFilterGradient, ...Object.values(g), ...at(first), ...none, ...at(second));
      code.push(...none, ...none, ...at(node), ...words(partial));
      return;
    }
    case 'maxPool':
    case 'averagePool':
    case 'maxPoolGradient':
    case 'averagePoolGradient': {
      const gradient = unit.kind.endsWith('Gradient');
      const pool = unit.kind === 'maxPoolGradient' ? root(node.inputs[2]!) : node;
      const pads = node.attrs['pads'] as readonly number[];
      const [batch, h, w, c] = (gradient ? node : first!).shape;
      const index = unit.kind.startsWith('max') ? context.index(pool) : undefined;
      const pooled = gradient ? first! : node;
      if (unit.kind === 'maxPoolGradient' && !isPoolingOf(pool, node))
        throw new Unsupported(node, ' of another pooling');
      code.push(op[unit.kind], ...at(first), ...at(node), ...words(index), batch!, h!, w!, c!);
      code.push(...poolFields(node, pooled), pads[0]!, pads[1]!);
      return;
    }
    case 'softmax': {
      const columns = node.shape.at(-1)!;
      const logarithm = Number(node.op === 'LogSoftmax');
      code.push(op.softmax, ...at(first), ...at(node), sizeOf(node.shape) / columns, columns, logarithm);
      return;
    }
    case 'reduce': {
      const { outer, middle, inner } = reducedSizes(node);
      const scale = node.op === 'Mean' ? 1 / middle : 1;
      code.push(
        op.reduce,
        ...at(first),
        ...at(node),
        outer,
        middle,
        inner,
        Number(node.op === 'Max'),
        floatBits(scale),
      );
      return;
    }
    case 'gather':
    case 'segmentSum': {
      const table = unit.kind === 'gather' ? first!.shape : node.shape;
      const columns = sizeOf(table.slice(1));
      const rows = sizeOf(second!.shape);
      if (table[0]! > mostRows) throw new Unsupported(node, `: more than ${mostRows} rows`);
      if (unit.kind === 'gather' && node.attrs['axis'] !== 0) throw new Unsupported(node, ' but on the first axis');
      code.push(op[unit.kind], ...at(first), ...at(second), ...at(node), rows, columns, table[0]!);
      return;
    }
    case 'move': {
      const moves = movesOf(node);
      if (moves.length === 0 || moves.some(({ shape }) => shape.length > moveRank)) throw new Unsupported(node);
      const value = floatBits(Number(node.attrs['value'] ?? 0));
      const to = context.place(node)!;
      for (const move of moves) {
        const from = context.place(node.inputs[move.input]!);
        if (!from) throw new Unsupported(node);
        code.push(op.move, from.buffer, from.offset + move.inOffset, to.buffer, to.offset + move.outOffset);
        code.push(...moveWords(move, move.fill, value));
      }
      return;
    }
  }
}
