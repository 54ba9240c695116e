#!/usr/bin/env node
// Stands in for the `code` executable of @vscode/test-electron (CODE_TEST_HOST=test/host/code.mjs): runs an extension test
// suite in the npm-installed VS Code with a headless Chromium and exits with the suite's code.
// Environment: CODE_TEST_VERSION=floor|newest, CODE_TEST_SETTINGS=JSON of user settings.
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { BROWSER_ARGS, startServer, workbenchUrl } from './server.mjs';

const argument = (name) =>
  process.argv
    .find((value) => value.startsWith(`--${name}=`))
    ?.slice(name.length + 3)
    .replace(/^file:\/\//, '');
const folder = process.argv.slice(2).find((value) => !value.startsWith('--'));
const extension = argument('extensionDevelopmentPath');
const suite = argument('extensionTestsPath');
if (!extension || !suite) {
  console.error('code.mjs runs test suites only: --extensionDevelopmentPath and --extensionTestsPath are needed.');
  process.exit(2);
}

const server = await startServer({
  host: process.env.CODE_TEST_VERSION ?? 'floor',
  settings: JSON.parse(process.env.CODE_TEST_SETTINGS ?? '{}'),
  trust: process.argv.includes('--with-trust'),
  log: process.env.CODE_TEST_LOG === '1',
});
let code;
let browser;
try {
  browser = await chromium.launch({ executablePath: server.chromium, args: BROWSER_ARGS });
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  const finished = new Promise((resolve) => {
    page.exposeFunction('codeAutomationExit', (result) => resolve(result));
    // The workbench logs everything here; what the suite itself prints is what matters.
    page.exposeFunction('codeAutomationLog', (type, values) => {
      const line = values.map(String).join(' ');
      if (process.env.CODE_TEST_LOG !== '1' && !line.includes('[suite]')) return;
      console[type === 'error' ? 'error' : 'log'](line.replace(/^.*?\[suite\] ?/s, '').replace(/ color: \w+ *$/, ''));
    });
  });
  const limit = Number(process.env.CODE_TEST_TIMEOUT ?? 300) * 1000;
  const late = sleep(limit, 124, { ref: false });
  await page.goto(workbenchUrl(server.url, { folder, extension, suite }));
  code = await Promise.race([finished, late]);
  if (code === 124) console.error(`The suite did not end within ${limit / 1000} s.`);
} finally {
  await browser?.close();
  await server.stop();
}
process.exit(code);
