/** The output of a run at a terminal: a progress line with ETA, one line per LC iteration, the per-layer table at the end. */
import type { BudgetCheck, RunEvent } from '../protocol/events.js';
import { orDash, rounded, scientific } from '../protocol/format.js';
import { budgetLabel } from '../protocol/runs/budgetLabel.js';
import type { Terminal } from './terminal.js';
import { count, duration, errorText, percent, table } from './text.js';

const PHASES: Readonly<Record<string, string>> = {
  load: 'loading',
  reference: 'training the reference',
  direct: 'direct compression',
  'l-step': 'L step',
  'c-step': 'C step',
  prune: 'pruning',
  retrain: 'retraining',
  export: 'writing the result',
};

const bar = (fraction: number, width = 20): string => {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
};

const number = (value: number | null, digits = 4): string => (value === null ? 'nan' : value.toFixed(digits));

/** Counted on the written file. */
const budgetRow = ({ task, kind, asked, limit, got, met }: BudgetCheck): string[] => [
  `${task} ${kind}`,
  asked,
  orDash(limit, count),
  count(rounded(got, 6)),
  met === null ? '-' : met ? 'yes' : 'MISSED',
];

/** The outputs that were trained together: their figures in the reference, and in the result. */
const outputRows = ({ reference, retrained }: Extract<RunEvent, { event: 'done' }>): string[][] =>
  (reference.outputs ?? []).map((before, i) => {
    const after = retrained.outputs?.[i];
    const losses = [number(before.loss), number(after?.loss ?? null)];
    return [before.output, String(before.weight), ...losses, percent(before.error), percent(after?.error)];
  });

/** Must be called with every event of the run, in order. */
export function createRunView(terminal: Terminal): (event: RunEvent) => void {
  let phase = { name: 'load', iteration: undefined as number | undefined, steps: 0, firstStep: 0, started: Date.now() };
  let step = 0;
  let header = false;
  let point: number | null = null;
  const line = (event: Extract<RunEvent, { event: 'iteration' }>) => {
    if (!header) terminal.note(` iter        mu  loss(theta)  err(theta)  ||w-th||/||w||        kept   time`);
    header = true;
    const cells = [
      `${event.iteration + 1}/${event.iterations}`.padStart(5),
      scientific(event.mu).padStart(9),
      number(event.loss).padStart(12),
      percent(event.error).padStart(11),
    ];
    cells.push(number(event.ratio).padStart(15), count(event.kept).padStart(11), duration(event.seconds).padStart(6));
    terminal.note(cells.join(' '));
  };
  return (event) => {
    switch (event.event) {
      case 'start':
        terminal.note(
          `${event.resumed ? 'resuming' : 'run'} ${event.run}: ${event.method}, ${count(event.prunable)} prunable weights${event.kappa === null ? '' : `, kappa ${count(event.kappa)}`}, ${event.engine} (${event.device}), seed ${event.seed}`,
        );
        break;
      case 'phase':
        if (event.point !== undefined && event.budget && event.point !== point) {
          point = event.point;
          terminal.note(`point ${point}: ${budgetLabel(event.budget)}`);
        }
        phase = {
          name: event.phase,
          iteration: event.iteration,
          steps: event.steps ?? 0,
          firstStep: step,
          started: event.time,
        };
        break;
      case 'batch': {
        step = event.step;
        const done = phase.steps > 0 ? (event.step - phase.firstStep) / phase.steps : 0;
        const eta = done > 0.02 ? ((event.time - phase.started) / 1000) * (1 / done - 1) : null;
        const name = `${PHASES[phase.name] ?? phase.name}${phase.iteration === undefined ? '' : ` ${phase.iteration + 1}`}`;
        terminal.status(
          `${name} ${bar(done)} epoch ${event.epoch.toFixed(1)}  loss ${number(event.loss)}  ${count(Math.round(event.samplesPerSecond))} samples/s  ETA ${duration(eta)}`,
        );
        break;
      }
      case 'evaluation':
        if (event.set === 'test' && (event.at === 'reference' || event.at === 'direct' || event.at === 'retrained')) {
          const what = { reference: 'reference', direct: 'direct compression', retrained: 'after retraining' }[
            event.at
          ];
          terminal.note(
            `${what}: loss ${number(event.loss)}, ${errorText(event)} on ${count(event.samples)} test samples`,
          );
        }
        break;
      case 'iteration':
        line(event);
        break;
      case 'point':
        terminal.note(
          `point ${event.point} of ${event.points}: ${count(event.kept)} weights, ${errorText({ ...event.retrained, absoluteError: undefined })} after retraining (${duration(event.seconds)})`,
        );
        break;
      case 'warning':
        terminal.note(`${event.code === 'note' || event.code === 'reading' ? 'note' : 'warning'}: ${event.message}`);
        break;
      case 'engine':
        terminal.note(`note: ${event.message}`);
        break;
      case 'paused':
        terminal.note('paused');
        break;
      case 'done':
        terminal.status('');
        terminal.print(
          table(
            ['layer', 'weights', 'kept', 'kept %'],
            [...event.perLayer, { layer: 'total', weights: event.prunable, kept: event.kept }].map((row) => [
              row.layer,
              count(row.weights),
              count(row.kept),
              percent(row.kept / row.weights),
            ]),
          ),
        );
        terminal.print('');
        if (event.reference.outputs) {
          const header = ['output', 'loss weight', 'loss before', 'after', 'error before', 'after'];
          terminal.print(table(header, outputRows(event)));
          terminal.print('');
        }
        if (event.budget && event.budget.length > 0) {
          terminal.print(table(['budget', 'asked', 'allowed', 'got', 'met'], event.budget.map(budgetRow)));
          terminal.print('');
        }
        terminal.print(
          `${event.retrained.target ? "errors against the reference's own answers: " : ''}reference ${percent(event.reference.error)}, at theta ${percent(event.theta.error)}, after retraining ${percent(event.retrained.error)}; kept ${count(event.kept)} of ${count(event.prunable)} (${duration(event.seconds)})`,
        );
        for (const { message, unusable } of event.findings ?? []) if (unusable) terminal.print(`warning: ${message}`);
        for (const { message } of event.continuations ?? []) terminal.print(`note: ${message}`);
        break;
      default:
        break;
    }
  };
}
