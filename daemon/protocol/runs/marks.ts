/** A user's marks of a run: a star, tags and a note. `marks.json` in the run's folder, and part of its summary. */
import * as z from 'zod';

/** One tag: one or a few words, without the comma that separates typed tags. */
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

/** A change: marks that are not named stay. */
export const MarksChange = RunMarks.partial();
export type MarksChange = z.infer<typeof MarksChange>;
