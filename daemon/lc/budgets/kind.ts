/**
 * A kind of budget is one module of `kinds/`, with two exports: its description (texts for the plan, the editor, tables and reports) and its
 * mathematics. `registry.ts` lists them; loops over the registry do the rest.
 * Descriptions are separate from the mathematics so that pages, which show budgets, do not bundle C steps: a bundler drops unused exports.
 */
import type { Compression } from '../compression.js';
import type { LayerView } from '../layerView.js';
import type { SparseFormatOf } from '../sparseFormat.js';
import type { Typed } from './typed.js';
import type { Codebook, LayerLimitsSpec, MannerSpec, Value, Values } from './values.js';
import type { Checked, WrittenKernels } from './written.js';

/**
 * `goal`: how much is kept; a budget has at most one. `structure`: a cap on what each part of a unit's inputs keeps, alone or with a goal that counts
 * weights. `codebook`: the values that kept weights may have, alone or with such a goal.
 */
export type Role = 'goal' | 'structure' | 'codebook';

/** The description of a kind of budget. */
export interface Words<V extends keyof Values = keyof Values> {
  readonly role: Role;
  /** The type of the key's value, which determines its validator. */
  readonly value: V;
  /** One line for the plan's JSON Schema. */
  readonly summary: string;
  /** Markdown with the formula: hover and completion. */
  readonly help: string;
  /** The snippet that completion inserts after the key. */
  readonly snippet: string;
  /** Values that completion offers. */
  readonly suggestions?: readonly string[];
  /** The shortest text that distinguishes it from other budgets: "1%", "2,662 weights", "50% FLOPs". */
  label(value: Values[V]): string;
  /** The left side of "50% of the FLOPs = 1,234 weights". Default: the label. */
  phrase?(value: Values[V]): string;
  /** How people type it. Absent: a plan alone says it. */
  readonly typed?: Typed<Values[V]>;
  /** What checks of the written file call it: what is counted. */
  readonly counts: string;
  /** Whole neurons and filters are removed, whatever `prune` says. */
  readonly wholeUnits?: true;
  /** A penalty: its threshold depends on mu, which only the run knows. */
  readonly penalty?: true;
}

/** One requirement of a budget, parsed from its key: the members of the tagged union. */
export interface Part {
  readonly kind: string;
}

/** A cap on parts of each unit's inputs. */
export interface Structure extends Part {
  /** Its common name: "2:4". */
  readonly name: string;
  /** Largest number of weights that a layer can keep. */
  capacity(layer: LayerView): number;
  /** The exact projection onto the cap alone. */
  compression(layers: readonly LayerView[]): Compression;
}

/** The values that kept weights may have. */
export interface CodebookPart extends Part {
  readonly codebook: Codebook;
}

/** What a goal is combined with. */
export interface Beside {
  readonly scope: 'global' | 'layer';
  /** Floors and caps per layer; null without any. */
  readonly limits: Readonly<Record<string, LayerLimitsSpec>> | null;
  /** Whole units are removed. */
  readonly units: boolean;
  /** Of whole units: kept numbers of channels are multiples of this. 1: any. */
  readonly roundTo: number;
  /** Structures of smaller parts first. */
  readonly structures: readonly Structure[];
  readonly quantize: CodebookPart | undefined;
}

/** Which keys may stand beside a goal; others are rejected. */
export interface Takes {
  /** Structures, and a codebook: the goal counts weights. */
  readonly counted?: true;
  /** `norm`: what it bounds is a norm. */
  readonly norm?: true;
  /** `layers`: floors and caps of weights, or of whole units. */
  readonly limits?: 'weights' | 'units';
  /** Whole units with `"scope": "layer"`. */
  readonly localUnits?: true;
}

/** How the budgets of a path are varied. */
export interface PathAmount<V extends Value = Value> {
  /** How much the value allows: a share (0 to 1), or a number in the goal's unit. @throws RangeError */
  of(value: V): number;
  isShare(value: V): boolean;
  /** Default path around this budget, as values of a key: shares, or numbers. */
  range(value: V): { readonly key: string; readonly from: number; readonly to: number; readonly shares: boolean };
  /** The key of a path's values, if it is not the goal's own. */
  keyOf?(value: number | string): string;
}

/** Mathematics of a kind that says how much is kept. */
export interface GoalKind<G extends Part = Part, V extends Value = Value> {
  readonly takes: Takes;
  /** @throws BudgetError if the value is invalid, or `manner` contradicts it. */
  parse(value: V, manner: MannerSpec): G;
  /**
   * The allowed amount in weights over these layers together, kappa; null if it is known only after the run.
   * @throws BudgetError below 1 or above the number of weights, with the nearest valid value.
   */
  kappa(goal: G, beside: Beside, layers: readonly LayerView[], format: SparseFormatOf): number | null;
  /** The C step over these layers together. @throws BudgetError as `kappa`. */
  compression(goal: G, beside: Beside, layers: readonly LayerView[], format: SparseFormatOf): Compression;
  /** The amount of it in a written file. */
  check(goal: G, beside: Beside, written: WrittenKernels): Checked;
  /** Absent: a path cannot vary it. */
  readonly path?: PathAmount<V>;
  /** Whether the kept number is a result of the run; a baseline then gets it as its budget. Default: no. */
  isFound?(goal: G): boolean;
  /** Whether it constrains values that retraining would change. Default: no. */
  boundsValues?(goal: G): boolean;
}

/** Mathematics of a kind that caps parts of each unit's inputs. */
export interface StructureKind<S extends Structure = Structure, V extends Value = Value> {
  /** @throws BudgetError with the nearest valid value. */
  parse(value: V): S;
  check(structure: S, written: WrittenKernels): Checked;
}
