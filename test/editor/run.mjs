// The editor tests: npm run test:editor [-- --newest] [-- FILTER...]
// Builds, then drives a real VS Code: the floor version of package.json's engines.vscode, or the newest.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installHost } from '../host/install.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const version = process.argv.includes('--newest') ? 'newest' : 'floor';
const rest = process.argv.slice(2).filter((argument) => argument !== '--newest');

const host = installHost(version);
console.log(`VS Code host: code-server ${host.version} (${version}), Chromium ${host.chromium}`);
execFileSync(process.execPath, [join(root, 'esbuild.mjs')], { cwd: root, stdio: 'inherit' });
const results = join(root, 'artifacts/results/editor.json');
const vitest = (filters) =>
  spawnSync(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'vitest.editor.config.ts', ...filters],
    { cwd: root, stdio: 'inherit', env: { ...process.env, CODE_TEST_VERSION: version } },
  ).status ?? 1;

rmSync(results, { force: true });
let status = vitest(rest);
if (status !== 0 && existsSync(results)) {
  // A browser on a busy machine is late at times. A file that fails is run once more, and the log reports it.
  const first = JSON.parse(readFileSync(results, 'utf8'));
  const failed = first.testResults.filter((file) => file.status === 'failed').map((file) => file.name);
  console.log(`Failed, and run once more: ${failed.map((name) => relative(root, name)).join(', ')}`);
  if (failed.length > 0) {
    status = vitest(failed);
    const again = JSON.parse(readFileSync(results, 'utf8'));
    writeFileSync(results, JSON.stringify(merge(first, again)));
  }
}
process.exit(status);

/** The first results with the second ones in place of the files they cover. */
function merge(first, again) {
  const covered = new Set(again.testResults.map((file) => file.name));
  const testResults = [...first.testResults.filter((file) => !covered.has(file.name)), ...again.testResults];
  const count = (...states) =>
    testResults.flatMap((file) => file.assertionResults).filter((test) => states.includes(test.status)).length;
  const failedFirst = new Set(testsOf(first, 'failed'));
  return {
    ...again,
    testResults,
    flaky: testsOf(again, 'passed').filter((name) => failedFirst.has(name)),
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('pending', 'skipped'),
    numTodoTests: count('todo'),
  };
}

function testsOf({ testResults }, state) {
  return testResults
    .flatMap((file) => file.assertionResults)
    .filter(({ status }) => status === state)
    .map(({ fullName }) => fullName);
}
