/**
 * Messages between the monitor's host (extension/monitor) and the page. The host owns every series; a page that becomes
 * visible says `ready` and is hydrated, then gets appended columns only.
 */
import type { LayerKept, PathAnswer, PathPoint } from '../../daemon/protocol/events.js';
import type { Finish } from '../../daemon/protocol/finish.js';
import type { LayerPicture, RunSummary } from '../../daemon/protocol/messages.js';
import type { EvaluationSet, TableName } from '../../daemon/protocol/telemetry/columns.js';

/** A marked position on the x axis: a phase, a changed budget, a resume. */
export interface Mark {
  step: number;
  epoch: number;
  time: number;
  label: string;
}

/** The curve of a path run as far as it is computed. */
export interface PathView {
  /** In the order they were computed. */
  points: PathPoint[];
  /** How many points there will be, as far as is known. */
  total: number;
  /** Which point became the result; null before the end. */
  answer: PathAnswer | null;
}

/** A run without its series. */
export interface RunView {
  id: string;
  name: string;
  /** Stands for a colour and a marker (`runColour`, `runShape`) that no other run on show has. */
  colour: number;
  /** Without file names: the page has no use for them. */
  summary: Omit<RunSummary, 'workspace' | 'folder' | 'planPath' | 'modelPath'>;
  /** Whether it has a plan file, which can be opened and run again. */
  hasPlan: boolean;
  device: string | null;
  /** The part of the data that the run's errors are of: test if there is one. null: none is known yet. */
  errorSet: EvaluationSet | null;
  /** A request that the run has not acted on yet: "Pausing...". */
  asked?: string;
  /** Error of the uncompressed reference, on that part. */
  referenceError: number | null;
  /** Error right after direct compression, without training: plain magnitude pruning. */
  directError: number | null;
  layers: LayerKept[];
  marks: Mark[];
  warnings: { time: number; message: string }[];
  /** How the data is read, if the reference's answers decided it: the label mapping and the input scale, with the figures. */
  mapping: string[];
  /** Of a path run. */
  path?: PathView;
}

/** One row of the plan difference: a setting and its value in each compared run, in the order of `runs`. */
export interface DifferenceRow {
  setting: string;
  values: string[];
}

/**
 * Appended rows of one table; `reset`: they replace the page's rows. `halved`: the page first halves its table as the host did (`ColumnTable.halve`),
 * then appends these rows.
 */
export interface ColumnPatch {
  reset: boolean;
  columns: Record<string, Float64Array>;
  halved?: Record<string, Float64Array>;
}

/**
 * A patch in its transferred form: float64 columns, little-endian, as base64. It is exact, NaN included, and half the size of JSON. Typed arrays
 * themselves arrive as plain objects in some VS Code hosts.
 */
export interface WirePatch {
  reset: boolean;
  columns: Record<string, string>;
  halved?: Record<string, string>;
}

export type ToPage =
  | {
      type: 'runs';
      runs: RunView[];
      primary: string | null;
      /** Name of the run that is being started, shown until the run exists. */
      starting: string | null;
      difference: DifferenceRow[];
      trusted: boolean;
    }
  | { type: 'run'; view: RunView }
  | { type: 'columns'; run: string; tables: Partial<Record<TableName, WirePatch>> }
  /** Ends the news of all runs; the page answers `drawn` when it has drawn them, and gets no more before that. */
  | { type: 'flushed' }
  | { type: 'picture'; run: string; layer: string; picture: LayerPicture | null; problem: string | null }
  /** The result of a finished run; null: it pruned nothing. */
  | { type: 'finish'; run: string; finish: Finish | null }
  | { type: 'connection'; problem: string | null };

export type ControlAction =
  | 'pause'
  | 'resume'
  | 'switchEngine'
  | 'stop'
  | 'budget'
  | 'export'
  | 'plan'
  | 'otherRate'
  | 'report'
  | 'runAgain'
  | 'whatChanged'
  | 'tryIt'
  | 'compare'
  | 'runs'
  | 'log'
  | 'start';

export type ToHost =
  | { type: 'ready' }
  /** The answer to `flushed`. */
  | { type: 'drawn' }
  | { type: 'control'; action: ControlAction; run: string | null }
  /** Cancel the start. */
  | { type: 'cancelStart' }
  | { type: 'remove'; run: string }
  | { type: 'primary'; run: string }
  | { type: 'picture'; run: string; layer: string }
  /** Asks for the result of a finished run. */
  | { type: 'finish'; run: string }
  /** Export the model of a path's point; the user chooses the format. */
  | { type: 'exportPoint'; run: string; point: number }
  /** A file for the user to save; base64. */
  | { type: 'save'; name: string; data: string }
  | { type: 'failure'; message: string };
