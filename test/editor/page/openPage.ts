import { readFile } from 'node:fs/promises';
import { chromium, type Browser, type Page } from 'playwright-core';
import { pageHtml } from '../../../extension/page/html.js';
import type { ToDataPage } from '../../../webview/messages/data.js';
import type { ToHost, ToPage } from '../../../webview/messages/monitor.js';
import type { ToModelPage } from '../../../webview/messages/model.js';
import type { ToChangedPage } from '../../../webview/messages/changed.js';
import type { ToSensitivityPage } from '../../../webview/messages/sensitivity.js';
import type { ToSweepPage } from '../../../webview/messages/sweep.js';
import type { ToRunsTable } from '../../../webview/messages/runs.js';
import themes from './themes.json' with { type: 'json' };

export type ThemeName = keyof typeof themes;
export const THEMES = Object.keys(themes) as ThemeName[];

const ORIGIN = 'http://monitor.test';
const DIST = new URL('../../../dist/webview/', import.meta.url);

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });

export interface MonitorPage {
  page: Page;
  /** Messages the page posted to its host. */
  posted: () => Promise<ToHost[]>;
  /** Those of one type. */
  sent: <T extends ToHost['type']>(type: T) => Promise<Extract<ToHost, { type: T }>[]>;
  send: (
    messages: readonly (
      ToPage | ToModelPage | ToDataPage | ToChangedPage | ToRunsTable | ToSensitivityPage | ToSweepPage
    )[],
  ) => Promise<void>;
  /** CSP violations, console errors and uncaught exceptions so far. */
  problems: string[];
}

/** A built page in a browser, as the editor would show it: same HTML, same CSP, the theme's real variables. */
export async function openMonitor(
  browser: Browser,
  options: {
    theme?: ThemeName;
    width?: number;
    height?: number;
    strings?: Record<string, string>;
    state?: object;
    /** Colours in place of the theme's. */
    colours?: Record<string, string>;
    /** Which of the built pages. */
    name?: 'monitor' | 'model' | 'data' | 'changed' | 'runs' | 'sensitivity' | 'sweep';
  } = {},
): Promise<MonitorPage> {
  const theme = themes[options.theme ?? 'dark'];
  const name = options.name ?? 'monitor';
  const page = await browser.newPage({ viewport: { width: options.width ?? 1280, height: options.height ?? 1500 } });
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error.stack)));
  const html = pageHtml({
    cspSource: ORIGIN,
    script: `${ORIGIN}/${name}.js`,
    style: `${ORIGIN}/${name}.css`,
    title: 'LC Prune Monitor',
    language: 'en',
    strings: options.strings ?? {},
  }).replace('<body>', `<body class="${theme.body}">`);
  await page.route(`${ORIGIN}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname.slice(1);
    if (path === '') return route.fulfill({ contentType: 'text/html', body: html });
    const body = await readFile(new URL(path, DIST));
    return route.fulfill({ contentType: path.endsWith('.js') ? 'text/javascript' : 'text/css', body });
  });
  await page.addInitScript(
    ({ variables, state }) => {
      const sent: unknown[] = [];
      let kept: unknown = state;
      Object.assign(globalThis, {
        acquireVsCodeApi: () => ({
          postMessage: (message: unknown) => sent.push(message),
          getState: () => kept,
          setState: (next: unknown) => (kept = next),
        }),
        __sent: sent,
      });
      const apply = () => {
        for (const [name, value] of Object.entries(variables)) document.documentElement.style.setProperty(name, value);
      };
      if (document.documentElement) apply();
      else
        new MutationObserver((_, observer) => (observer.disconnect(), apply())).observe(document, { childList: true });
      document.addEventListener('securitypolicyviolation', (event) =>
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
      );
    },
    { variables: { ...theme.variables, ...options.colours } as Record<string, string>, state: options.state },
  );
  await page.goto(`${ORIGIN}/`);
  const posted = () => page.evaluate(() => structuredClone(__sent) as ToHost[]);
  return {
    page,
    problems,
    posted,
    sent: async <T extends ToHost['type']>(type: T) =>
      (await posted()).filter((message): message is Extract<ToHost, { type: T }> => message.type === type),
    send: async (messages) => {
      for (const message of messages) await page.evaluate((data) => postMessage(data, '*'), message);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    },
  };
}

declare global {
  var __sent: unknown[];
}
