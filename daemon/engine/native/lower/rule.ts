import { type Node, sameShape } from '../../../network/ir.js';

/** Adds a node, or a constant, to the new graph. */
export type Add = (node: Omit<Node, 'id'>) => Node;

/** The nodes that compute one, whose inputs are in the new graph. @returns the last of them. */
export type Lowering = (node: Node, add: Add) => Node;

/** What a new node has of one that it stands beside. */
export const plain = ({ dtype, layer }: Node) => ({ dtype, ...(layer === undefined ? {} : { layer }) });

export const addView = (node: Node, shape: readonly number[], add: Add): Node =>
  sameShape(node.shape, shape)
    ? node
    : add({ ...plain(node), op: 'Reshape', inputs: [node], attrs: {}, shape: [...shape] });

/** An operation of one type with its inputs. */
export const addOf = (
  op: Node['op'],
  inputs: readonly Node[],
  shape: readonly number[],
  add: Add,
  attrs: Node['attrs'] = {},
): Node => add({ ...plain(inputs[0]!), op, inputs, attrs, shape });

/** A constant beside a node, of its type. */
export const addConstant = (
  node: Node,
  constant: NonNullable<Node['constant']>,
  shape: readonly number[],
  add: Add,
): Node => add({ ...plain(node), op: 'Constant', inputs: [], attrs: {}, shape, constant });
