/** An outlook in words. Without the schemas, which the editor's start does not load. */
import { errorWords } from './runs/errorWords.js';
import { shortPercent } from './format.js';
import type { Outlook } from './outlook.js';

/** "about 4 min", to the precision of a guess. */
export function aboutTime(seconds: number): string {
  const least = Math.max(1, seconds);
  if (least < 90) return `about ${least < 10 ? Math.round(least) : 10 * Math.round(least / 10)} s`;
  if (least < 90 * 60) return `about ${Math.round(least / 60)} min`;
  const hours = least / 3600;
  return `about ${hours < 10 ? Math.round(2 * hours) / 2 : Math.round(hours)} h`;
}

const place = (device: string): string => (/^CPU\b/.test(device) ? 'this CPU' : device);

const PARTS = { train: 'training', validation: 'validation' } as const;

/** "cut once, without training: 74% error (400 training samples; whole network 2%)", "about 4 min on this CPU": the parts that are known. */
export function outlookParts(
  { device, set, samples, reference, unlabelled, goals }: Outlook,
  index: number,
): { readonly cut: string | null; readonly cost: string | null } {
  const { cut, seconds } = goals[index]!;
  const whole = reference === null || unlabelled ? '' : `; the whole network ${shortPercent(reference)}`;
  return {
    cut:
      cut === null
        ? null
        : `cut once, without training: ${errorWords(cut, unlabelled)} (${samples} ${PARTS[set]} samples${whole})`,
    cost: seconds === null ? null : `${aboutTime(seconds)}${device === null ? '' : ` on ${place(device)}`}`,
  };
}
