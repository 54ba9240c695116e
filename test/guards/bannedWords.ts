/** Words and turns of phrase that take decoding, with what to write instead: the list of CONTRIBUTING.md, "How we write". */
export const BANNED: readonly { readonly phrase: RegExp; readonly instead: string }[] = [
  { phrase: /\b(?:told|tells?(?! apart))\b/i, instead: 'report, return, show, distinguish; "is called with"' },
  { phrase: /\b(?:is|are|be|was|were|been) said\b/i, instead: 'report, define, contain' },
  { phrase: /\bsays? otherwise\b|\botherwise than\b/i, instead: 'differ from; change' },
  { phrase: /\bheed(?:s|ed|ing)?\b/i, instead: 'apply, ignore, use' },
  { phrase: /\bears\b|\bgift\b/i, instead: 'callbacks; can be removed' },
  { phrase: /\bnone of (?:an?|the) \w+['’]s\b/i, instead: 'out of range; outside' },
  { phrase: /\b(?:gets?|takes?) (?:its|their|a) turn\b|\bthem their turn\b/i, instead: 'run, alternate' },
  { phrase: /\bone['’]s own\b/i, instead: "the user's own" },
  { phrase: /\blive (?:runs?|events?|messages?|charts?|curves?|metrics|batch(?:es)?|stream)\b|\bcomes? live\b/i, instead: 'running run, event stream; live is a channel that an output needs' },
  { phrase: /\bthinn?(?:s|ed|ing)? out\b|\bthins the\b/i, instead: 'downsample; thin is the export without dead units' },
  { phrase: /\bthread team\b|\bteam of threads\b|\bthe team\b/i, instead: 'thread pool' },
]; // prettier-ignore
