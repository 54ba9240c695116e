import type { Caution, OtherRate } from '../../daemon/protocol/cautions.js';
import { button, element, icon } from '../page/element.js';
import type { ControlAction, RunView } from '../messages/monitor.js';
import { t } from '../page/strings.js';

/** Findings that the user must know before using a run's result, with the ways out: the first element of its page. */
export class CautionBanner {
  readonly root = element('section', { class: 'caution', role: 'alert', hidden: true });
  #key = '';

  constructor(private readonly act: (action: ControlAction) => void) {}

  show({ summary, hasPlan }: Pick<RunView, 'summary' | 'hasPlan'>, trusted: boolean): void {
    const { cautions = [], state } = summary;
    this.root.hidden = cautions.length === 0;
    // A screen reader repeats an alert whenever it is redrawn.
    const key = JSON.stringify([cautions, state, hasPlan, trusted]);
    if (key === this.#key) return;
    this.#key = key;
    const serious = cautions.some((caution) => caution.serious);
    this.root.className = `caution ${serious ? 'serious' : ''}`;
    const rate = cautions.find((caution) => caution.rate)?.rate;
    const ways = [
      rate && this.#way('otherRate', rateText(rate), t('Write it into the plan and start a new run'), trusted),
      hasPlan && this.#way('plan', t('Open Plan'), t('The plan of this run'), true),
    ];
    this.root.replaceChildren(
      element('h2', {}, icon('warning'), headline(serious, state)),
      ...cautions.map(text),
      element('div', { class: 'controls' }, ...ways),
    );
  }

  #way(action: ControlAction, text: string, label: string, enabled: boolean): HTMLButtonElement {
    const made = button({ text, label }, () => this.act(action));
    made.disabled = !enabled;
    return made;
  }
}

const headline = (serious: boolean, state: RunView['summary']['state']): string => {
  if (!serious) return t('Good to know of this result');
  return state === 'done' ? t('Look at this before you use the result') : t('This run needs a look');
};

export const rateText = ({ section, value }: OtherRate): string =>
  value === null
    ? t('Run Again, Learning Rate by a Short Test')
    : t('Run Again with "{0}.learningRate": {1}', section, value);

/** Messages of the log begin in lower case, as the rest of a line. */
const text = ({ message }: Caution): HTMLElement =>
  element('p', { text: `${message.slice(0, 1).toUpperCase()}${message.slice(1)}` });
