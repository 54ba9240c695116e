import type { Node, Op } from '../ir.js';
import type { Call, GradientRule } from './rule.js';

/**
 * Gradients of convolutions. One form, linear in each of image, filter and result, ties the three. The gradient of the convolution in the
 * image is the second operation, in the filter the third; the gradients of those two consist of the same three operations.
 */

function triple(forward: Op, ofImage: Op, ofFilter: Op): Record<string, GradientRule> {
  const like = ({ make, y }: Call, op: Op, inputs: Node[], { shape }: Node) => make.graph.add({ op, inputs, attrs: y.attrs, shape }); // prettier-ignore
  return {
    // y = x * w: dx = image(g, w), dw = filter(x, g)
    [forward]: (call) => {
      const [x, w] = call.inputs as [Node, Node];
      return [() => like(call, ofImage, [call.dy, w], x), () => like(call, ofFilter, [x, call.dy], w)];
    },
    // y = image(v, w), a transposed convolution: dv = g * w, dw = filter(g, v)
    [ofImage]: (call) => {
      const [v, w] = call.inputs as [Node, Node];
      return [() => like(call, forward, [call.dy, w], v), () => like(call, ofFilter, [call.dy, v], w)];
    },
    // y = filter(x, v): dx = image(v, g), dv = x * g
    [ofFilter]: (call) => {
      const [x, v] = call.inputs as [Node, Node];
      return [() => like(call, ofImage, [v, call.dy], x), () => like(call, forward, [x, call.dy], v)];
    },
  };
}

export const convolutionRules = {
  ...triple('Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter'),
  ...triple('DepthwiseConv2D', 'DepthwiseConv2DBackpropInput', 'DepthwiseConv2DBackpropFilter'),
};
