import type { Node } from '../ir.js';
import { type EmitRule, type Emitter } from './emitter.js';

/** Rules of convolutions, pooling and resizing, all computed in NCHW. */

const numbers = (node: Node, name: string): readonly number[] => node.attrs[name] as readonly number[];

const convAttrs = (node: Node) => ({
  strides: numbers(node, 'strides'),
  dilations: numbers(node, 'dilations'),
  pads: numbers(node, 'pads'),
});

/** A filter as ONNX has it: HWIO -> OIHW. */
const filterOIHW = (e: Emitter, filter: Node): string => {
  const [h, w, i, o] = filter.shape as [number, number, number, number];
  if (h * w === 1)
    return e.reshape(e.op('Transpose', [e.reshape(e.name(filter), [i, o])], { perm: [1, 0] }), [o, i, 1, 1]);
  return e.op('Transpose', [e.name(filter)], { perm: [3, 2, 0, 1] });
};

const conv2D: EmitRule = (e, node) => {
  const [x, filter] = node.inputs as [Node, Node];
  const y = e.op('Conv', [e.name(x, 'channels'), filterOIHW(e, filter)], convAttrs(node));
  e.define(node, y, 'channels');
};

export const imageRules: Readonly<Record<string, EmitRule>> = { Conv2D: conv2D };
