import { chromium, type Browser, type FrameLocator, type Locator, type Page } from 'playwright-core';
import { BROWSER_ARGS, installVsix, startServer, workbenchUrl } from '../host/server.mjs';
import { STAGED, stageExtension } from '../host/stage.mjs';

export interface WindowOptions {
  /** A folder, or a `.code-workspace` file; undefined opens an empty window. */
  folder?: string;
  settings?: Record<string, unknown>;
  /** Keep Workspace Trust on. */
  trust?: boolean;
  /** The extension is staged already, with changes. */
  staged?: boolean;
  /** Install this VSIX instead of loading the source tree. */
  vsix?: string;
  env?: Record<string, string>;
  /** Show modal questions, which a window under test refuses otherwise. Only with a VSIX. */
  modal?: boolean;
  width?: number;
  height?: number;
  theme?: string;
}

const HOST = process.env.CODE_TEST_VERSION === 'newest' ? 'newest' : 'floor';

/** A VS Code window as its user sees it: the parts that can be clicked, typed into and read. */
export class Workbench {
  /** Content Security Policy violations and uncaught errors of our pages. */
  readonly violations: string[] = [];

  private constructor(
    readonly page: Page,
    readonly browser: Browser,
    readonly server: Awaited<ReturnType<typeof startServer>>,
    readonly url: string,
  ) {
    page.on('console', (message) => {
      const text = message.text();
      if (/Content Security Policy/.test(text) && message.location().url.includes('vscode-resource'))
        this.violations.push(text);
      if (/securitypolicyviolation/.test(text)) this.violations.push(text);
    });
  }

  static async open(options: WindowOptions): Promise<Workbench> {
    const server = await startServer({
      host: HOST,
      settings: {
        // No trainer outlives its test, but where that is what is tested.
        'lcPrune.keepTraining': false,
        ...(options.theme && { 'workbench.colorTheme': options.theme }),
        ...options.settings,
      },
      trust: options.trust ?? false,
      env: options.env ?? {},
      modal: options.modal ?? false,
    });
    try {
      if (options.vsix) await installVsix(HOST, options.vsix, server.extensionsDir);
      const browser = await chromium.launch({ executablePath: server.chromium, args: BROWSER_ARGS });
      const page = await browser.newPage({
        viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
      });
      const url = workbenchUrl(server.url, {
        ...(options.folder !== undefined && { folder: options.folder }),
        ...(options.vsix ? {} : { extension: options.staged ? STAGED : stageExtension() }),
      });
      const workbench = new Workbench(page, browser, server, url);
      await page.goto(url);
      const ready =
        options.folder === undefined ? '.activitybar .action-label' : '.explorer-folders-view .monaco-list-row';
      await page.waitForSelector(`.monaco-workbench ${ready}`, { timeout: 90_000 });
      return workbench;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
  }

  /** Reloads the window with the editor's own command, which saves what is open before. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load', { timeout: 60_000 });
    await this.palette('Developer: Reload Window');
    await loaded;
    await this.page.waitForSelector('.monaco-workbench .explorer-folders-view, .monaco-workbench .editor-instance', {
      timeout: 90_000,
    });
  }

  /** Opens a file by its name; one that has just been written is found when the editor has seen it. */
  async openFile(path: string): Promise<void> {
    const name = path.split('/').at(-1)!;
    const row = this.quickPick(name).first();
    for (let tries = 1; ; tries++) {
      // As F1 also reaches the editor from inside a page; without the ">" it looks for files.
      await this.page.keyboard.press('F1');
      await this.quickInput.waitFor();
      await this.quickInput.fill(path);
      const found = await row.waitFor({ timeout: 5_000 }).then(
        () => true,
        () => false,
      );
      if (found || tries === 5) break;
      // A list that was made before the file was stays as it is until it is opened again.
      await this.page.keyboard.press('Escape');
      await this.page.waitForTimeout(1000);
    }
    await this.page.waitForTimeout(500);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.tabs-container .tab.active', { hasText: name }).first().waitFor({ timeout: 30_000 });
  }

  async command(title: string): Promise<void> {
    await this.palette(`LC Prune: ${title}`);
  }

  /** Runs a command of the palette. */
  async palette(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input');
    await input.waitFor();
    await input.fill(`>${title}`);
    const row = this.page
      .locator('.quick-input-list .monaco-list-row', { hasText: title.replace(/^.*?: /, '').replace(/\.\.\.$/, '') })
      .first();
    await row.waitFor();
    await row.click();
  }

  /** Counts what a person does in the window from now on: mouse buttons pressed and keys. @returns what reads the count. */
  async countInputs(): Promise<() => Promise<{ clicks: number; keys: number }>> {
    const counted = await this.page.evaluateHandle(() => {
      const count = { clicks: 0, keys: 0 };
      document.addEventListener('mousedown', () => count.clicks++, true);
      document.addEventListener('keydown', () => count.keys++, true);
      return count;
    });
    return () => counted.jsonValue();
  }

  /** Rows of the open quick pick. */
  quickPick(text?: string | RegExp): Locator {
    const rows = this.page.locator('.quick-input-list .monaco-list-row');
    return text === undefined ? rows : rows.filter({ hasText: text });
  }

  get quickInput(): Locator {
    return this.page.locator('.quick-input-widget input');
  }

  codeLens(text: string | RegExp): Locator {
    return this.page.locator('.codelens-decoration a', { hasText: text });
  }

  /** Waits for a notification: as a toast or, if the editor does not show it, in the list behind the bell. */
  async notification(text: string | RegExp): Promise<void> {
    const item = this.page.locator('.notification-list-item', { hasText: text }).first();
    const toast = await item.waitFor({ timeout: 10_000 }).then(
      () => true,
      () => false,
    );
    if (toast) return;
    await this.page.locator('[id="status.notifications"]').click();
    await item.waitFor({ timeout: 10_000 });
  }

  /** A modal question. */
  dialog(text: string | RegExp): Locator {
    return this.page.locator('.monaco-dialog-box', { hasText: text });
  }

  statusItem(text: string | RegExp): Locator {
    return this.page.locator('.statusbar-item', { hasText: text });
  }

  async openSideBar(): Promise<void> {
    await this.page.locator('.activitybar a.action-label[aria-label*="LC Prune"]').click();
    await this.page.locator('.pane-header', { hasText: 'Runs' }).waitFor();
  }

  /** A row of one of our trees. */
  treeRow(text: string | RegExp): Locator {
    return this.page.locator('.sidebar .monaco-list-row', { hasText: text });
  }

  /** The monitor's page. */
  get monitor(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('#active-frame');
  }

  /** Whichever page is in front. */
  get pageInFront(): FrameLocator {
    return this.page
      .locator('iframe.webview.ready')
      .filter({ visible: true })
      .contentFrame()
      .frameLocator('#active-frame');
  }

  /** The state word in the monitor's header. */
  get runState(): Locator {
    return this.monitor.locator('.state');
  }
}
