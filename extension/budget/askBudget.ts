import * as vscode from 'vscode';
import type { BudgetPreview } from '../../daemon/protocol/messages.js';
import type { Budget } from '../../daemon/protocol/plan.js';
import { examples, offerOf, parseGoal, SUGGESTED, type Goal, type GoalInput, type GoalProblem, type GoalReading } from '../../daemon/protocol/goalText.js'; // prettier-ignore
import { Outlooks, type AskOutlook } from './outlooks.js';
import { LIMITS } from '../limits.js';

/** What a budget means for the model at hand. */
export type Preview = (budget: Budget) => Promise<BudgetPreview>;

export interface BudgetBox {
  readonly title: string;
  readonly preview: Preview;
  /** What the box begins with. */
  readonly current?: string;
  /** What runs would cost and where they begin; asked when typing pauses for longer. Absent: not known before the run. */
  readonly outlook?: AskOutlook | undefined;
}

interface BudgetItem extends vscode.QuickPickItem {
  reading?: GoalReading;
}

function label(reading: GoalReading): string {
  const offer = offerOf(reading);
  if (offer) return vscode.l10n.t(...offer);
  const { kind, value } = reading;
  if (kind === 'error') return vscode.l10n.t('Find the smallest network with at most {0} error', value);
  return value === '0%'
    ? vscode.l10n.t('Find the smallest network that loses nothing')
    : vscode.l10n.t('Find the smallest network that loses at most {0}', value);
}

/** Why the text cannot be taken. "goal": the box takes budgets only. */
type Problem = GoalProblem | 'goal';

function problemText(problem: Problem, goals: boolean): string {
  switch (problem) {
    case 'range':
      return vscode.l10n.t('Out of range: a share is at most 100%, and N:M needs N < M');
    case 'time':
      return vscode.l10n.t('A time depends on the machine. Try 50% flops, 2x faster or 100 neurons; Export shows measured times'); // prettier-ignore
    case 'goal':
      return vscode.l10n.t('This run takes a budget. A goal needs a run of its own: give it to the plan');
    case 'empty':
    case 'unreadable':
      return vscode.l10n.t('Not a budget. Try {0}', examples(goals).join(', '));
  }
}

const SUGGESTIONS: GoalReading[] = SUGGESTED.flatMap((text) => {
  const parsed = parseGoal(text);
  return 'readings' in parsed ? parsed.readings.slice(0, 1) : [];
});

const isBudget = (reading: GoalReading): boolean => 'budget' in reading;

/** What the text in a box means: the one authority on what may be taken. Nothing typed means any of the suggestions. */
const readingOf =
  (goals: boolean) =>
  (text: string): GoalInput | { problem: Problem } => {
    const input = text.trim() === '' ? { readings: SUGGESTIONS } : parseGoal(text);
    if (goals || 'problem' in input) return input;
    const readings = input.readings.filter(isBudget);
    return readings.length > 0 ? { readings } : { problem: 'goal' };
  };

const sameReading = (a: GoalReading | undefined, b: GoalReading): boolean => a?.kind === b.kind && a.value === b.value;

/** What the daemon says of each reading; asked once for each. `problem`: why it cannot be taken. */
class Previews {
  readonly #asked = new Map<string, Promise<{ text: string; problem: string | null }>>();

  constructor(private readonly preview: Preview) {}

  of(reading: GoalReading): Promise<{ text: string; problem: string | null }> {
    if (!('budget' in reading)) return Promise.resolve({ text: searchText(), problem: null });
    const key = `${reading.kind} ${reading.value}`;
    const known = this.#asked.get(key);
    if (known) return known;
    const answer = this.preview(reading.budget).then(
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

const searchText = () => vscode.l10n.t('Tries smaller and smaller networks; any of them can be exported');

/** What is known of the run. It stands beside the label: behind the preview in the line below, the box's width would cut it off. */
const descriptionOf = (known: readonly (string | null)[]): string =>
  known.filter((part) => part !== null && part !== '').join(' · ');

/** Asks for a budget, where nothing else will do. @returns undefined where the user gave up. */
export async function askBudget(box: BudgetBox): Promise<Budget | undefined> {
  const goal = await ask(box, false);
  return goal && 'budget' in goal ? goal.budget : undefined;
}

/** Asks for a budget, or a goal on the error. @returns undefined where the user gave up. */
export const askGoal = (box: BudgetBox): Promise<Goal | undefined> => ask(box, true);

/**
 * Asks for a budget in a quick pick whose entries say, as the user types, what each reading would keep. What is taken is always
 * read from the text as it is when it is accepted: of several readings the chosen entry's, where that is one of them, else the
 * likeliest. An impossible budget says why and cannot be chosen, however fast Enter follows the last key.
 * @returns undefined where the user gave up.
 */
function ask({ title, preview, current = '', outlook }: BudgetBox, goals: boolean): Promise<Goal | undefined> {
  const read = readingOf(goals);
  const pick = vscode.window.createQuickPick<BudgetItem>();
  pick.title = title;
  pick.placeholder = examples(goals).join(', ');
  pick.value = current;
  pick.ignoreFocusOut = false;
  // The likeliest reading stays first. Not in the stable API yet, but honoured; without it the list sorts by label.
  (pick as { sortByLabel?: boolean }).sortByLabel = false;
  const previews = new Previews(preview);
  const outlooks = outlook ? new Outlooks(outlook) : null;
  /** Changes with the text, and when the box closes: what was begun before is out of date. */
  let turn = 0;
  let later: NodeJS.Timeout | undefined;

  // Entries are made for what is typed: all of them match. The one that the user has moved to stays under the cursor.
  const show = (items: BudgetItem[]) => {
    const [active] = pick.activeItems;
    pick.items = items.map((item) => ({ ...item, alwaysShow: true }));
    const same = active?.reading && pick.items.find(({ reading }) => reading && sameReading(active.reading, reading));
    if (same && same !== pick.items[0]) pick.activeItems = [same];
  };

  /** Entries of the text as it is, at once; what they mean is still to come. */
  function showReadings(): readonly GoalReading[] {
    const parsed = read(pick.value);
    if ('problem' in parsed) {
      show([{ label: `$(error) ${problemText(parsed.problem, goals)}` }]);
      return [];
    }
    show(parsed.readings.map((reading) => ({ label: label(reading), detail: '…', reading })));
    return parsed.readings;
  }

  async function showPreviews(readings: readonly GoalReading[]): Promise<void> {
    const mine = turn;
    if (readings.length === 0) return;
    pick.busy = true;
    const found = await Promise.all(readings.map((reading) => previews.of(reading)));
    if (mine !== turn) return;
    pick.busy = false;
    const possible = readings.filter((_, i) => found[i]!.problem === null);
    const showKnown = (more: (reading: GoalReading) => readonly (string | null)[]) => {
      const items = readings.map((reading, i): BudgetItem => {
        const { text, problem } = found[i]!;
        return problem === null
          ? { label: label(reading), description: descriptionOf(more(reading)), detail: text, reading }
          : { label: `$(error) ${label(reading)}`, detail: problem };
      });
      // What the daemon refuses goes last, unless it is all there is.
      show([...items.filter((item) => item.reading), ...items.filter((item) => !item.reading)]);
    };
    if (!outlooks || possible.length === 0) return showKnown(() => []);
    showKnown((reading) => outlooks.known(reading) ?? []);
    if (possible.every((reading) => outlooks.known(reading))) return;
    later = setTimeout(() => {
      void outlooks.ask(possible).then(() => {
        if (mine === turn) showKnown((reading) => outlooks.known(reading) ?? []);
      });
    }, LIMITS.longTypingPause);
  }

  /** @returns the reading that Enter means now; null where it means none. */
  function accepted(): GoalReading | null {
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
    const forget = () => {
      clearTimeout(timer);
      clearTimeout(later);
      outlooks?.cancel();
    };
    pick.onDidChangeValue(() => {
      forget();
      turn++;
      pick.busy = false;
      const readings = showReadings();
      timer = setTimeout(() => void showPreviews(readings), LIMITS.typingPause);
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
        resolve('budget' in reading ? { budget: reading.budget } : { bound: reading.bound });
        pick.hide();
      } else {
        clearTimeout(timer);
        const parsed = read(pick.value);
        void showPreviews('readings' in parsed ? parsed.readings : []);
      }
    });
    pick.onDidHide(() => {
      forget();
      turn++;
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
    void showPreviews(showReadings());
  });
}
