/**
 * ONNX's node-level cases through the reader and the lowering, computed in float64: `npm run test:onnx-nodes [name part]`. Prints a
 * table by operator for docs/onnx.md, then what failed. Skipped where Debian's Python has no ONNX.
 */
import { UserError } from '../../../daemon/protocol/errors.js';
import { OPERATORS } from '../../../daemon/onnx/lower/registry.js';
import { caseFolder, caseNames, readCase } from './caseFiles.js';
import { runCase, type Verdict } from './runCase.js';

interface Result {
  readonly name: string;
  readonly op: string;
  readonly verdict: Verdict;
}

/** Cases that draw random numbers: there is nothing to compare with. */
const isRandom = (name: string): boolean => /training_dropout|bernoulli/.test(name);

/**
 * Cases whose expected numbers use a size of the result that is not rounded down, though the result is; onnxruntime's tests leave
 * them out too (onnx_backend_test_series_filters.jsonc: "results mismatch").
 */
const disputed = new Set(['test_resize_downsample_scales_cubic_align_corners', 'test_resize_downsample_scales_linear_align_corners']); // prettier-ignore

function resultOf(folder: string, name: string): Result | undefined {
  try {
    const one = readCase(folder, name);
    const ops = one.model.graph.nodes.map(({ op }) => op);
    // Functions are expanded to several nodes: they count for the operator that they are named after.
    const op = [...OPERATORS.keys()].find((known) => ops.length === 1 && known === ops[0]) ?? (ops.length > 1 && ops.every((each) => OPERATORS.has(each)) ? 'several' : ops.find((each) => !OPERATORS.has(each))!); // prettier-ignore
    if (one.model.graph.nodes.some((node) => node.domain !== '')) return undefined;
    return { name, op, verdict: runCase(one) };
  } catch (error) {
    if (!(error instanceof UserError)) return { name, op: 'reader', verdict: { kind: 'wrong', reason: (error as Error).message, variant: 'reading' } }; // prettier-ignore
    return { name, op: 'reader', verdict: { kind: 'refused', reason: error.message, variant: 'reading' } };
  }
}

const folder = caseFolder('.cache/onnx-nodes');
const part = process.argv[2] ?? '';
if (folder === undefined) console.log("skipped: /usr/bin/python3 has no ONNX (Debian's python3-onnx)");
else {
  const results = caseNames(folder)
    .filter((name) => name.includes(part) && !isRandom(name) && !disputed.has(name))
    .map((name) => resultOf(folder, name))
    .filter((result) => result !== undefined);
  const accepted = results.filter(({ op }) => OPERATORS.has(op) || op === 'several');
  const rows = new Map<string, Result[]>();
  for (const result of accepted) rows.set(result.op, [...(rows.get(result.op) ?? []), result]);
  const count = (list: readonly Result[], kind: Verdict['kind']) => list.filter(({ verdict }) => verdict.kind === kind).length; // prettier-ignore
  console.log('| operator | passed of run | refused |\n| --- | --- | --- |');
  for (const [op, list] of [...rows].sort(([a], [b]) => a.localeCompare(b))) {
    const refused = count(list, 'refused');
    console.log(`| ${op} | ${count(list, 'passed')} of ${list.length - refused} | ${refused > 0 ? refused : ''} |`);
  }
  const refused = count(accepted, 'refused');
  console.log(`| all | ${count(accepted, 'passed')} of ${accepted.length - refused} | ${refused} |`);
  const other = results.filter(({ op }) => !OPERATORS.has(op) && op !== 'several');
  console.log(`\nOf operators that have no rule: ${other.length} cases, refused in words: ${count(other, 'refused')}.`);
  for (const { name, verdict } of [...accepted, ...other.filter(({ verdict }) => verdict.kind === 'wrong')])
    if (verdict.kind !== 'passed') console.log(`${verdict.kind}: ${name} (${verdict.variant}): ${verdict.reason.slice(0, 300)}`); // prettier-ignore
  if (results.some(({ verdict }) => verdict.kind === 'wrong')) process.exitCode = 1;
}
