import type { RunEvent } from '../protocol/events.js';
import type { RunSummary } from '../protocol/messages.js';

/** A running summary of one live run, kept from its events so that its log need not be read again. */
export class LiveSummary {
  #summary: RunSummary;
  #totalSteps: number | null = null;
  /** Where time and progress are measured from, for the ETA. */
  #anchor: { time: number; progress: number } | null = null;

  constructor(summary: RunSummary) {
    this.#summary = summary;
  }

  get value(): RunSummary {
    return this.#summary;
  }

  /** @returns whether the run is in a new state: worth telling at once, which mere progress is not. */
  apply(event: RunEvent): boolean {
    const before = this.#summary.state;
    this.#summary = { ...this.#summary, ...this.#changes(event) };
    return before !== this.#summary.state;
  }

  #changes(event: RunEvent): Partial<RunSummary> {
    switch (event.event) {
      case 'start':
        this.#totalSteps = event.totalSteps;
        return { state: 'running', engine: event.engine, prunable: event.prunable, ended: null, message: null };
      case 'phase':
        return { state: 'running', ...(event.iteration === undefined ? {} : { iteration: event.iteration }) };
      case 'batch':
        return { state: 'running', samplesPerSecond: event.samplesPerSecond, ...this.#advance(event.step, event.time) };
      case 'evaluation':
        if (event.set === 'train') return {};
        if (event.at === 'reference') return { referenceError: event.error };
        return event.at === 'theta' || event.at === 'retrained' ? { error: event.error } : {};
      case 'iteration':
        return {
          iteration: event.iteration,
          iterations: event.iterations,
          error: event.error ?? this.#summary.error,
          kept: event.kept,
          ...this.#advance(event.step, event.time),
          ...(event.etaSeconds === null ? {} : { etaSeconds: event.etaSeconds }),
        };
      case 'paused':
        this.#anchor = null;
        return { state: 'paused', etaSeconds: null, samplesPerSecond: null };
      case 'stopped':
        return { state: 'stopped', message: event.reason, ended: event.time, etaSeconds: null };
      case 'failed':
        return { state: 'failed', message: event.message, ended: event.time, etaSeconds: null };
      case 'done':
        return {
          state: 'done',
          progress: 1,
          error: event.retrained.error,
          referenceError: event.reference.error,
          kept: event.kept,
          prunable: event.prunable,
          ended: event.time,
          etaSeconds: null,
        };
      default:
        return {};
    }
  }

  #advance(step: number, time: number): Partial<RunSummary> {
    if (!this.#totalSteps) return {};
    const progress = Math.min(1, Math.max(0, step / this.#totalSteps));
    this.#anchor ??= { time, progress };
    const gained = progress - this.#anchor.progress;
    const elapsed = time - this.#anchor.time;
    // Too early to tell in the first seconds.
    if (gained <= 0 || elapsed < 2000) return { progress };
    return { progress, etaSeconds: (elapsed / 1000 / gained) * (1 - progress) };
  }
}
