/** Reads GraphProto and the messages in it. [onnx.proto] */
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, OnnxType, OnnxValue } from './onnxModel.js';
import { rawTensor, tensorOf, type TensorSource } from './readTensor.js';
import { atOnce, type Steps } from './steps.js';
import { typeOf } from './tensorTypes.js';
import { invalid, quoted, type WireReader } from './wire.js';

/** Most nesting of graphs inside attributes of nodes (If, Loop): deeper than any exporter writes. */
const MAX_DEPTH = 16;
/** Most nodes, initializers and values of one graph: far above any network. It bounds the memory that a damaged file can ask for. */
const MAX_ENTRIES = 1_000_000;

/** AttributeProto.AttributeType: the types that are read, and the others. */
const KINDS: Readonly<Record<number, OnnxAttribute['kind']>> = {
  1: 'float',
  2: 'int',
  3: 'string',
  4: 'tensor',
  5: 'graph',
  6: 'floats',
  7: 'ints',
  8: 'strings',
};

/** The field that holds each type's value; files before ONNX 1.2 do not give the type. */
const FIELD_KINDS: Readonly<Record<number, OnnxAttribute['kind']>> = {
  2: 'float',
  3: 'int',
  4: 'string',
  5: 'tensor',
  6: 'graph',
  7: 'floats',
  8: 'ints',
  9: 'strings',
};

const NO_ATTRIBUTES: ReadonlyMap<string, OnnxAttribute> = new Map();

/** The name of a node in messages. */
export const nodeText = (name: string, op: string): string =>
  name === '' ? `a node ${quoted(op)}` : `node ${quoted(name)} (${op.slice(0, 100)})`;

/** @throws UserError('model-invalid'). */
function readAttribute(
  reader: WireReader,
  node: () => string,
  source: TensorSource,
  depth: number,
): [string, OnnxAttribute] {
  let [name, kind, float, int, string] = ['', null as OnnxAttribute['kind'] | null, 0, 0, ''];
  let found: OnnxAttribute['kind'] | null = null;
  let tensor: OnnxTensor | null = null;
  let graph: OnnxGraph | null = null;
  let floats: number[] | null = null;
  let ints: number[] | null = null;
  let strings: string[] | null = null;
  let isReference = false;
  while (reader.next()) {
    const { field } = reader;
    found = FIELD_KINDS[field] ?? found;
    if (field === 1) name = reader.name();
    else if (field === 2) float = reader.float();
    else if (field === 3) int = reader.int();
    else if (field === 4) string = reader.text();
    else if ((field === 5 && tensor) || (field === 6 && graph)) reader.damaged('an attribute of two values');
    else if (field === 5)
      tensor = tensorOf(rawTensor(reader.message()), () => `the tensor ${quoted(name)} of ${node()}`, source);
    else if (field === 6) graph = atOnce(readGraph(reader.message(), source, depth + 1));
    else if (field === 7) reader.floats((floats ??= []));
    else if (field === 8) reader.ints((ints ??= []));
    else if (field === 9) (strings ??= []).push(reader.text());
    else if (field === 20) kind = KINDS[reader.int()] ?? 'other';
    else if (field === 21) isReference = reader.name() !== '';
  }
  const missing = (what: string): never =>
    invalid(source.file.path, `${node()}: its attribute ${quoted(name)} has no ${what}`);
  const given = isReference ? 'other' : (kind ?? found ?? 'other');
  const value = ((): OnnxAttribute => {
    switch (given) {
      case 'float': return { kind: 'float', value: float };
      case 'int': return { kind: 'int', value: int };
      case 'string': return { kind: 'string', value: string };
      case 'floats': return { kind: 'floats', value: floats ?? [] };
      case 'ints': return { kind: 'ints', value: ints ?? [] };
      case 'strings': return { kind: 'strings', value: strings ?? [] };
      case 'tensor': return { kind: 'tensor', value: tensor ?? missing('tensor') };
      case 'graph': return { kind: 'graph', value: graph ?? missing('graph') };
      case 'other': return { kind: 'other' };
    } // prettier-ignore
  })();
  if (name === '') invalid(source.file.path, `${node()} has an attribute without a name`);
  return [name, value];
}

/** "ai.onnx" is ONNX's own domain by its long name. */
export const domainOf = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

function readNode(reader: WireReader, source: TensorSource, depth: number): OnnxNode {
  let [name, op, domain] = ['', '', ''];
  const [inputs, outputs] = [[] as string[], [] as string[]];
  const attributeReaders: WireReader[] = [];
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) inputs.push(reader.name());
    else if (field === 2) outputs.push(reader.name());
    else if (field === 3) name = reader.name();
    else if (field === 4) op = reader.name();
    else if (field === 5) attributeReaders.push(reader.message());
    else if (field === 7) domain = domainOf(reader.name());
  }
  if (op === '') reader.damaged(`a node ${quoted(name)} without an operator`);
  const text = () => nodeText(name, op);
  if (attributeReaders.length === 0) return { name, op, domain, inputs, outputs, attributes: NO_ATTRIBUTES };
  const attributes = new Map<string, OnnxAttribute>();
  for (const one of attributeReaders) {
    const [key, value] = readAttribute(one, text, source, depth);
    if (attributes.has(key)) invalid(source.file.path, `${text()} has two attributes ${quoted(key)}`);
    attributes.set(key, value);
  }
  return { name, op, domain, inputs, outputs, attributes };
}

/** TensorShapeProto. Some exporters write a size below 0, which is an unknown size. */
function readShape(reader: WireReader): (number | string | null)[] {
  const dims: (number | string | null)[] = [];
  while (reader.next()) {
    if (reader.field !== 1) continue;
    const dim = reader.message();
    let size: number | string | null = null;
    while (dim.next())
      if (dim.field === 1) size = dim.int();
      else if (dim.field === 2) size = dim.name();
    dims.push(size === '' || (typeof size === 'number' && size < 0) ? null : size);
    if (dims.length > 32) reader.damaged('a value of more than 32 axes');
  }
  return dims;
}

/** ValueInfoProto. Sequences, maps and similar types have the type `other`. */
function readValue(reader: WireReader): OnnxValue {
  let name = '';
  let type: OnnxType = 'other';
  let dims: OnnxValue['dims'] = null;
  let types = 0;
  while (reader.next()) {
    if (reader.field === 1) name = reader.name();
    if (reader.field !== 2) continue;
    const typeProto = reader.message();
    while (typeProto.next()) {
      if (typeProto.field !== 1) continue;
      const tensor = typeProto.message();
      if (types++ > 0) reader.damaged('a value of two types');
      while (tensor.next())
        if (tensor.field === 1) type = typeOf(tensor.int());
        else if (tensor.field === 2)
          dims = dims ? reader.damaged('a value of two shapes') : readShape(tensor.message());
    }
  }
  if (name === '') reader.damaged('a value without a name');
  return { name, type, dims };
}

/** Whether the type and shape of a value fit the tensor of its name. */
const agrees = ({ type, dims }: OnnxValue, tensor: OnnxTensor): boolean =>
  (type === tensor.type || type === 'other') &&
  (dims === null ||
    (dims.length === tensor.dims.length &&
      dims.every((dim, axis) => typeof dim !== 'number' || dim === tensor.dims[axis])));

/**
 * Reads a graph of the file; checkGraph compares its declarations later.
 * @param depth number of graphs around it. @throws UserError('model-invalid').
 */
export function* readGraph(reader: WireReader, source: TensorSource, depth = 0): Steps<OnnxGraph> {
  if (depth > MAX_DEPTH) reader.damaged(`graphs nested deeper than ${MAX_DEPTH}`);
  let name = '';
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();
  const [inputs, outputs] = [[] as OnnxValue[], [] as OnnxValue[]];
  const values = new Map<string, OnnxValue>();
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) nodes.push(readNode(reader.message(), source, depth));
    else if (field === 2) name = reader.line();
    else if (field === 5) {
      const raw = rawTensor(reader.message());
      if (raw.name === '') reader.damaged('an initializer without a name');
      if (initializers.has(raw.name))
        invalid(source.file.path, `two initializers are called ${quoted(raw.name)}`, raw.name);
      initializers.set(
        raw.name,
        tensorOf(raw, () => `initializer ${quoted(raw.name)}`, source),
      );
    } else if (field === 11) inputs.push(readValue(reader.message()));
    else if (field === 12) outputs.push(readValue(reader.message()));
    else if (field === 13) {
      const value = readValue(reader.message());
      const known = values.get(value.name);
      // Some exporters declare a value twice.
      if (known && JSON.stringify(known) !== JSON.stringify(value))
        invalid(source.file.path, `two shapes are given for the value ${quoted(value.name)}`, value.name);
      values.set(value.name, value);
    } else if (field === 15)
      invalid(source.file.path, 'its sparse initializers are not read; export the model with dense ones');
    if (Math.max(nodes.length, initializers.size, inputs.length, outputs.length, values.size) > MAX_ENTRIES)
      reader.damaged(`a graph of more than ${MAX_ENTRIES} nodes or values`);
    yield;
  }
  for (const value of [...inputs, ...outputs, ...values.values()]) {
    const tensor = initializers.get(value.name);
    if (tensor && !agrees(value, tensor))
      invalid(source.file.path, `initializer ${quoted(value.name)} is of another shape or kind than the file says elsewhere`, value.name); // prettier-ignore
  }
  const given = inputs.filter((input) => !initializers.has(input.name));
  return { name, nodes, initializers, inputs: given, outputs, values };
}
