/** `"pattern": "2:4"`: N of every M consecutive inputs of a unit. */
import { BudgetError } from '../../budgetError.js';
import { blocksOf } from '../../layerView.js';
import { eachBlock, patternCapacity, patternConstraint } from '../../projections/blocks.js';
import type { Structure, StructureKind, Words } from '../kind.js';
import type { Kernel } from '../written.js';

/** Longer blocks are no pattern that any hardware has, and a plan alone says them. */
const LARGEST_BLOCK = 64;

export const words = {
  role: 'structure',
  value: 'pattern',
  summary: 'N:M: keep N of every M consecutive inputs of a unit.',
  help: 'N:M sparsity: in every block of M consecutive inputs of a unit the N largest `|v_i|` stay (exact).',
  snippet: '"${1:2:4}"',
  label: (pattern) => pattern,
  phrase: (pattern) => `${pattern} pattern`,
  typed: {
    example: '2:4',
    offer: 'Keep {0} (N of every M consecutive weights)',
    read(text) {
      const [, n, m] = /^(\d+)\s*:\s*(\d+)$/.exec(text) ?? [];
      if (n === undefined) return null;
      return Number(n) < 1 || Number(m) > LARGEST_BLOCK || Number(n) >= Number(m)
        ? 'range'
        : `${Number(n)}:${Number(m)}`;
    },
  },
  counts: 'pattern',
} as const satisfies Words<'pattern'>;

interface Pattern extends Structure {
  readonly kind: 'pattern';
  readonly n: number;
  readonly m: number;
}

/** N and M of "2:4". @throws BudgetError unless 1 <= N <= M. */
function parsePattern(pattern: string): { n: number; m: number } {
  const [, nText, mText] = /^(\d+):(\d+)$/.exec(pattern) ?? [];
  const n = Number(nText);
  const m = Number(mText);
  if (nText === undefined || !Number.isSafeInteger(n) || !Number.isSafeInteger(m)) {
    throw new BudgetError('pattern', `"${pattern}" is not N:M, such as "2:4"`, '2:4');
  }
  if (m < 1) throw new BudgetError('pattern', `${pattern} has blocks of ${m} weights; the least is 1:1`, '1:1');
  if (n < 1) throw new BudgetError('pattern', `${pattern} keeps nothing; the least is 1:${m}`, `1:${m}`);
  if (n > m) throw new BudgetError('pattern', `${pattern} keeps more than it has; the most is ${m}:${m}`, `${m}:${m}`);
  return { n, m };
}

/** The most non-zeros of any block of m consecutive inputs of a unit. */
function fullestBlock({ view, data }: Kernel, m: number): number {
  let most = 0;
  eachBlock(m, blocksOf(view), 0, (block, length) => {
    let kept = 0;
    for (let i = 0; i < length; i++) if (data[block[i]!] !== 0) kept++;
    most = Math.max(most, kept);
  });
  return most;
}

export const structure: StructureKind<Pattern, string> = {
  parse(written) {
    const { n, m } = parsePattern(written);
    return {
      kind: 'pattern',
      name: written,
      n,
      m,
      capacity: (layer) => patternCapacity(n, m, blocksOf(layer)),
      compression: (layers) => patternConstraint(n, m, layers.map(blocksOf)),
    };
  },
  check({ name, n, m }, { kernels }) {
    const got = Math.max(...kernels.map((kernel) => fullestBlock(kernel, m)));
    return { asked: name, limit: n, got, met: got <= n };
  },
};
