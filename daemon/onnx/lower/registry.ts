import type { Operator } from './call.js';
import { constantOperators } from './operators/constants.js';
import { convolutionOperators } from './operators/convolution.js';
import { einsumOperators } from './operators/einsum.js';
import { elementwiseOperators } from './operators/elementwise.js';
import { lookupOperators } from './operators/lookup.js';
import { movingOperators } from './operators/moving.js';
import { normalisationOperators } from './operators/normalisation.js';
import { poolingOperators } from './operators/pooling.js';
import { productOperators } from './operators/products.js';
import { recurrentOperators } from './operators/recurrent.js';
import { reductionOperators } from './operators/reductions.js';
import { reshapingOperators } from './operators/reshaping.js';
import { resizingOperators } from './operators/resizing.js';
import { unaryOperators } from './operators/unary.js';

/** The rules of operators of ONNX's own domain, by name. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    ...constantOperators,
    ...reshapingOperators,
    ...movingOperators,
    ...lookupOperators,
    ...elementwiseOperators,
    ...unaryOperators,
    ...productOperators,
    ...einsumOperators,
    ...convolutionOperators,
    ...poolingOperators,
    ...resizingOperators,
    ...normalisationOperators,
    ...reductionOperators,
    ...recurrentOperators,
  }),
);
