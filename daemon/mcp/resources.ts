/** Data that clients read without calling a tool: the schema of plans, and results of runs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import schema from '../../schemas/prune.schema.json' with { type: 'json' };
import { UserError } from '../protocol/errors.js';
import { resultOf, statusOf } from './runStatus.js';
import type { Root } from './root.js';

const SCHEMA = 'lc-prune://schema/plan';

export interface ListedResource {
  readonly uri: string;
  readonly name: string;
  readonly title: string;
  readonly description?: string;
  readonly mimeType: string;
}

export const templates = [
  {
    uriTemplate: 'lc-prune://runs/{run}/result',
    name: 'run-result',
    title: 'Result of a run',
    description: 'State, errors, kept weights per layer, budget checks and the resolved plan.',
    mimeType: 'application/json',
  },
  {
    uriTemplate: 'lc-prune://runs/{run}/report',
    name: 'run-report',
    title: 'Report of a finished run',
    mimeType: 'text/markdown',
  },
];

/** Most runs whose results are listed; older ones can still be read. */
const LISTED = 100;

export async function listResources(root: Root): Promise<ListedResource[]> {
  const runs = await root.ask('lc/runs', null);
  const done = runs.filter(({ state }) => state === 'done').slice(0, LISTED);
  return [
    {
      uri: SCHEMA,
      name: 'plan-schema',
      title: 'Schema of plan files (*.prune.json)',
      mimeType: 'application/schema+json',
    },
    ...done.flatMap(({ run }) => [
      {
        uri: `lc-prune://runs/${encodeURIComponent(run)}/result`,
        name: `${run}/result`,
        title: `Result of ${run}`,
        mimeType: 'application/json',
      },
      {
        uri: `lc-prune://runs/${encodeURIComponent(run)}/report`,
        name: `${run}/report`,
        title: `Report of ${run}`,
        mimeType: 'text/markdown',
      },
    ]),
  ];
}

/** @throws UserError if it is not a resource of this server, or does not exist (yet). */
export async function readResource(uri: string, root: Root): Promise<{ mimeType: string; text: string }> {
  if (uri === SCHEMA) return { mimeType: 'application/schema+json', text: JSON.stringify(schema) };
  const match = /^lc-prune:\/\/runs\/([^/?#]{1,1000})\/(result|report)$/.exec(uri);
  const run = match && decoded(match[1]!);
  if (!match || run === null) throw new UserError('usage', `there is no resource "${uri.slice(0, 200)}"`);
  const { folder } = await root.find(run);
  if (match[2] === 'report') {
    const text = await readFile(join(folder, 'result', 'report.md'), 'utf8').catch(() => {
      throw new UserError('run-invalid', `${run} has no report yet: it is written when the run is done`);
    });
    return { mimeType: 'text/markdown', text };
  }
  const [summary, result, plan] = await Promise.all([
    root.summary(run),
    resultOf(folder, root),
    root.context.backend.readRunPlan(folder),
  ]);
  return {
    mimeType: 'application/json',
    text: JSON.stringify({ ...statusOf(summary, root), result, resolvedPlan: plan }),
  };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
