// Adds up the JSON results of every suite in a folder and prints "N passed, N failed, N skipped" after the names of what failed.
// A step that failed without a failed test (a compiler or linter error, a crash) counts as one failure.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, ...failedSteps] = process.argv.slice(2);
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of files) {
  const result = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  total.passed += result.numPassedTests ?? 0;
  total.failed += result.numFailedTests ?? 0;
  total.skipped += (result.numPendingTests ?? 0) + (result.numTodoTests ?? 0);
  // Passed at the second try only: counted as passed, and always printed.
  for (const test of result.flaky ?? []) console.log(`flaky: ${test}`);
  for (const file of result.testResults ?? []) {
    const failed = (file.assertionResults ?? []).filter(({ status }) => status === 'failed');
    for (const { fullName, failureMessages } of failed)
      console.log(`failed: ${file.name} ${fullName}\n  ${(failureMessages?.[0] ?? '').split('\n')[0]}`);
    if (file.status === 'failed' && failed.length === 0) console.log(`failed: ${file.name}\n  ${file.message ?? ''}`);
  }
}
for (const step of failedSteps) console.log(`failed step: ${step}`);
if (failedSteps.length > 0 && total.failed === 0) total.failed = 1;
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
