/**
 * Every kind of budget, in the order in which keys are listed. A new one is a module of `kinds/`, its description here, and its mathematics under its
 * role.
 */
import * as alpha from './kinds/alpha.js';
import * as bytes from './kinds/bytes.js';
import * as fanIn from './kinds/fanIn.js';
import * as flops from './kinds/flops.js';
import * as keep from './kinds/keep.js';
import * as neurons from './kinds/neurons.js';
import * as pattern from './kinds/pattern.js';
import * as quantize from './kinds/quantize.js';
import * as radius from './kinds/radius.js';
import * as weights from './kinds/weights.js';
import type { GoalKind, Part, Role, StructureKind, Words } from './kind.js';

export const WORDS = {
  keep: keep.words,
  weights: weights.words,
  bytes: bytes.words,
  flops: flops.words,
  neurons: neurons.words,
  pattern: pattern.words,
  fanIn: fanIn.words,
  alpha: alpha.words,
  radius: radius.words,
  quantize: quantize.words,
} satisfies Record<string, Words>;

/** A key of a plan's budget that is a requirement. */
export type Kind = keyof typeof WORDS;
/** The quantities that checks of a written file count. */
export type Counted = (typeof WORDS)[Kind]['counts'];
type KindOf<R extends Role> = { [K in Kind]: (typeof WORDS)[K]['role'] extends R ? K : never }[Kind];
export type GoalKey = KindOf<'goal'>;
export type StructureKey = KindOf<'structure'>;

export const GOALS = {
  keep: keep.goal,
  weights: weights.goal,
  bytes: bytes.goal,
  flops: flops.goal,
  neurons: neurons.goal,
  alpha: alpha.goal,
  radius: radius.goal,
} satisfies { readonly [K in GoalKey]: GoalKind<Part & { readonly kind: K }> };

/** Structures of smaller parts of a unit's inputs first: the others apply to what those leave. */
export const STRUCTURES = {
  pattern: pattern.structure,
  fanIn: fanIn.structure,
} satisfies { readonly [K in StructureKey]: StructureKind };

export const CODEBOOK = quantize.codebook;
