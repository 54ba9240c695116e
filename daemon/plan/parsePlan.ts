/** The plan file's text: JSON with comments, checked against the schema in daemon/protocol/plan, problems with their positions. */
import { findNodeAtLocation, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { plainIssues, type PlainIssue } from '../protocol/issueText.js';
import { Plan } from '../protocol/plan.js';
import { UserError } from '../protocol/errors.js';
import { boundsOf, isSearch } from './resolvePath.js';
import { keysAt } from './schemaKeys.js';
import { nearest, suggestion } from './suggest.js';
import { LIMITS } from './limits.js';

/** A problem of a plan; offset and length are in UTF-16 units of the text. */
export interface PlanProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly offset: number;
  readonly length: number;
  /** The key a quick fix can write instead of an unknown one. */
  readonly replacement?: string;
}

export interface ParsedPlan {
  /** null when there are problems. */
  readonly plan: Plan | null;
  readonly problems: readonly PlanProblem[];
  readonly tree: Node | undefined;
}

/** "CloseBraceExpected" -> "close brace expected" */
const inWords = (code: string): string => code.replace(/(?<=.)[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();

/** Brackets are counted before any recursive parser sees the text: a deeply nested file must not overflow the stack. */
function depthProblem(text: string): PlanProblem | null {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '{' || c === '[') {
      if (++depth > LIMITS.planDepth)
        return { path: [], message: `nested deeper than ${LIMITS.planDepth} levels`, offset: i, length: 1 };
    } else if (c === '}' || c === ']') depth--;
  }
  return null;
}

function positionOf(
  tree: Node | undefined,
  path: readonly PropertyKey[],
  key?: string,
): { offset: number; length: number } {
  const at = path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  const node = tree && (at.length > 0 ? findNodeAtLocation(tree, at) : tree);
  const property =
    key === undefined ? undefined : node?.children?.find((child) => child.children?.[0]?.value === key)?.children?.[0];
  const found = property ?? node ?? tree;
  return { offset: found?.offset ?? 0, length: found?.length ?? 0 };
}

/** Position in the plan's text, and the suggested spelling. */
function problemOf(
  { path, message, unknownKey, choices }: PlainIssue,
  tree: Node | undefined,
  value: unknown,
): PlanProblem {
  if (unknownKey !== undefined) {
    const above = path.slice(0, -1);
    const hint = suggestion(unknownKey, keysAt(Plan, above));
    const replacement = /"(.+)"/.exec(hint)?.[1];
    return {
      path,
      message: `${message}; ${hint}`,
      ...positionOf(tree, above, unknownKey),
      ...(replacement ? { replacement } : {}),
    };
  }
  const actual = path.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], value);
  const meant = choices && typeof actual === 'string' ? nearest(actual, choices) : null;
  return {
    path,
    message: meant === null ? message : `${message}; did you mean "${meant}"?`,
    ...positionOf(tree, path),
  };
}

/** Every problem of the text; never throws. */
export function parsePlan(text: string): ParsedPlan {
  const fail = (problem: PlanProblem): ParsedPlan => ({ plan: null, problems: [problem], tree: undefined });
  if (text.length > LIMITS.planCharacters)
    return fail({
      path: [],
      message: `longer than ${LIMITS.planCharacters} characters: this is no plan file`,
      offset: 0,
      length: 1,
    });
  const deep = depthProblem(text);
  if (deep) return fail(deep);
  const errors: ParseError[] = [];
  const tree = parseTree(text.replace(/^\uFEFF/, ' '), errors, { allowTrailingComma: true });
  if (errors.length > 0 || !tree) {
    const problems = errors.map((error) => ({
      path: [],
      message: `not valid JSON: ${inWords(printParseErrorCode(error.error))}`,
      offset: error.offset,
      length: error.length,
    }));
    return {
      plan: null,
      problems:
        problems.length > 0
          ? problems
          : [{ path: [], message: 'empty: a plan needs "model", "data" and "budget"', offset: 0, length: 0 }],
      tree,
    };
  }
  const value = valueOf(tree);
  const parsed = Plan.safeParse(value);
  if (!parsed.success)
    return {
      plan: null,
      problems: plainIssues(parsed.error.issues, value).map((issue) => problemOf(issue, tree, value)),
      tree,
    };
  const plan = parsed.data;
  const problem = whatIsAsked(plan);
  return problem
    ? { plan: null, problems: [{ ...problem, ...positionOf(tree, problem.path) }], tree }
    : { plan, problems: [], tree };
}

/** Problems of the keys that define the result in combination; the schema checks each key alone. */
function whatIsAsked(plan: Plan): Pick<PlanProblem, 'path' | 'message'> | null {
  if (plan.budget && plan.tasks) return { path: ['tasks'], message: 'give either "budget" or "tasks", not both' };
  if (boundsOf(plan.path).length > 1)
    return { path: ['path', 'maxError'], message: 'give either "maxErrorIncrease" or "maxError", not both' };
  if (plan.budget || plan.tasks || isSearch(plan)) return null;
  return {
    path: [],
    message: 'no budget: add "budget": { "keep": "1%" }, "tasks", or a goal such as "path": { "maxErrorIncrease": "0.5%" }', // prettier-ignore
  };
}

/** A null-prototype copy: a "__proto__" key is then an unknown key like any other. */
function valueOf(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(valueOf);
  if (node.type !== 'object') return node.value;
  const object: Record<string, unknown> = Object.create(null);
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key && value) object[key.value as string] = valueOf(value);
  }
  return object;
}

/** Line and column, from 1, of an offset. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}

/** Position in a plan's file in the form of compilers: "x.prune.json:4:3". A missing key has the position of its parent. */
export function placeInPlan(file: string, text: string, path: readonly (string | number)[]): string {
  const tree = parseTree(text.replace(/^\uFEFF/, ' '), [], { allowTrailingComma: true });
  let { offset } = positionOf(tree, []);
  for (let length = path.length; length > 0; length--) {
    const node = tree && findNodeAtLocation(tree, path.slice(0, length));
    if (!node) continue;
    offset = node.offset;
    break;
  }
  const { line, column } = lineAndColumn(text, offset);
  return `${file}:${line}:${column}`;
}

/** The plan, or a UserError('plan-invalid') with the file, the line and the first problem. */
export function requirePlan(text: string, file: string): Plan {
  const { plan, problems } = parsePlan(text);
  if (plan) return plan;
  const problem = problems[0]!;
  const { line, column } = lineAndColumn(text, problem.offset);
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw new UserError('plan-invalid', `${file}:${line}:${column}: ${problem.message}${more}`, {
    file,
    field: problem.path.join('.'),
  });
}
