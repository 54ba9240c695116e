/** The budget's quick pick: what is typed is what is taken, however fast Enter follows. */
import { beforeEach, expect, test } from 'vitest';
import type { BudgetPreview } from '../../../daemon/protocol/messages.js';
import type { Budget } from '../../../daemon/protocol/plan.js';
import { askBudget, askGoal } from '../../../extension/budget/askBudget.js';
import type { Goal } from '../../../daemon/protocol/goalText.js';
import type { AskOutlook } from '../../../extension/budget/outlooks.js';
import { EventEmitter, window } from './vscode.js';

type Item = { label: string; description?: string; detail?: string };

/** The editor's quick pick, with a user. As in the editor, the chosen entry is one of the list that was there before. */
class Pick {
  title = '';
  value = '';
  busy = false;
  items: Item[] = [];
  selectedItems: Item[] = [];
  activeItems: Item[] = [];
  readonly #changed = new EventEmitter<string>();
  readonly #accepted = new EventEmitter<void>();
  readonly #hidden = new EventEmitter<void>();
  onDidChangeValue = this.#changed.event;
  onDidAccept = this.#accepted.event;
  onDidHide = this.#hidden.event;
  show() {}
  dispose() {}
  hide() {
    this.#hidden.fire();
  }
  type(text: string) {
    this.value = text;
    this.#changed.fire(text);
  }
  /** Enter on `item`: by default the entry on top of the list as it is now. */
  enter(item: Item | undefined = this.items[0]) {
    this.selectedItems = item ? [item] : [];
    this.#accepted.fire();
  }
}

let pick: Pick;
beforeEach(() => {
  pick = new Pick();
  Object.assign(window, { createQuickPick: () => pick });
});

const wait = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));
/** Longer than the pause in typing after which the daemon is asked. */
const PAUSED = 130;

/** A daemon of 266,200 weights that takes its time. */
function ask({ slow = 0, current = '', goals = false } = {}) {
  const asked: Budget[] = [];
  const preview = async (budget: Budget): Promise<BudgetPreview> => {
    asked.push(budget);
    await wait(slow);
    const impossible = (budget.weights ?? 0) > 266_200;
    return { kappa: 1, prunable: 266_200, bytes: 1, flopsShare: 1, text: JSON.stringify(budget), problem: impossible ? 'too many' : null }; // prettier-ignore
  };
  let answer: Goal | { budget: undefined } | null = null;
  void (goals
    ? askGoal({ title: 'title', preview, current }).then((goal) => (answer = goal ?? { budget: undefined }))
    : askBudget({ title: 'title', preview, current }).then((budget) => (answer = { budget } as Goal)));
  return { asked, answer: () => answer };
}

test('Enter within the pause after the last key takes what is typed, not the entry of before', async () => {
  const { answer } = ask();
  await wait(PAUSED);
  const [first] = pick.items;
  expect(first!.label).toBe('Keep 1% of the weights');
  pick.type('50');
  pick.enter(first);
  await wait(10);
  expect(answer()).toEqual({ budget: { keep: '50%' } });
});

test('a budget that no other kind is like can be typed: 32 inputs a neuron', async () => {
  const { answer } = ask();
  await wait(PAUSED);
  pick.type('32 inputs a neuron');
  await wait(PAUSED);
  expect(pick.items.map(({ label }) => label)).toEqual(['Keep at most 32 inputs of each neuron and filter']);
  pick.enter();
  await wait(10);
  expect(answer()).toEqual({ budget: { fanIn: 32 } });
});

test('Enter while the previews are computed takes what is typed', async () => {
  const { answer } = ask({ slow: 200 });
  await wait(300);
  // As many readings as there are suggestions: the list of before must not stay.
  const [, , suggestion] = pick.items;
  expect(pick.items).toHaveLength(5);
  pick.type('50');
  expect(pick.items.map(({ label }) => label)[0]).toBe('Keep 50% of the weights');
  expect(pick.items.every(({ detail }) => detail === '…')).toBe(true);
  await wait(PAUSED);
  expect(pick.busy).toBe(true);
  pick.enter(suggestion);
  await wait(300);
  expect(answer()).toEqual({ budget: { keep: '50%' } });
});

test('the selected entry is taken if the text can mean it', async () => {
  const { answer } = ask();
  pick.type('50');
  await wait(PAUSED);
  pick.enter(pick.items.find(({ label }) => label === 'Keep 50 neurons and filters'));
  await wait(10);
  expect(answer()).toEqual({ budget: { neurons: 50 } });
});

test('an impossible budget is refused before its preview arrives, with the reason', async () => {
  const { answer } = ask({ slow: 50 });
  pick.type('999999 weights');
  pick.enter();
  await wait(150);
  expect(answer()).toBeNull();
  expect(pick.items).toEqual([expect.objectContaining({ detail: 'too many' })]);
  expect(pick.busy).toBe(false);
  pick.enter();
  await wait(100);
  expect(answer()).toBeNull();
});

test('typing on while Enter waits for the preview takes nothing', async () => {
  const { answer } = ask({ slow: 50 });
  pick.type('5%');
  pick.enter();
  pick.type('50%');
  await wait(120);
  expect(answer()).toBeNull();
  pick.enter();
  await wait(100);
  expect(answer()).toEqual({ budget: { keep: '50%' } });
});

test('text that is not a budget, and an empty box, do not keep the earlier budget', async () => {
  const { answer } = ask();
  pick.type('50');
  await wait(PAUSED);
  const [fifty] = pick.items;
  pick.type('50 bananas');
  expect(pick.items[0]!.label).toMatch(/Not a budget/);
  pick.enter(fifty);
  pick.type('');
  pick.enter(fifty);
  await wait(30);
  expect(answer()).toBeNull();
  // A suggestion that is really chosen is.
  pick.enter(pick.items.find(({ label }) => label === 'Keep 5% of the weights'));
  await wait(10);
  expect(answer()).toEqual({ budget: { keep: '5%' } });
});

test('a given budget can be accepted unchanged; giving up accepts none; each reading is requested once', async () => {
  const { answer, asked } = ask({ current: '2662 weights' });
  pick.enter();
  await wait(10);
  expect(answer()).toEqual({ budget: { weights: 2662 } });
  expect(asked).toEqual([{ weights: 2662 }]);
  pick = new Pick();
  const second = ask();
  pick.hide();
  await wait(10);
  expect(second.answer()).toEqual({ budget: undefined });
});

test('a goal on the error is taken as one, and asks the daemon nothing', async () => {
  const { answer, asked } = ask({ goals: true });
  expect(pick.items.map(({ label }) => label).at(-1)).toBe('Find the smallest network that loses at most 0.5%');
  await wait(PAUSED);
  asked.length = 0;
  pick.type('97% accuracy');
  expect(pick.items.map(({ label }) => label)).toEqual(['Find the smallest network with at most 3% error']);
  pick.enter();
  await wait(PAUSED);
  expect(answer()).toEqual({ bound: { maxError: '3%' } });
  expect(asked).toEqual([]);
});

test('if only a budget is accepted, a goal is refused with the reason; a time is never a budget', async () => {
  const { answer } = ask();
  expect(pick.items).toHaveLength(5);
  pick.type('lose at most 0.5%');
  expect(pick.items[0]!.label).toMatch(/needs a run of its own/);
  pick.enter();
  pick.type('2 ms');
  expect(pick.items[0]!.label).toMatch(/depends on the machine/);
  pick.enter();
  await wait(30);
  expect(answer()).toBeNull();
});

test('the outlook is requested after a pause in typing, once per reading, and cancelled when the text changes', async () => {
  const asked: { goals: unknown[]; cancelled: boolean }[] = [];
  const outlook: AskOutlook = (goals, token) => {
    const entry = { goals: [...goals], cancelled: false };
    asked.push(entry);
    return new Promise((resolve, reject) => {
      token.onCancellationRequested(() => {
        entry.cancelled = true;
        reject(new Error('cancelled'));
      });
      setTimeout(() => resolve({ device: 'CPU, 2 threads', set: 'train', samples: 400, reference: 0.02, goals: goals.map((goal) => ({ cut: 'budget' in goal ? 0.74 : null, seconds: 240 })), note: null }), 150); // prettier-ignore
    });
  };
  const preview = async (): Promise<BudgetPreview> => ({ kappa: 1, prunable: 9, bytes: 1, flopsShare: 1, text: 'preview', problem: null }); // prettier-ignore
  void askGoal({ title: 'title', preview, outlook });
  pick.type('50');
  await wait(600);
  // One question covers all readings; the earlier text, which showed the suggestions, was never asked about.
  expect(asked.map(({ goals }) => goals)).toEqual([[{ budget: { keep: '50%' } }, { budget: { flops: '50%' } }, { budget: { neurons: '50%' } }, { budget: { weights: 50 } }, { budget: { neurons: 50 } }]]); // prettier-ignore
  // Beside the label: behind the preview, in the line below, the box would cut it off.
  const line =
    'about 4 min on this CPU · cut once, without training: 74% error (400 training samples; the whole network 2%)';
  expect(pick.items.map(({ detail, description }) => [detail, description])).toEqual(Array.from({ length: 5 }, () => ['preview', line])); // prettier-ignore
  pick.type('lose nothing');
  await wait(400);
  // Typing on cancels the question, and the answer for "50" is kept.
  pick.type('50');
  expect(asked[1]).toEqual({ goals: [{ bound: { maxErrorIncrease: '0%' } }], cancelled: true });
  await wait(PAUSED);
  expect(pick.items[0]!.description).toBe(line);
  await wait(400);
  expect(asked).toHaveLength(2);
  pick.type('lose nothing');
  await wait(600);
  expect(pick.items[0]!.description).toBe('about 4 min on this CPU at most');
});

test('a budget is taken without waiting for what the run costs, and its child is ended', async () => {
  let cancelled = false;
  const outlook: AskOutlook = (_goals, token) =>
    new Promise((_, reject) =>
      token.onCancellationRequested(() => ((cancelled = true), reject(new Error('cancelled')))),
    );
  const preview = async (): Promise<BudgetPreview> => ({ kappa: 1, prunable: 9, bytes: 1, flopsShare: 1, text: 'preview', problem: null }); // prettier-ignore
  const answer = askGoal({ title: 'title', preview, outlook, current: '5%' });
  await wait(400);
  pick.enter();
  expect(await answer).toEqual({ budget: { keep: '5%' } });
  expect(cancelled).toBe(true);
});
