/** The result of opening one file. */

/** Without fault: `refused` in words; `agree` with onnxruntime; the other three could not be compared, for the reason in `what`. */
export const FINE = ['refused', 'agree', 'lenient', 'uncompared', 'overflow'] as const;
/** A broken promise, and the three ways in which a process ends or does not. */
export const FAILURES = ['message', 'reader', 'memory', 'table', 'differ', 'slow', 'crash', 'hang'] as const;

export type Kind = (typeof FINE)[number] | (typeof FAILURES)[number];

export interface Verdict {
  /** Number of the mutant; undefined for a file of the corpus. */
  readonly index?: number;
  /** The valid file that was made wrong. */
  readonly from: string;
  readonly kind: Kind;
  readonly what?: string;
  readonly milliseconds: number;
}

export const isFailure = ({ kind }: Verdict): boolean => (FAILURES as readonly string[]).includes(kind);

/** The reason without names and numbers, so that reasons of one kind count as one. */
export const reasonOf = (what: string): string =>
  what
    .replace(/"([^"\\]|\\.)*"?/g, '"')
    .replace(/'[^']*'/g, "'")
    .replace(/\/[\w./-]+/g, 'PATH')
    .replace(/\[[^\]]*\]/g, '[]')
    .replace(/-?\d+(\.\d+)?(e[-+]?\d+)?/g, 'n')
    .slice(0, 120);
