/** `"quantize": { "codebook": 4 }`: the kept weights have values of a codebook. */
import { BudgetError } from '../../budgetError.js';
import { gridStep } from '../../quantize.js';
import type { CodebookPart, Words } from '../kind.js';
import type { Values } from '../values.js';
import { joined, type Checked, type Kernel, type WrittenKernels } from '../written.js';

export const words = {
  role: 'codebook',
  value: 'codebook',
  summary: 'Quantize the kept weights in the same C step.',
  help: 'Quantize the kept weights in the same C step: `theta_i in {0, c_1, ..., c_K}` with at most kappa of them not zero.',
  snippet: '{ "codebook": ${1:4} }',
  label: ({ codebook }) => (typeof codebook === 'number' ? `${codebook} values` : codebook),
  counts: 'codes',
} as const satisfies Words<'codebook'>;

interface Quantize extends CodebookPart {
  readonly kind: 'quantize';
  /** Whether it can be combined with structures. */
  readonly takesStructure: boolean;
}

const MOST_CODES = 256;
/** Of int8, without 0. */
const INT8_CODES = 254;

const codesOf = (data: Float32Array): number[] => [...new Set(data)].filter((x) => x !== 0);

const isOnGrid = ({ data }: Kernel): boolean => {
  const kept = data.filter((x) => x !== 0);
  return kept.length === 0 || gridStep(kept) !== null;
};

export const codebook = {
  /** @throws BudgetError outside 1 to 256 codes. */
  parse({ codebook: codes }: Values['codebook']): Quantize {
    if (typeof codes === 'number' && !(Number.isInteger(codes) && codes >= 1 && codes <= MOST_CODES))
      throw new BudgetError('quantize', `a codebook has 1 to ${MOST_CODES} codes, not ${codes}`);
    return { kind: 'quantize', codebook: codes, takesStructure: codes === 'int8' };
  },
  check({ codebook: codes }: Quantize, { kernels }: WrittenKernels): Checked {
    if (codes === 'int8') {
      const got = Math.max(...kernels.map(({ data }) => codesOf(data).length));
      return { asked: 'int8', limit: INT8_CODES, got, met: kernels.every(isOnGrid) && got <= INT8_CODES };
    }
    const found = codesOf(joined(kernels));
    const got = found.length;
    if (codes === 'ternary') {
      const symmetric = found.every((code) => Math.abs(code) === Math.abs(found[0]!));
      return { asked: 'ternary', limit: 2, got, met: got <= 2 && symmetric };
    }
    return { asked: `${codes} codes`, limit: codes, got, met: got <= codes };
  },
};
