import { readdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import nls from '../../../package.nls.json' with { type: 'json' };
import { commandArguments } from '../../../daemon/protocol/commands.js';
import { PLAN_LANGUAGE as PROTOCOL_LANGUAGE } from '../../../daemon/protocol/messages.js';
import {
  COMMANDS,
  CONTEXTS,
  LANGUAGE_TOOLS,
  MCP_SERVERS,
  MODEL_EDITOR,
  MONITOR,
  PLAN_LANGUAGE,
  VIEWS,
  WALKTHROUGH,
} from '../../../extension/ids.js';
import { extensionPage } from '../../host/vsix/page.mjs';

const { contributes } = manifest;
const source = async (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('package.json and the code name the same things', () => {
  test('commands', () => {
    expect(contributes.commands.map((command) => command.command).sort()).toEqual([...COMMANDS].sort());
    for (const id of Object.keys(commandArguments)) expect(COMMANDS).toContain(id);
    for (const command of contributes.commands) expect(command.category).toBe('LC Prune');
  });

  test('views, webview, walkthrough, language', () => {
    expect(contributes.views.lcPrune.map((view) => view.id).sort()).toEqual(Object.values(VIEWS).sort());
    expect(contributes.walkthroughs.map((walkthrough) => walkthrough.id)).toEqual([WALKTHROUGH]);
    expect(manifest.activationEvents).toContain(`onWebviewPanel:${MONITOR}`);
    expect(contributes.customEditors.map((editor) => editor.viewType)).toEqual([MODEL_EDITOR]);
    expect(contributes.languages.map((language) => language.id)).toEqual([PLAN_LANGUAGE]);
    expect(PLAN_LANGUAGE).toBe(PROTOCOL_LANGUAGE);
    expect(contributes.languageModelTools.map(({ name }) => name)).toEqual(LANGUAGE_TOOLS);
    expect(contributes.mcpServerDefinitionProviders.map(({ id }) => id)).toEqual([MCP_SERVERS]);
  });

  test('settings', async () => {
    const names = Array.from((await source('extension/settings.ts')).matchAll(/'(lcPrune\.[\w.]+)'/g), (m) => m[1]);
    const contributed = Object.keys(contributes.configuration.properties);
    for (const name of names) expect(contributed).toContain(name);
    // Read by the language client by its own name.
    expect(contributed.filter((name) => !names.includes(name))).toEqual(['lcPrune.trace.server']);
  });

  test('every menu, welcome link and walkthrough step runs a command that exists', () => {
    const menus = Object.values(contributes.menus).flat();
    for (const { command } of menus) expect(COMMANDS).toContain(command);
    const texts = JSON.stringify([contributes.viewsWelcome, contributes.walkthroughs, nls]);
    const links = Array.from(texts.matchAll(/command:(lcPrune\.\w+)/g), (match) => match[1]);
    expect(links.length).toBeGreaterThan(5);
    for (const link of links) expect(COMMANDS).toContain(link);
  });

  test('every context key in a condition is one the code sets', () => {
    const conditions = JSON.stringify(contributes);
    const known = [...Object.values(CONTEXTS), ...Object.values(VIEWS), ...COMMANDS];
    const used = Array.from(conditions.matchAll(/"(?:when|enablement)":"([^"]*)"/g), (match) => match[1]!).flatMap(
      (condition) => condition.match(/lcPrune\.\w+/g) ?? [],
    );
    expect(used.length).toBeGreaterThan(10);
    for (const key of used) expect(known).toContain(key);
  });

  test('every %text% has a translation and every translation a use', () => {
    const used = Array.from(JSON.stringify(manifest).matchAll(/"%([\w.]+)%"/g), (match) => match[1]!).sort();
    expect(Array.from(new Set(used))).toEqual(Object.keys(nls).sort());
  });

  test('a step of the walkthrough is done when the code sets its key or runs its command', async () => {
    const room = new URL('../../../extension/', import.meta.url);
    const names = (await readdir(room, { recursive: true })).filter((name) => name.endsWith('.ts'));
    const code = (await Promise.all(names.map((name) => readFile(new URL(name, room), 'utf8')))).join('\n');
    const { steps } = contributes.walkthroughs[0]!;
    expect(steps[0]!.id).toBe('example');
    for (const { id, completionEvents } of steps) {
      expect(completionEvents.length, id).toBeGreaterThan(0);
      for (const event of completionEvents) {
        const [, key, more] = /^onContext:(lcPrune\.\w+)( && lcPrune\.walkthrough)?$/.exec(event)!;
        // Once for a walkthrough that is open by then, and once for one that is opened later.
        if (more) expect(completionEvents).toContain(`onContext:${key}`);
        else expect(completionEvents).toContain(`${event} && ${CONTEXTS.walkthrough}`);
        const name = Object.entries(CONTEXTS).find(([, value]) => value === key)?.[0];
        expect(code, event).toMatch(new RegExp(`setContext\\(CONTEXTS\\.${name}, |\\[CONTEXTS\\.${name}, `));
      }
    }
  });

  test('each step of the walkthrough has a picture, and none is heavy', async () => {
    for (const { id, media } of contributes.walkthroughs[0]!.steps) {
      const pictures = Array.from(
        (await source(media.markdown)).matchAll(/!\[[^\]]+\]\(([\w-]+\.png)\)/g),
        (match) => match[1]!,
      );
      expect(pictures.length, id).toBe(1);
      const file = await readFile(new URL(pictures[0]!, new URL(`../../../${media.markdown}`, import.meta.url)));
      expect(file.subarray(1, 4).toString('latin1')).toBe('PNG');
      expect(file.length).toBeLessThan(100_000);
    }
  });

  test('every file it points to is there', () => {
    const files = [
      manifest.icon,
      contributes.grammars[0]!.path,
      contributes.languages[0]!.configuration,
      contributes.jsonValidation[0]!.url,
      ...contributes.viewsContainers.activitybar.map((container) => container.icon),
      ...contributes.walkthroughs[0]!.steps.map((step) => step.media.markdown),
    ];
    for (const file of files) expect(existsSync(new URL(`../../../${file}`, import.meta.url)), file).toBe(true);
  });

  test('the page of the extension shows nothing that an editor does not load: no relative picture or link', async () => {
    const folder = fileURLToPath(new URL('../../../extension', import.meta.url));
    const page = extensionPage(await source('extension/README.md'), folder);
    const targets = Array.from(page.matchAll(/\]\(([^)]*)\)|src="([^"]*)"/g), (match) => match[1] ?? match[2]!);
    const pictures = targets.filter((target) => target.startsWith('data:image/png;base64,'));
    expect(pictures.length).toBe(4);
    for (const target of targets.filter((each) => !pictures.includes(each))) expect(target).toMatch(/^https:\/\//);
    const bytes = pictures.map((target) => Buffer.from(target.slice(target.indexOf(',') + 1), 'base64'));
    // A moving picture is marked as one before its first frame.
    expect(bytes.map((picture) => picture.subarray(0, 100).includes('acTL'))).toEqual([true, false, false, false]);
    expect(bytes.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(1_500_000);
  });

  test('a page with what no editor shows or opens is refused', () => {
    const folder = fileURLToPath(new URL('../../..', import.meta.url));
    expect(() => extensionPage('[docs](docs/data.md)', folder)).toThrow(/no editor can open/);
    expect(() => extensionPage('![paths](docs/paths.svg)', folder)).toThrow(/no PNG/);
    expect(() => extensionPage('![](media/icon.png)', folder)).toThrow(/no text/);
    expect(() => extensionPage('![gone](media/gone.png)', folder)).toThrow(/gone\.png/);
  });

  test('the walkthrough and the welcome promise no kind of file that is refused', async () => {
    const texts = await Promise.all(contributes.walkthroughs[0]!.steps.map((step) => source(step.media.markdown)));
    const promised = [...texts, JSON.stringify(nls), await source('extension/commands/pick.ts')].join('\n');
    // As a pattern of a file to open, in code or in a glob.
    expect(promised.match(/`\.(pt|pth|tflite|safetensors)`/g)).toBeNull();
    expect(/MODEL_NAMES = '([^']*)'/.exec(promised)![1]).toBe('**/*.{json,keras,h5,hdf5,onnx}');
  });

  test('a setting that names a program cannot come from a workspace', () => {
    expect(contributes.configuration.properties['lcPrune.nodePath'].scope).toBe('machine');
  });
});
