import type { Evaluation } from '../../daemon/protocol/events.js';
import { partName } from '../../daemon/protocol/finishText.js';
import type { WhatChanged } from '../../daemon/protocol/whatChanged.js';
import { element } from '../page/element.js';
import { count, number, percent } from '../page/format.js';
import { JobState } from '../page/jobState.js';
import { t } from '../page/strings.js';
import { samplesSection } from './changedSamples.js';
import { classSection, confusionSection, labelSection } from './confusion.js';
import type { FromChangedPage, ToChangedPage } from '../messages/changed.js';
import { pointsText, scrollTable, section } from './parts.js';
import { residualSections } from './residuals.js';
import { TryForm } from './tryForm.js';

/** The reference beside the pruned network: figures, confusions, samples whose answer changed, and the user's own sample. */
export class WhatChangedPage {
  #content = element('div', { class: 'changed grid' });
  #state: JobState;
  #try: TryForm | null = null;

  constructor(
    root: HTMLElement,
    private readonly post: (message: FromChangedPage) => void,
  ) {
    const labels = { cancel: t('Stop comparing'), again: t('Compare the answers again') };
    this.#state = new JobState(root, this.#content, post, labels);
  }

  receive(message: ToChangedPage): void {
    switch (message.type) {
      case 'run':
        this.#state.begin(
          t('What changed: {0}', message.name),
          t('Comparing the answers of the reference and of the pruned network...'),
        );
        break;
      case 'progress':
        this.#state.progress(message.done, message.total);
        break;
      case 'problem':
        this.#state.fail(message.message);
        break;
      case 'changed':
        this.#state.finish();
        this.#show(message.changed);
        if (message.tryIt) this.#try?.focus();
        break;
      case 'tried':
        this.#try?.show(message.answer);
        break;
      case 'tryProblem':
        this.#try?.problem(message.message);
        break;
    }
  }

  #show(changed: WhatChanged): void {
    const { result, notes } = changed;
    this.#state.subtitle.textContent = subtitleOf(changed);
    this.#try = new TryForm(changed.form, this.post);
    this.#content.className = `changed grid of-${result.kind}`;
    this.#content.replaceChildren(
      figures(changed),
      ...(result.kind === 'classes' ? [classSection(result), confusionSection(result)] : []),
      ...(result.kind === 'labels' ? [labelSection(result)] : []),
      ...(result.kind === 'numbers' ? residualSections(result) : []),
      samplesSection(changed),
      this.#try.root,
      ...(notes.length > 0 ? [section('notes', t('Notes'), null, ...notes.map((text) => element('p', { text })))] : []),
    );
  } // prettier-ignore
}

function subtitleOf({ set, samples, positions, answers }: WhatChanged): string {
  const part = t('All of it is of the {0} samples of the {1} part.', count(samples), partName(set));
  return positions === 1
    ? part
    : `${part} ${t('Each has {0} answers; {1} count, the rest is padding.', count(positions), count(answers))}`;
}

type Residuals = Extract<WhatChanged['result'], { kind: 'numbers' }>['pruned'];

/** Losses and errors of both, and the difference. */
function figures({ reference, pruned, regression, result }: WhatChanged): HTMLElement {
  const row = (head: string, of: (evaluation: Evaluation) => number | null, text: (value: number | null) => string, points = false) => {
    const [before, after] = [of(reference), of(pruned)];
    const difference = before === null || after === null ? '–' : points ? pointsText(after - before) : change(after - before);
    return { head, cells: [text(before), text(after), difference] };
  };
  const errors = pruned.target ? t('Unlike the reference') : regression ? t('Variance unexplained') : t('Error');
  const rows = [
    row(errors, ({ error }) => error, (value) => percent(value), true),
    row(t('Loss'), ({ loss }) => loss, (value) => number(value)),
  ];
  if (result.kind === 'numbers') {
    const of = (head: string, pick: (residuals: Residuals) => number | null) => {
      const [before, after] = [pick(result.reference), pick(result.pruned)];
      rows.push({ head, cells: [number(before), number(after), before === null || after === null ? '–' : change(after - before)] });
    };
    of(t('Root mean square residual'), ({ rmse }) => rmse);
    of(t('Mean absolute residual'), ({ meanAbsolute }) => meanAbsolute);
  }
  return section('figures', t('Figures'), null, scrollTable(t('Figures'), ['', t('Reference'), t('Pruned'), t('Difference')], rows));
} // prettier-ignore

const change = (difference: number): string =>
  difference > 0 ? `+${number(difference)}` : difference < 0 ? `−${number(-difference)}` : number(0);
