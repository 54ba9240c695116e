// Runs test files, given by name beside this bundle, and prints one line of JSON: { passed, skipped, failures: [name: message] }.
//   node kernels.mjs 'PATTERN OF TEST NAMES' FILE...
import { startTests } from '@vitest/runner';
import { expect } from 'vitest';

const [pattern, ...files] = process.argv.slice(2);
const counts = { passed: 0, skipped: 0, failures: [] };

function count(task, path) {
  const name = `${path} > ${task.name}`;
  if (task.type === 'suite') {
    if (task.result?.state === 'fail' && task.tasks.length === 0)
      counts.failures.push(`${name}: ${task.result.errors?.[0]?.message ?? 'does not load'}`);
    for (const each of task.tasks) count(each, name);
  } else if (task.result?.state === 'pass') counts.passed++;
  else if (task.result?.state === 'fail') counts.failures.push(`${name}: ${task.result.errors?.[0]?.message}`);
  else counts.skipped++;
}

const found = await startTests(
  files.map((file) => new URL(file, import.meta.url).pathname),
  {
    config: {
      root: '/',
      setupFiles: [],
      passWithNoTests: false,
      testNamePattern: new RegExp(pattern),
      allowOnly: false,
      sequence: { hooks: 'stack', setupFiles: 'list', seed: 1 },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: 1_800_000,
      hookTimeout: 1_800_000,
      retry: 0,
      tags: [],
      strictTags: false,
      includeTaskLocation: false,
    },
    importFile: (path) => import(new URL(path.split(/[\\/]/).at(-1), import.meta.url).href),
    onBeforeTryTask: () => expect.setState?.({ assertionCalls: 0 }),
    onAfterRunTask: (test) =>
      console.error(`${test.result?.state} ${test.name} ${Math.round(test.result?.duration ?? 0)} ms`),
  },
);
for (const file of found) {
  if (file.result?.errors?.length && file.tasks.length === 0)
    counts.failures.push(`${file.name}: ${file.result.errors[0].message}`);
  for (const task of file.tasks) count(task, file.name);
}
console.log(JSON.stringify(counts));
