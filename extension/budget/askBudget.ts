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
  /** The box's initial text. */
  readonly current?: string;
  /** Asks what runs would cost and where they begin, once typing pauses for longer. Absent: not known before the run. */
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

/** Why the text is rejected. "goal": the box takes budgets only. */
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

/** Parses the text in a box: the only place that decides what is accepted. An empty text stands for all suggestions. */
const readingOf =
  (goals: boolean) =>
  (text: string): GoalInput | { problem: Problem } => {
    const input = text.trim() === '' ? { readings: SUGGESTIONS } : parseGoal(text);
    if (goals || 'problem' in input) return input;
    const readings = input.readings.filter(isBudget);
    return readings.length > 0 ? { readings } : { problem: 'goal' };
  };

const sameReading = (a: GoalReading | undefined, b: GoalReading): boolean => a?.kind === b.kind && a.value === b.value;

/** The daemon's answer for each reading of the text, asked once. `problem`: why the reading is rejected. */
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

/** What is known of the run. It stands beside the label: in the line below, behind the preview, the width of the box would cut it off. */
const descriptionOf = (known: readonly (string | null)[]): string =>
  known.filter((part) => part !== null && part !== '').join(' · ');

/** Asks for a budget; goals are rejected. @returns undefined if the user cancelled. */
export async function askBudget(box: BudgetBox): Promise<Budget | undefined> {
  const goal = await ask(box, false);
  return goal && 'budget' in goal ? goal.budget : undefined;
}

/** Asks for a budget, or a goal on the error. @returns undefined if the user cancelled. */
export const askGoal = (box: BudgetBox): Promise<Goal | undefined> => ask(box, true);

/**
 * Asks for a budget in a quick pick. Its entries show, as the user types, what each reading of the text would keep. Enter always reads the text as it
 * is at that moment: the chosen entry if it is one of the readings, else the likeliest reading. An impossible budget says why and cannot be accepted,
 * however fast Enter follows the last key.
 * @returns undefined if the user cancelled.
 */
function ask({ title, preview, current = '', outlook }: BudgetBox, goals: boolean): Promise<Goal | undefined> {
  const read = readingOf(goals);
  const pick = vscode.window.createQuickPick<BudgetItem>();
  pick.title = title;
  pick.placeholder = examples(goals).join(', ');
  pick.value = current;
  pick.ignoreFocusOut = false;
  // Keeps the likeliest reading first. `sortByLabel` is not in the stable API yet, but it is honoured; without it the list sorts by label.
  (pick as { sortByLabel?: boolean }).sortByLabel = false;
  const previews = new Previews(preview);
  const outlooks = outlook ? new Outlooks(outlook) : null;
  /** Incremented when the text changes and when the box closes: answers to earlier questions are then out of date. */
  let turn = 0;
  let later: NodeJS.Timeout | undefined;

  // All entries match, because they are made from the typed text. The entry that the user moved to stays under the cursor.
  const show = (items: BudgetItem[]) => {
    const [active] = pick.activeItems;
    pick.items = items.map((item) => ({ ...item, alwaysShow: true }));
    const same = active?.reading && pick.items.find(({ reading }) => reading && sameReading(active.reading, reading));
    if (same && same !== pick.items[0]) pick.activeItems = [same];
  };

  /** The entries of the current text, at once; their meaning is filled in later. */
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
      // Rejected readings go last, unless there are no others.
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

  /** @returns the reading that Enter accepts now; null if there is none. */
  function accepted(): GoalReading | null {
    const parsed = read(pick.value);
    if ('problem' in parsed) return null;
    const [chosen] = pick.selectedItems;
    const meant = parsed.readings.find((reading) => sameReading(chosen?.reading, reading));
    if (meant) return meant;
    // The entry is of an earlier text, or there is none yet. An empty text means no reading.
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
      // The text changed, or the box closed, meanwhile.
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
