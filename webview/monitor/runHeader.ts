import { isDoubtful } from '../../daemon/protocol/doubtful.js';
import type { Finish } from '../../daemon/protocol/finish.js';
import { jobText } from '../../daemon/protocol/runs/placeOfJob.js';
import { STATE_NAMES } from '../../daemon/protocol/runs/stateNames.js';
import { rounded } from '../../daemon/protocol/format.js';
import { CautionBanner } from './cautionBanner.js';
import { button, element, icon } from '../page/element.js';
import { FinishCard } from '../finish/finishCard.js';
import { count, duration, number, percent, shortCount } from '../page/format.js';
import type { ControlAction, RunView } from '../messages/monitor.js';
import { setName } from '../chart/evaluations.js';
import { t } from '../page/strings.js';

/** Text shown after a press until the run acts on it. */
const ASKED: Partial<Record<ControlAction, string>> = {
  pause: 'Pausing...',
  resume: 'Resuming...',
  stop: 'Stopping...',
};
/** Milliseconds. A host that is busy for longer reports it itself. */
const HOST_ANSWERS = 3000;

type Control = 'pause' | 'resume' | 'switchEngine' | 'stop' | 'budget' | 'export' | 'compare' | 'runs';

/** The state of the shown run in words and numbers, and its controls. */
export class RunHeader {
  readonly root = element('header', { class: 'run-header' });
  #title = element('h1');
  #state = element('span', { class: 'state', role: 'status' });
  #subtitle = element('p', { class: 'subtitle' });
  #stats = element('dl', { class: 'stats' });
  #bar = element('div', { class: 'bar-fill' });
  #progress = element('div', { class: 'progress', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' });
  #message = element('p', { class: 'message', role: 'alert', hidden: true });
  #caution: CautionBanner;
  #finish: FinishCard;
  #mapping = element('details', { class: 'mapping', hidden: true });
  #buttons: Record<Control, HTMLButtonElement>;
  #view: RunView | null = null;
  #pressed: { run: string; text: string; state: RunView['summary']['state']; until: number } | null = null;

  constructor(private readonly control: (action: ControlAction) => void) {
    const act = (action: ControlAction) => this.#press(action);
    this.#caution = new CautionBanner(act);
    this.#finish = new FinishCard(act);
    this.#buttons = {
      pause: button({ icon: 'pause', text: t('Pause'), label: t('Pause after the current batch') }, () => act('pause')),
      resume: button(
        { icon: 'play', text: t('Resume'), label: t('Continue from the last checkpoint'), class: 'primary' },
        () => act('resume'),
      ),
      switchEngine: button(
        {
          icon: 'play',
          text: t('Continue on Another Engine'),
          label: t('Continue from the last checkpoint on another engine'),
          class: 'primary',
        },
        () => act('switchEngine'),
      ),
      stop: button({ icon: 'stop', text: t('Stop'), label: t('Checkpoint and stop; the run can be resumed') }, () =>
        act('stop'),
      ),
      budget: button(
        { icon: 'budget', text: t('Budget...'), label: t('Change the budget from the next iteration on') },
        () => act('budget'),
      ),
      export: button(
        { icon: 'save', text: t('Export...'), label: t('Export the pruned model'), class: 'primary' },
        () => act('export'),
      ),
      compare: button({ icon: 'compare', text: t('Compare...'), label: t('Choose runs to overlay') }, () =>
        act('compare'),
      ),
      runs: button({ icon: 'table', text: t('All Runs'), label: t('The table of all runs') }, () => act('runs')),
    };
    this.#progress.setAttribute('aria-label', t('Progress'));
    this.#progress.append(this.#bar);
    this.root.append(
      element(
        'div',
        { class: 'title-row' },
        element('div', { class: 'title' }, this.#title, this.#state),
        element(
          'div',
          { class: 'controls', role: 'group', 'aria-label': t('Run controls') },
          ...Object.values(this.#buttons),
        ),
      ),
      this.#caution.root,
      this.#finish.root,
      this.#subtitle,
      this.#mapping,
      this.#progress,
      this.#stats,
      this.#message,
    );
  }

  /** @param finish of a finished run; null: not known, or it pruned nothing. */
  show(view: RunView, trusted: boolean, finish: Finish | null): void {
    const { summary } = view;
    const { state } = summary;
    const active = state === 'running' || state === 'queued';
    this.#title.textContent = view.name;
    const look = isDoubtful(summary) ? 'doubtful' : state;
    const asked = view.asked ?? this.#stillPressed(view);
    const name = asked ?? t(STATE_NAMES[look]);
    if (this.#state.textContent !== name) this.#state.textContent = name;
    this.#state.className = `state ${look}${asked === null ? '' : ' asked'}`;
    this.#view = view;
    this.#buttons.export.classList.toggle('primary', look === 'done');
    this.#caution.show(view, trusted);
    this.#finish.show(view, finish, trusted);
    this.#finish.root.classList.toggle('doubtful', look === 'doubtful');
    this.#renderMapping(view.mapping);
    const visible: Record<Control, boolean> = {
      // A queue's run keeps its place while it is paused, so it is stopped instead.
      pause: active && !summary.job,
      resume: state === 'paused' || state === 'interrupted' || state === 'stopped' || state === 'crashed',
      switchEngine: state === 'crashed',
      stop: active || state === 'paused',
      budget: active || state === 'paused',
      export: state === 'done' || state === 'stopped',
      compare: true,
      runs: true,
    };
    for (const [key, control] of Object.entries(this.#buttons)) {
      control.hidden = !visible[key as Control];
      control.disabled = !trusted && key !== 'compare' && key !== 'runs';
    }
    this.#subtitle.textContent = [
      summary.model,
      summary.method.toUpperCase(),
      summary.engine && (view.device ? t('{0} on {1}', summary.engine, view.device) : summary.engine),
      summary.job && jobText(summary.job),
      t('started {0}', new Date(summary.started).toLocaleString()),
    ]
      .filter(Boolean)
      .join(' · ');
    const done = Math.round((state === 'done' ? 1 : summary.progress) * 1000) / 10;
    this.#progress.setAttribute('aria-valuenow', String(Math.round(done)));
    this.#progress.className = `progress ${look}`;
    this.#bar.style.setProperty('width', `${done}%`);
    this.#renderStats(view);
    this.#message.hidden = !summary.message;
    if (summary.message && this.#message.dataset.text !== summary.message) {
      this.#message.dataset.text = summary.message;
      this.#message.replaceChildren(icon('warning'), element('span', { text: summary.message }));
    }
    this.#message.className = `message ${state === 'failed' || state === 'crashed' ? 'error' : 'note'}`;
  }

  /** Shows the request at once; the host reports it too, some milliseconds later. */
  #press(action: ControlAction): void {
    const text = ASKED[action];
    if (text !== undefined && this.#view) {
      const { id, summary } = this.#view;
      this.#pressed = { run: id, text: t(text), state: summary.state, until: performance.now() + HOST_ANSWERS };
      this.#state.textContent = t(text);
      this.#state.classList.add('asked');
    }
    this.control(action);
  }

  /** The pressed request, until the host has reported something about it. */
  #stillPressed({ id, summary }: RunView): string | null {
    const pressed = this.#pressed;
    if (!pressed) return null;
    if (pressed.run === id && pressed.state === summary.state && performance.now() < pressed.until) return pressed.text;
    this.#pressed = null;
    return null;
  }

  /** The choice in a word or two, the figures behind it when opened; an unchanged choice stays open. */
  #renderMapping(mapping: readonly string[]): void {
    this.#mapping.hidden = mapping.length === 0;
    const key = mapping.join('\n');
    if (this.#mapping.dataset.text === key) return;
    this.#mapping.dataset.text = key;
    this.#mapping.open = true;
    this.#mapping.replaceChildren(
      element('summary', { text: t('How the data is read') }),
      ...mapping.map((text) => element('p', { text })),
    );
  }

  #renderStats({ summary, referenceError, directError, errorSet }: RunView): void {
    const reference = referenceError ?? summary.referenceError;
    const active = summary.state === 'running' || summary.state === 'paused';
    const items: [string, string, string | null][] = [
      [
        t('Iteration'),
        summary.iterations ? `${summary.iteration} / ${summary.iterations}` : String(summary.iteration),
        null,
      ],
      [
        summary.unlabelled
          ? t('Unlike the reference')
          : errorSet === null
            ? t('Error, pruned weights')
            : t('Error, pruned weights ({0})', setName(errorSet)),
        percent(summary.error),
        reference === null || summary.unlabelled
          ? null
          : directError === null
            ? t('reference {0}', percent(reference))
            : t('reference {0} · cut once {1}', percent(reference), percent(directError)),
      ],
      [
        t('Kept'),
        summary.kept === null || !summary.prunable ? '–' : percent(summary.kept / summary.prunable),
        summary.kept === null ? null : t('{0} of {1}', count(summary.kept), count(summary.prunable)),
      ],
      active
        ? [
            t('Time left'),
            duration(summary.etaSeconds),
            summary.samplesPerSecond ? t('{0} samples/s', shortCount(Math.round(summary.samplesPerSecond))) : null,
          ]
        : [
            t('Duration'),
            summary.ended === null ? '–' : duration((summary.ended - summary.started) / 1000),
            summary.samplesPerSecond ? t('{0} samples/s', shortCount(Math.round(summary.samplesPerSecond))) : null,
          ],
    ];
    if (summary.kept)
      items.splice(3, 0, [t('Fewer weights'), `${number(rounded(summary.prunable! / summary.kept, 3))}×`, null]);
    this.#stats.replaceChildren(
      ...items.map(([name, value, note]) =>
        element(
          'div',
          {},
          element('dt', { text: name }),
          element('dd', {}, element('span', { class: 'value', text: value }), note && element('small', { text: note })),
        ),
      ),
    );
  }
}
