import { button, element } from './element.js';
import { t } from './strings.js';

/** The state of a page of a long computation: it is running, it failed and can be repeated, or its result is shown. */
export class JobState {
  readonly title = element('h1');
  readonly subtitle = element('p', { class: 'subtitle', role: 'status' });
  #bar = element('div', { class: 'bar-fill' });
  #progress = element('div', { class: 'progress', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' });
  #working = element('div', { class: 'working', hidden: true });
  #problem = element('p', { class: 'problem', role: 'alert', hidden: true });
  #retry: HTMLButtonElement;
  #again: HTMLElement;

  /** @param beside buttons beside *Try Again*. Labels say what the buttons do, for screen readers. */
  constructor(
    root: HTMLElement,
    private readonly content: HTMLElement,
    post: (message: { type: 'compute' | 'cancel' }) => void,
    { cancel, again, beside = [] }: { cancel: string; again: string; beside?: readonly HTMLElement[] },
  ) {
    this.#progress.setAttribute('aria-label', t('Progress'));
    this.#progress.append(this.#bar);
    this.#working.append(
      this.#progress,
      button({ text: t('Cancel'), label: cancel, id: 'cancel' }, () => post({ type: 'cancel' })),
    );
    this.#retry = button({ text: t('Try Again'), label: again, id: 'again' }, () => post({ type: 'compute' }));
    this.#again = element('div', { class: 'controls', hidden: true }, this.#retry, ...beside);
    content.hidden = true;
    const header = element('header', { class: 'page-header' }, this.title, this.subtitle);
    root.append(header, this.#working, this.#problem, this.#again, content);
  }

  begin(title: string, subtitle: string): void {
    this.title.textContent = title;
    this.subtitle.textContent = subtitle;
    this.progress(0, 1);
    this.#show('working');
  }

  progress(done: number, total: number): void {
    const share = total > 0 ? Math.round((100 * done) / total) : 0;
    this.#progress.setAttribute('aria-valuenow', String(share));
    this.#bar.style.setProperty('width', `${share}%`);
  }

  fail(message: string): void {
    this.#show('problem');
    this.subtitle.textContent = '';
    this.#problem.textContent = message;
    this.#retry.focus();
  }

  finish(): void {
    this.#show('content');
  }

  #show(state: 'working' | 'problem' | 'content'): void {
    this.#working.hidden = state !== 'working';
    this.#problem.hidden = state !== 'problem';
    this.#again.hidden = state !== 'problem';
    this.content.hidden = state !== 'content';
  }
}
