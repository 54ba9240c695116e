import * as vscode from 'vscode';
import type { BudgetPreview } from '../../daemon/protocol/messages.js';
import type { Budget } from '../../daemon/protocol/plan.js';
import { parseBudget, SUGGESTED, type BudgetInput, type BudgetReading } from './parseBudget.js';
import { count } from '../../daemon/protocol/format.js';

/** What a budget means for the model at hand. */
export type Preview = (budget: Budget) => Promise<BudgetPreview>;

interface BudgetItem extends vscode.QuickPickItem {
  reading?: BudgetReading;
}

/** Typing pauses this long before the daemon is asked. */
const PAUSE = 80;

function label({ kind, value }: BudgetReading): string {
  switch (kind) {
    case 'keep':
      return vscode.l10n.t('Keep {0} of the weights', value);
    case 'weights':
      return vscode.l10n.t('Keep {0} weights', count(Number(value)));
    case 'bytes':
      return vscode.l10n.t('Fit into {0} on disk', value);
    case 'flops':
      return vscode.l10n.t('Keep {0} of the FLOPs', value);
    case 'neurons':
      return vscode.l10n.t('Keep {0} neurons and filters', value);
    case 'pattern':
      return vscode.l10n.t('Keep {0} (N of every M consecutive weights)', value);
  }
}

function problemText(problem: 'empty' | 'unreadable' | 'range'): string {
  return problem === 'range'
    ? vscode.l10n.t('Out of range: a share is at most 100%, and N:M needs N < M')
    : vscode.l10n.t('Not a budget. Try 1%, 2662 weights, 40 kB, 50% flops, 100 neurons or 2:4');
}

const SUGGESTIONS: BudgetReading[] = SUGGESTED.flatMap((text) => {
  const parsed = parseBudget(text);
  return 'readings' in parsed ? parsed.readings.slice(0, 1) : [];
});

/** What the text in the box means: the one authority on what may be taken. Nothing typed means any of the suggestions. */
const read = (text: string): BudgetInput => (text.trim() === '' ? { readings: SUGGESTIONS } : parseBudget(text));

const sameReading = (a: BudgetReading | undefined, b: BudgetReading): boolean =>
  a?.kind === b.kind && a.value === b.value;

/** What the daemon says of each reading; asked once for each. `problem`: why it cannot be taken. */
class Previews {
  readonly #asked = new Map<string, Promise<{ text: string; problem: string | null }>>();

  constructor(private readonly preview: Preview) {}

  of({ kind, value, budget }: BudgetReading): Promise<{ text: string; problem: string | null }> {
    const key = `${kind} ${value}`;
    const known = this.#asked.get(key);
    if (known) return known;
    const answer = this.preview(budget).then(
      ({ text, problem }) => ({ text, problem }),
      (error: Error) => {
        // The daemon may be there again next time.
        this.#asked.delete(key);
        return { text: '', problem: error.message };
      },
    );
    this.#asked.set(key, answer);
    return answer;
  }
}

/**
 * Asks for a budget in a quick pick whose entries say, as the user types, what each reading would keep. What is taken is always
 * read from the text as it is when it is accepted: of several readings the chosen entry's, where that is one of them, else the
 * likeliest. An impossible budget says why and cannot be chosen, however fast Enter follows the last key.
 * @returns undefined where the user gave up.
 */
export function askBudget(title: string, preview: Preview, current = ''): Promise<Budget | undefined> {
  const pick = vscode.window.createQuickPick<BudgetItem>();
  pick.title = title;
  pick.placeholder = vscode.l10n.t('1%, 2662 weights, 40 kB, 50% flops, 100 neurons, 2:4');
  pick.value = current;
  pick.ignoreFocusOut = false;
  // The likeliest reading stays first. Not in the stable API yet, but honoured; without it the list sorts by label.
  (pick as { sortByLabel?: boolean }).sortByLabel = false;
  const previews = new Previews(preview);
  /** Changes with the text, and when the box closes: what was begun before is out of date. */
  let turn = 0;

  // Entries are made for what is typed: all of them match.
  const show = (items: BudgetItem[]) => (pick.items = items.map((item) => ({ ...item, alwaysShow: true })));

  /** Entries of the text as it is, at once; what they mean is still to come. */
  function showReadings(): readonly BudgetReading[] {
    const parsed = read(pick.value);
    if ('problem' in parsed) {
      show([{ label: `$(error) ${problemText(parsed.problem)}` }]);
      return [];
    }
    show(parsed.readings.map((reading) => ({ label: label(reading), detail: '…', reading })));
    return parsed.readings;
  }

  async function showPreviews(readings: readonly BudgetReading[]): Promise<void> {
    const mine = turn;
    if (readings.length === 0) return;
    pick.busy = true;
    const found = await Promise.all(readings.map((reading) => previews.of(reading)));
    if (mine !== turn) return;
    pick.busy = false;
    const items = readings.map((reading, i): BudgetItem => {
      const { text, problem } = found[i]!;
      return problem === null
        ? { label: label(reading), detail: text, reading }
        : { label: `$(error) ${label(reading)}`, detail: problem };
    });
    // What the daemon refuses goes last, unless it is all there is.
    show([...items.filter((item) => item.reading), ...items.filter((item) => !item.reading)]);
  }

  /** @returns the reading that Enter means now; null where it means none. */
  function accepted(): BudgetReading | null {
    const parsed = read(pick.value);
    if ('problem' in parsed) return null;
    const [chosen] = pick.selectedItems;
    const meant = parsed.readings.find((reading) => sameReading(chosen?.reading, reading));
    if (meant) return meant;
    // An entry of the text as it was before, or none yet. Where nothing is typed, nothing is meant.
    const known = pick.items.some((item) => item === chosen);
    return pick.value.trim() === '' || (known && chosen && !chosen.reading) ? null : parsed.readings[0]!;
  }

  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    pick.onDidChangeValue(() => {
      clearTimeout(timer);
      turn++;
      pick.busy = false;
      const readings = showReadings();
      timer = setTimeout(() => void showPreviews(readings), PAUSE);
    });
    pick.onDidAccept(async () => {
      const reading = accepted();
      if (!reading) return;
      const mine = turn;
      pick.busy = true;
      const { problem } = await previews.of(reading);
      // Typed on, or gone, meanwhile.
      if (mine !== turn) return;
      pick.busy = false;
      if (problem === null) {
        resolve(reading.budget);
        pick.hide();
      } else {
        clearTimeout(timer);
        const parsed = read(pick.value);
        void showPreviews('readings' in parsed ? parsed.readings : []);
      }
    });
    pick.onDidHide(() => {
      clearTimeout(timer);
      turn++;
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
    void showPreviews(showReadings());
  });
}
