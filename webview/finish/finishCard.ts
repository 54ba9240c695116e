import type { Finish } from '../../daemon/protocol/finish.js';
import { finishText } from '../../daemon/protocol/finishText.js';
import { button, element } from '../page/element.js';
import { count, percent } from '../page/format.js';
import type { ControlAction, RunView } from '../messages/monitor.js';
import { t } from '../page/strings.js';

/** The result of a finished run in one sentence of measured figures, with buttons for what can be done with it. */
export class FinishCard {
  readonly root = element('section', { class: 'finish', hidden: true });
  #key = '';

  constructor(private readonly act: (action: ControlAction) => void) {
    this.root.setAttribute('aria-label', t('What the run has come to'));
  }

  /** @param finish null: not known (yet), or the run pruned nothing. */
  show({ summary, hasPlan }: Pick<RunView, 'summary' | 'hasPlan'>, finish: Finish | null, trusted: boolean): void {
    this.root.hidden = finish === null || summary.state !== 'done';
    const key = JSON.stringify([finish, hasPlan, trusted]);
    // A button that is replaced would lose the focus.
    if (finish === null || key === this.#key) return;
    this.#key = key;
    const text = finishText(finish);
    const action = (action: ControlAction, name: string, label: string, enabled: boolean, look = '') => {
      const made = button({ text: name, label, class: look }, () => this.act(action));
      made.disabled = !enabled;
      return made;
    };
    this.root.replaceChildren(
      element('p', { class: 'finish-text', text: `${text.slice(0, 1).toUpperCase()}${text.slice(1)}` }),
      element('p', { class: 'note', text: basis(finish) }),
      ...finish.notes.map((note) => element('p', { class: 'note', text: note })),
      element(
        'div',
        { class: 'controls', role: 'group', 'aria-label': t('With the result') },
        action('export', t('Export...'), t('Export the pruned model'), trusted, 'primary'),
        action('whatChanged', t('What Changed'), t('Confusions, and the samples whose answer changed'), true),
        action('tryIt', t('Try It'), t('Let both networks answer a sample of your own'), trusted),
        finish.report && action('report', t('Open Report'), t('The report of this run'), true),
        hasPlan && action('runAgain', t('Run Again'), t('Start the plan of this run again, as a new run'), trusted),
      ),
    );
  }
}

/** What each figure measures. */
function basis({ error, referenceError, samples, size, speed, regression, unlabelled }: Finish): string {
  const errors = regression && unlabelled
    ? t("{0} of the variance of the reference's answers unexplained, on {1} samples", percent(error), count(samples))
    : regression
    ? t('variance unexplained {0}, reference {1}, on {2} samples', percent(error), percent(referenceError), count(samples))
    : unlabelled
      ? t('{0} of {1} samples answered differently from the reference', percent(error), count(samples))
      : t('error {0}, reference {1}, on {2} samples', percent(error), percent(referenceError), count(samples));
  return [
    size ? t('Size: {0}, beside dense float32 weights', size.format) : t('Size: not measured'),
    speed
      ? t('speed: {0}, one sample at a time, on {1}', speed.what, speed.machine)
      : t('speed beside the reference: not measured'),
    errors,
  ].join('; ');
} // prettier-ignore
