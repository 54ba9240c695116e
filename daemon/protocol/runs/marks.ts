/** What people note of a run: a star, tags and a note. `marks.json` in the run's folder, and part of its summary. */
import { z } from 'zod';

/** One tag: a word or a few, without the comma that separates tags where they are typed. */
const Tag = z
  .string()
  .regex(/^[^\p{Cc},]{1,50}$/u, 'up to 50 characters without comma')
  .refine((tag) => tag.trim() === tag, 'no space around it');

export const RunMarks = z.strictObject({
  star: z.boolean(),
  tags: z
    .array(Tag)
    .max(30)
    .refine((tags) => new Set(tags).size === tags.length, 'each tag once'),
  note: z.string().max(10_000),
});
export type RunMarks = z.infer<typeof RunMarks>;

/** A change: what is not named stays. */
export const MarksChange = RunMarks.partial();
export type MarksChange = z.infer<typeof MarksChange>;
