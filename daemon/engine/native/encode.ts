import type { Graph, Node } from '../graph/ir.js';
import { sameShape, sizeOf } from '../graph/ir.js';
import { verifiesEachNode } from '../graph/verify/eachNode.js';
import { verifyNode } from '../graph/verify/verifyNode.js';
import { Arena } from './arena.js';
import { operationsOf, type Operation } from './cost.js';
import { encodeGroup } from './encodeGroup.js';
import { lower } from './lower.js';
import { moveRank, movesOf, moveWords, nothing, wholeBlock } from './moves.js';
import { program as op } from './opcodes.js';
import { productsOf } from './products.js';
import { cutIntoUnits, type Group, isElementwise, root, Unsupported, type Unit } from './units.js';
import { type Geometry, placesFloats, summedTilesPay, tilesPay } from './winograd.js';

/** Where a tensor lies: a buffer's number and an offset in floats. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
}

export interface Encoded {
  /** See program.c. */
  readonly code: Int32Array;
  /** Buffers in order: the arena, then constants, then the graph's inputs, then its outputs. */
  readonly arenaSize: number;
  readonly constants: readonly Float32Array[];
  /** What each operation of the code is, in order. */
  readonly operations: readonly Operation[];
}

/** Rows of a filter gradient's sums are this long: whole vectors of any level. */
const paddedColumns = (n: number): number => Math.ceil(n / 16) * 16;
const parts = 16;

/** One number as the word that holds its float32 bits. */
export const floatBits = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]!;

/**
 * The program of a graph.
 *
 * @throws Unsupported
 */
export function encode(given: Graph): Encoded {
  const graph = lower(given);
  if (verifiesEachNode()) graph.nodes.forEach(verifyNode);
  const { units, inputsOf } = cutIntoUnits(graph);
  const arena = new Arena();
  const constants: Float32Array[] = [];
  const places = new Map<Node, Place>();
  const indexes = new Map<Node, Place>();
  const code: number[] = [];
  const operations: Operation[] = [];

  // Groups have a step for one number everywhere; others read a tensor of it.
  const constantNodes = new Set(
    graph.nodes.flatMap((node) =>
      node.inputs
        .map(root)
        .filter((n) => n.op === 'Constant' && (typeof n.constant !== 'number' || !isElementwise(node))),
    ),
  );
  for (const node of constantNodes) {
    const { constant } = node;
    constants.push(
      typeof constant === 'number'
        ? new Float32Array(sizeOf(node.shape)).fill(constant)
        : Float32Array.from(constant as Float32Array),
    );
    places.set(node, { buffer: constants.length, offset: 0 });
  }
  const firstInput = 1 + constants.length;
  graph.inputs.forEach(({ node }, i) => places.set(node, { buffer: firstInput + i, offset: 0 }));
  const firstOutput = firstInput + graph.inputs.length;
  /** Outputs that are another's tensor, or an input's: copied at the end. */
  const copies: { from: Node; to: Place }[] = [];
  graph.outputs.forEach(({ node }, i) => {
    const place = { buffer: firstOutput + i, offset: 0 };
    if (places.has(root(node)) || root(node).op === 'Constant') copies.push({ from: root(node), to: place });
    else places.set(root(node), place);
  });

  const results = units.map(resultsOf);
  const reads = units.map((unit) => readsOf(unit, inputsOf));
  const lastRead = new Map<Node, number>();
  reads.forEach((nodes, i) => nodes.forEach((node) => lastRead.set(node, i)));
  for (const { from } of copies) lastRead.set(from, units.length);
  const held: { at: number; start: number; floats: number }[] = [];
  const hold = (floats: number, until: number): Place => {
    const start = arena.take(floats);
    held.push({ at: until, start, floats });
    return { buffer: 0, offset: start };
  };
  /** In the place of a tensor that this group is the last to read, before or while it computes the node: it is in a cache. */
  const overwrite = (node: Node, group: Group, i: number, until: number): Place | undefined => {
    const floats = sizeOf(node.shape);
    const later = new Set(group.nodes.slice(group.nodes.indexOf(node) + 1).flatMap((other) => [...inputsOf(other)]));
    for (const input of reads[i]!) {
      const place = places.get(input);
      const holding = place?.buffer === 0 && held.find(({ at, start }) => at === i && start === place.offset);
      if (!holding || sizeOf(input.shape) !== floats || floats < group.rows * group.columns || later.has(input))
        continue;
      holding.at = until;
      return place;
    }
    return undefined;
  };

  units.forEach((unit, i) => {
    for (const node of results[i]!) {
      const until = lastRead.get(node) ?? -1;
      // A group's values that nobody else reads stay in its registers.
      if (places.has(node) || (unit.kind === 'group' && until <= i)) continue;
      const end = Math.max(until, i);
      const inPlace = unit.kind === 'group' ? overwrite(node, unit, i, end) : undefined;
      places.set(node, inPlace ?? hold(sizeOf(node.shape), end));
    }
    const pool = poolOf(unit);
    if (pool) {
      // The places of the maxima live as long as a gradient needs them.
      const until = Math.max(i, ...units.map((other, j) => (gradientPoolOf(other) === pool ? j : -1)));
      indexes.set(pool, hold(placesSize(pool), until));
    }
    const temporary = (floats: number) => hold(floats, i);
    emit(code, unit, {
      place: (node) => places.get(root(node)),
      index: (node) => indexes.get(node)!,
      temporary,
      inputsOf,
    });
    const inputs = new Set(reads[i]!.filter(({ constant }) => typeof constant !== 'number'));
    operations.push(...operationsOf(unit, [...inputs, ...results[i]!.filter((node) => places.has(node))]));
    for (const { start, floats } of held.filter(({ at }) => at === i)) arena.give(start, floats);
  });
  for (const { from, to } of copies) {
    const place = places.get(from);
    const size = sizeOf(from.shape);
    operations.push({ words: `copy of ${size}`, flops: 0, bytes: 8 * size });
    // Of a constant that is one number everywhere there is no tensor.
    const block = place
      ? moveWords(wholeBlock(from.shape))
      : moveWords(nothing, size, floatBits(from.constant as number));
    code.push(op.move, ...words(place), to.buffer, to.offset, ...block);
  }
  const large = [...places.keys()].find(({ shape }) => sizeOf(shape) > mostFloats);
  if (large) throw new Unsupported(large, `: more than ${mostFloats} numbers`);
  if (arena.size > mostFloats) throw new Unsupported(graph.nodes.at(-1)!, `: the tensors of a step need more than ${mostFloats} numbers`); // prettier-ignore
  return { code: Int32Array.from(code), arenaSize: arena.size, constants, operations };
}

/** Floats of one tensor, and of the arena: the kernels count them in 32 bits (MOST_FLOATS in decode.c). */
const mostFloats = 0x7fff0000;
/** Rows that a float can number. */
const mostRows = 2 ** 24;

/** Floats that hold the places of a pooling's maxima: bytes, or whole numbers where a window has more than 256 pixels. */
function placesSize(pool: Node): number {
  const [height, width] = pool.attrs['window'] as [number, number];
  return height * width > 256 ? sizeOf(pool.shape) : Math.ceil(sizeOf(pool.shape) / 4);
}

function resultsOf(unit: Unit): Node[] {
  switch (unit.kind) {
    case 'group':
      return unit.nodes;
    case 'gemm':
    case 'convolution':
      return [unit.result];
    case 'filterGradient':
      return unit.bias ? [unit.node, unit.bias] : [unit.node];
    default:
      return [unit.node];
  }
}

/** The max pooling whose maxima a unit finds, or whose places it reads. */
function poolOf(unit: Unit): Node | undefined {
  if (unit.kind === 'maxPool') return unit.node;
  return unit.kind === 'convolution' ? unit.pool : undefined;
}
function gradientPoolOf(unit: Unit): Node | undefined {
  const gradient = unit.kind === 'maxPoolGradient' ? unit.node : unit.kind === 'filterGradient' ? unit.pool : undefined;
  return gradient && root(gradient.inputs[2]!);
}

function readsOf(unit: Unit, inputsOf: (node: Node) => readonly Node[]): Node[] {
  switch (unit.kind) {
    case 'group': {
      const own = new Set(unit.nodes);
      return unit.nodes.flatMap((node) => inputsOf(node)).filter((node) => !own.has(node));
    }
    case 'gemm':
    case 'convolution':
      return [...inputsOf(unit.node), ...(unit.bias ? [unit.bias] : [])];
    case 'filterGradient':
      return [root(unit.node.inputs[0]!), root((unit.pool ?? unit.node).inputs[unit.pool ? 0 : 1]!)];
    case 'maxPoolGradient':
    case 'averagePoolGradient':
      return [inputsOf(unit.node)[0]!];
    default:
      return [...inputsOf(unit.node)];
  }
}

export interface Context {
  /** Undefined for what stays in a group's registers, and for constants of one number. */
  place(node: Node): Place | undefined;
  index(pool: Node): Place;
  temporary(floats: number): Place;
  inputsOf(node: Node): readonly Node[];
}

/** A place in code: the buffer's number, or -1 for none, and the offset. */
type Words = [buffer: number, offset: number];
const words = (place: Place | undefined): Words => (place ? [place.buffer, place.offset] : [-1, 0]);

function emit(code: number[], unit: Unit, context: Context): void {
  if (unit.kind === 'group') {
    encodeGroup(code, unit, context, words);
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

function geometry(node: Node, x: Node, filter: Node, y: Node): Geometry {
  const [sh, sw] = node.attrs['strides'] as [number, number];
  const dilations = node.attrs['dilations'] as [number, number];
  const [top, left] = node.attrs['pads'] as [number, number];
  const [batch, h, w, c] = x.shape as [number, number, number, number];
  const [kh, kw, channels, filters] = filter.shape as [number, number, number, number];
  if (channels !== c) throw new Unsupported(node, ' in groups');
  const dilated = dilations.some((n) => n !== 1);
  const over = top > (kh - 1) * dilations[0] || left > (kw - 1) * dilations[1];
  if (dilated && (sh > 1 || sw > 1 || over)) throw new Unsupported(node, ' with such dilation');
  const f = node.op.startsWith('Depthwise') ? c * filters : filters;
  const [, oh, ow] = y.shape as [number, number, number];
  const [dh, dw] = dilations;
  return { batch, h, w, c, oh, ow, f, kh, kw, sh, sw, top, left, dh, dw };
}

const noPool = [0, 0, 0, 0, 0, 0];

/** Whether a gradient's windows are those of the pooling that found the maxima, on images of one shape. */
const isPoolingOf = (pool: Node, gradient: Node): boolean =>
  pool.op === 'MaxPool' &&
  sameShape(pool.inputs[0]!.shape, gradient.shape) &&
  sameShape(pool.shape, gradient.inputs[0]!.shape) &&
  ['window', 'strides', 'pads'].every((key) => sameShape(pool.attrs[key] as number[], gradient.attrs[key] as number[]));

/** Fields of Pool in runtime.h. */
function poolFields(pool: Node, pooled: Node = pool): number[] {
  const [, oh, ow] = pooled.shape;
  return [...(pool.attrs['window'] as number[]), ...(pool.attrs['strides'] as number[]), oh!, ow!];
}

function reducedSizes(node: Node) {
  const { shape } = node.inputs[0]!;
  const axes = (node.attrs['axes'] as readonly number[]).filter((axis) => shape[axis] !== 1);
  const [first, last] = [axes[0] ?? 0, axes.at(-1) ?? -1];
  const between = shape.slice(first, last + 1).map((n, i) => n === 1 || axes.includes(first + i));
  if (between.includes(false)) throw new Unsupported(node, ' over separate axes');
  return {
    outer: sizeOf(shape.slice(0, first)),
    middle: sizeOf(shape.slice(first, last + 1)),
    inner: sizeOf(shape.slice(last + 1)),
  };
}
