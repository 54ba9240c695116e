// test/editor/page/openPage.ts
import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

// extension/monitor/html.ts
import { randomBytes } from 'node:crypto';
var attribute = (text) =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]);
function monitorHtml({ cspSource, script, style, title, language, strings }) {
  const nonce = randomBytes(16).toString('base64');
  const csp = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const json = JSON.stringify(strings).replace(/</g, '\\u003c');
  return `<!DOCTYPE html>
<html lang="${attribute(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${attribute(csp)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${attribute(style)}">
<title>${attribute(title)}</title>
</head>
<body>
<main id="monitor"></main>
<script type="application/json" id="strings">${json}</script>
<script type="module" nonce="${nonce}" src="${attribute(script)}"></script>
</body>
</html>`;
}

// test/editor/page/themes.json
var themes_default = {
  dark: {
    body: 'vscode-body vscode-dark',
    variables: {
      '--vscode-button-background': '#0078d4',
      '--vscode-button-border': 'rgba(255, 255, 255, 0.07)',
      '--vscode-button-foreground': '#ffffff',
      '--vscode-button-hoverBackground': '#026ec1',
      '--vscode-button-secondaryBackground': '#313131',
      '--vscode-button-secondaryForeground': '#cccccc',
      '--vscode-button-secondaryHoverBackground': '#3c3c3c',
      '--vscode-charts-blue': '#3794ff',
      '--vscode-charts-green': '#89d185',
      '--vscode-charts-lines': 'rgba(204, 204, 204, 0.5)',
      '--vscode-charts-orange': '#d18616',
      '--vscode-charts-purple': '#b180d7',
      '--vscode-charts-red': '#f14c4c',
      '--vscode-charts-yellow': '#cca700',
      '--vscode-descriptionForeground': '#9d9d9d',
      '--vscode-editor-background': '#1f1f1f',
      '--vscode-editor-foreground': '#cccccc',
      '--vscode-editor-selectionBackground': '#264f78',
      '--vscode-editorWidget-background': '#202020',
      '--vscode-focusBorder': '#0078d4',
      '--vscode-font-family': 'system-ui, "Ubuntu", "Droid Sans", sans-serif',
      '--vscode-font-size': '13px',
      '--vscode-font-weight': 'normal',
      '--vscode-foreground': '#cccccc',
      '--vscode-icon-foreground': '#cccccc',
      '--vscode-inputValidation-errorBackground': '#5a1d1d',
      '--vscode-inputValidation-errorBorder': '#be1100',
      '--vscode-inputValidation-warningBackground': '#352a05',
      '--vscode-inputValidation-warningBorder': '#b89500',
      '--vscode-list-inactiveSelectionBackground': '#37373d',
      '--vscode-menu-background': '#1f1f1f',
      '--vscode-menu-border': '#454545',
      '--vscode-menu-foreground': '#cccccc',
      '--vscode-menu-selectionBackground': '#0078d4',
      '--vscode-menu-selectionForeground': '#ffffff',
      '--vscode-panel-border': '#2b2b2b',
      '--vscode-progressBar-background': '#0078d4',
      '--vscode-scrollbarSlider-background': 'rgba(121, 121, 121, 0.4)',
      '--vscode-textLink-activeForeground': '#4daafc',
      '--vscode-textLink-foreground': '#4daafc',
      '--vscode-toolbar-hoverBackground': 'rgba(90, 93, 94, 0.31)',
      '--vscode-widget-border': '#313131',
      '--vscode-widget-shadow': 'rgba(0, 0, 0, 0.36)',
    },
  },
  light: {
    body: 'vscode-body vscode-light',
    variables: {
      '--vscode-button-background': '#005fb8',
      '--vscode-button-border': 'rgba(0, 0, 0, 0.1)',
      '--vscode-button-foreground': '#ffffff',
      '--vscode-button-hoverBackground': '#0258a8',
      '--vscode-button-secondaryBackground': '#e5e5e5',
      '--vscode-button-secondaryForeground': '#3b3b3b',
      '--vscode-button-secondaryHoverBackground': '#cccccc',
      '--vscode-charts-blue': '#1a85ff',
      '--vscode-charts-green': '#388a34',
      '--vscode-charts-lines': 'rgba(59, 59, 59, 0.5)',
      '--vscode-charts-orange': '#d18616',
      '--vscode-charts-purple': '#652d90',
      '--vscode-charts-red': '#e51400',
      '--vscode-charts-yellow': '#bf8803',
      '--vscode-descriptionForeground': '#3b3b3b',
      '--vscode-editor-background': '#ffffff',
      '--vscode-editor-foreground': '#3b3b3b',
      '--vscode-editor-selectionBackground': '#add6ff',
      '--vscode-editorWidget-background': '#f8f8f8',
      '--vscode-focusBorder': '#005fb8',
      '--vscode-font-family': 'system-ui, "Ubuntu", "Droid Sans", sans-serif',
      '--vscode-font-size': '13px',
      '--vscode-font-weight': 'normal',
      '--vscode-foreground': '#3b3b3b',
      '--vscode-icon-foreground': '#3b3b3b',
      '--vscode-inputValidation-errorBackground': '#f2dede',
      '--vscode-inputValidation-errorBorder': '#be1100',
      '--vscode-inputValidation-warningBackground': '#f6f5d2',
      '--vscode-inputValidation-warningBorder': '#b89500',
      '--vscode-list-inactiveSelectionBackground': '#e4e6f1',
      '--vscode-menu-background': '#ffffff',
      '--vscode-menu-border': '#cecece',
      '--vscode-menu-foreground': '#3b3b3b',
      '--vscode-menu-selectionBackground': '#005fb8',
      '--vscode-menu-selectionForeground': '#ffffff',
      '--vscode-panel-border': '#e5e5e5',
      '--vscode-progressBar-background': '#005fb8',
      '--vscode-scrollbarSlider-background': 'rgba(100, 100, 100, 0.4)',
      '--vscode-textLink-activeForeground': '#005fb8',
      '--vscode-textLink-foreground': '#005fb8',
      '--vscode-toolbar-hoverBackground': 'rgba(184, 184, 184, 0.31)',
      '--vscode-widget-border': '#e5e5e5',
      '--vscode-widget-shadow': 'rgba(0, 0, 0, 0.16)',
    },
  },
  contrast: {
    body: 'vscode-body vscode-high-contrast',
    variables: {
      '--vscode-button-border': '#6fc3df',
      '--vscode-button-foreground': '#ffffff',
      '--vscode-button-secondaryForeground': '#ffffff',
      '--vscode-charts-blue': '#3794ff',
      '--vscode-charts-green': '#89d185',
      '--vscode-charts-lines': 'rgba(255, 255, 255, 0.5)',
      '--vscode-charts-orange': '#ab5a00',
      '--vscode-charts-purple': '#b180d7',
      '--vscode-charts-red': '#f48771',
      '--vscode-charts-yellow': '#ffd370',
      '--vscode-contrastActiveBorder': '#f38518',
      '--vscode-contrastBorder': '#6fc3df',
      '--vscode-descriptionForeground': 'rgba(255, 255, 255, 0.7)',
      '--vscode-editor-background': '#000000',
      '--vscode-editor-foreground': '#ffffff',
      '--vscode-editor-selectionBackground': '#ffffff',
      '--vscode-editorWidget-background': '#0c141f',
      '--vscode-focusBorder': '#f38518',
      '--vscode-font-family': 'system-ui, "Ubuntu", "Droid Sans", sans-serif',
      '--vscode-font-size': '13px',
      '--vscode-font-weight': 'normal',
      '--vscode-foreground': '#ffffff',
      '--vscode-icon-foreground': '#ffffff',
      '--vscode-inputValidation-errorBackground': '#000000',
      '--vscode-inputValidation-errorBorder': '#6fc3df',
      '--vscode-inputValidation-warningBackground': '#000000',
      '--vscode-inputValidation-warningBorder': '#6fc3df',
      '--vscode-menu-background': '#000000',
      '--vscode-menu-border': '#6fc3df',
      '--vscode-menu-foreground': '#ffffff',
      '--vscode-panel-border': '#6fc3df',
      '--vscode-progressBar-background': '#6fc3df',
      '--vscode-scrollbarSlider-background': 'rgba(111, 195, 223, 0.6)',
      '--vscode-textLink-activeForeground': '#21a6ff',
      '--vscode-textLink-foreground': '#21a6ff',
      '--vscode-widget-border': '#6fc3df',
    },
  },
  'contrast-light': {
    body: 'vscode-body vscode-high-contrast-light vscode-high-contrast',
    variables: {
      '--vscode-button-background': '#0f4a85',
      '--vscode-button-border': '#0f4a85',
      '--vscode-button-foreground': '#ffffff',
      '--vscode-button-hoverBackground': '#0f4a85',
      '--vscode-button-secondaryBackground': '#ffffff',
      '--vscode-button-secondaryForeground': '#292929',
      '--vscode-charts-blue': '#1a85ff',
      '--vscode-charts-green': '#374e06',
      '--vscode-charts-lines': 'rgba(41, 41, 41, 0.5)',
      '--vscode-charts-orange': '#0f4a85',
      '--vscode-charts-purple': '#652d90',
      '--vscode-charts-red': '#b5200d',
      '--vscode-charts-yellow': '#895503',
      '--vscode-contrastActiveBorder': '#006bbd',
      '--vscode-contrastBorder': '#0f4a85',
      '--vscode-descriptionForeground': 'rgba(41, 41, 41, 0.7)',
      '--vscode-editor-background': '#ffffff',
      '--vscode-editor-foreground': '#292929',
      '--vscode-editor-selectionBackground': '#0f4a85',
      '--vscode-editorWidget-background': '#ffffff',
      '--vscode-focusBorder': '#006bbd',
      '--vscode-font-family': 'system-ui, "Ubuntu", "Droid Sans", sans-serif',
      '--vscode-font-size': '13px',
      '--vscode-font-weight': 'normal',
      '--vscode-foreground': '#292929',
      '--vscode-icon-foreground': '#292929',
      '--vscode-inputValidation-errorBackground': '#ffffff',
      '--vscode-inputValidation-errorBorder': '#0f4a85',
      '--vscode-inputValidation-errorForeground': '#292929',
      '--vscode-inputValidation-warningBackground': '#ffffff',
      '--vscode-inputValidation-warningBorder': '#0f4a85',
      '--vscode-inputValidation-warningForeground': '#292929',
      '--vscode-list-inactiveSelectionBackground': 'rgba(15, 74, 133, 0.1)',
      '--vscode-menu-background': '#ffffff',
      '--vscode-menu-border': '#0f4a85',
      '--vscode-menu-foreground': '#292929',
      '--vscode-menu-selectionBackground': 'rgba(15, 74, 133, 0.1)',
      '--vscode-panel-border': '#0f4a85',
      '--vscode-progressBar-background': '#0f4a85',
      '--vscode-scrollbarSlider-background': 'rgba(15, 74, 133, 0.4)',
      '--vscode-textLink-activeForeground': '#0f4a85',
      '--vscode-textLink-foreground': '#0f4a85',
      '--vscode-widget-border': '#0f4a85',
    },
  },
};

// test/editor/page/openPage.ts
var THEMES = Object.keys(themes_default);
var ORIGIN = 'http://monitor.test';
var DIST = new URL('../../../dist/webview/', import.meta.url);
var launchBrowser = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
var toWire = (value) =>
  value instanceof Float64Array
    ? { $float64: Array.from(value, (v) => (Number.isNaN(v) ? null : v)) }
    : Array.isArray(value)
      ? value.map(toWire)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toWire(part)]))
        : value;
async function openMonitor(browser, options = {}) {
  const theme = themes_default[options.theme ?? 'dark'];
  const page = await browser.newPage({ viewport: { width: options.width ?? 1280, height: options.height ?? 1500 } });
  const problems = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error.stack)));
  const html = monitorHtml({
    cspSource: ORIGIN,
    script: `${ORIGIN}/monitor.js`,
    style: `${ORIGIN}/monitor.css`,
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
      const sent = [];
      let kept = state;
      Object.assign(globalThis, {
        acquireVsCodeApi: () => ({
          postMessage: (message) => sent.push(message),
          getState: () => kept,
          setState: (next) => (kept = next),
        }),
        __sent: sent,
        __revive: (value) => {
          if (Array.isArray(value)) return value.map((part) => __revive(part));
          if (typeof value !== 'object' || value === null) return value;
          if ('$float64' in value) return Float64Array.from(value.$float64, (v) => (v === null ? NaN : v));
          return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, __revive(part)]));
        },
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
    { variables: theme.variables, state: options.state },
  );
  await page.goto(`${ORIGIN}/`);
  return {
    page,
    problems,
    posted: () => page.evaluate(() => structuredClone(__sent)),
    send: async (messages) => {
      for (const message of messages) await page.evaluate((wire) => postMessage(__revive(wire), '*'), toWire(message));
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    },
  };
}

// daemon/lc/random.ts
var rotl = (x, k) => (x << k) | (x >>> (32 - k));
function splitMix(seed) {
  let s = seed >>> 0;
  return () => {
    s = (s + 2654435769) | 0;
    let z = s ^ (s >>> 16);
    z = Math.imul(z, 569420461);
    z ^= z >>> 15;
    z = Math.imul(z, 1935289751);
    return (z ^ (z >>> 15)) | 0;
  };
}
function createRandom(seed, stream = 0) {
  const mix = splitMix(seed ^ Math.imul(stream, 2246822507));
  const s = new Int32Array([mix(), mix(), mix(), mix()]);
  const bits = () => {
    const s1 = s[1];
    const result = Math.imul(rotl(Math.imul(s1, 5), 7), 9);
    const t = s1 << 9;
    s[2] ^= s[0];
    s[3] ^= s1;
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11);
    return result >>> 0;
  };
  const next = () => bits() / 4294967296;
  const below = (n) => Math.floor(next() * n);
  return {
    next,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = below(i + 1);
        const item = items[i];
        items[i] = items[j];
        items[j] = item;
      }
    },
    get state() {
      return [...s];
    },
    restore(state) {
      if (state.length !== 4) throw new RangeError(`a generator state has 4 words, not ${state.length}`);
      s.set(state);
    },
  };
}

// webview/columns.ts
var ColumnTable = class {
  constructor(names, capacity = 256) {
    this.names = names;
    this.#columns = names.map(() => new Float64Array(capacity));
  }
  names;
  #columns;
  #length = 0;
  get length() {
    return this.#length;
  }
  /** The rows of a column, without a copy; valid until the next change. */
  column(name) {
    const index = this.names.indexOf(name);
    if (index < 0) throw new Error(`No column "${name}".`);
    return this.#columns[index].subarray(0, this.#length);
  }
  /** One row; null becomes NaN. */
  push(row) {
    this.#reserve(this.#length + 1);
    row.forEach((value, i) => {
      this.#columns[i][this.#length] = value ?? NaN;
    });
    this.#length++;
  }
  /** Rows of all columns at once. */
  append(columns) {
    const rows = columns[this.names[0]]?.length ?? 0;
    this.#reserve(this.#length + rows);
    this.names.forEach((name, i) => this.#columns[i].set(columns[name], this.#length));
    this.#length += rows;
  }
  /** A copy of rows [from, length), ready to post. */
  slice(from = 0) {
    return Object.fromEntries(this.names.map((name, i) => [name, this.#columns[i].slice(from, this.#length)]));
  }
  clear() {
    this.#length = 0;
  }
  /**
   * Halves the rows in place. Of every four rows the two with the extremes of `extremes` stay, so peaks, and values that are
   * not finite, survive any number of halvings.
   */
  thin(extremes) {
    const y = this.column(extremes);
    let to = 0;
    for (let from = 0; from < this.#length; from += 4) {
      const end = Math.min(from + 4, this.#length);
      let low = from;
      let high = from;
      for (let i = from + 1; i < end; i++) {
        if (!(y[i] >= y[low])) low = i;
        if (!(y[i] <= y[high])) high = i;
      }
      const kept = low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
      for (const i of kept) {
        for (const column of this.#columns) column[to] = column[i];
        to++;
      }
    }
    this.#length = to;
  }
  #reserve(rows) {
    const capacity = this.#columns[0].length;
    if (rows <= capacity) return;
    const grown = Math.max(rows, capacity * 2);
    this.#columns = this.#columns.map((column) => {
      const larger = new Float64Array(grown);
      larger.set(column.subarray(0, this.#length));
      return larger;
    });
  }
};

// webview/messages.ts
var BATCH_COLUMNS = ['step', 'epoch', 'time', 'loss', 'learningRate', 'samplesPerSecond'];
var EVALUATION_COLUMNS = ['step', 'epoch', 'time', 'loss', 'error'];
var ITERATION_COLUMNS = [
  'step',
  'epoch',
  'time',
  'iteration',
  'mu',
  'distance',
  'ratio',
  'loss',
  'error',
  'kept',
  'supportChange',
  'seconds',
];
function columnsOf(table) {
  if (table === 'batch') return BATCH_COLUMNS;
  return table === 'iteration' ? ITERATION_COLUMNS : EVALUATION_COLUMNS;
}

// test/editor/page/fakeRun.ts
var LAYERS = [
  { layer: 'fc1', weights: 235200, share: 0.55 },
  { layer: 'fc2', weights: 3e4, share: 2.6 },
  { layer: 'fc3', weights: 1e3, share: 48 },
];
var PRUNABLE = 266200;
var START = Date.UTC(2026, 0, 15, 9, 30);
function fakeRun({
  id,
  colour = 0,
  iterations = 18,
  of = 30,
  batches = 235,
  kept = 0.01,
  method = 'lc',
  state = 'running',
  seed = 1,
  floor = 0.0195,
  broken,
}) {
  const random = createRandom(seed);
  const tables = /* @__PURE__ */ new Map();
  const table = (name) => {
    let found = tables.get(name);
    if (!found) tables.set(name, (found = new ColumnTable(columnsOf(name))));
    return found;
  };
  const direct = 0.35 + 0.1 * random.next();
  table('direct/test').push([0, 0, 0, 1.9, direct]);
  let step = 0;
  for (let j = 0; j < iterations; j++) {
    const mu = 1e-4 * 1.25 ** j;
    for (let b2 = 0; b2 < batches; b2++) {
      step++;
      const base = 0.012 + 0.1 * Math.exp(-j / 5) * Math.exp(-b2 / 90) + 0.02 * Math.exp(-j / 9);
      table('batch').push([
        step,
        j + b2 / batches,
        step * 62e-4,
        broken === step ? NaN : base * Math.exp(0.45 * random.normal()),
        0.1 * 0.98 ** j,
        41e3 + 1800 * random.normal() - (b2 === 0 ? 9e3 : 0),
      ]);
    }
    const closing = Math.exp(-j / 5.5);
    const w = floor - 2e-3 + 4e-3 * Math.exp(-j / 6) + 3e-4 * random.normal();
    const theta = floor + (direct - floor) * closing ** 1.4 + 4e-4 * random.normal();
    const at = [step, j + 1, step * 62e-4];
    table('w/train').push([...at, 4e-3 + 0.02 * closing, Math.max(0, w - 0.012)]);
    table('w/test').push([...at, 0.062 + 0.02 * closing, w]);
    table('theta/train').push([...at, 6e-3 + 1.8 * closing ** 1.3, Math.max(5e-4, theta - 0.013)]);
    table('theta/test').push([...at, 0.066 + 1.8 * closing ** 1.3, theta]);
    table('iteration').push([
      ...at,
      j,
      mu,
      11 * Math.exp(-j / 4.2) + 4e-3,
      0.3 * Math.exp(-j / 4.2),
      0.07,
      theta,
      Math.ceil(PRUNABLE * kept),
      Math.round(2 * PRUNABLE * kept * Math.exp(-j / 3)),
      1.5,
    ]);
  }
  if (state === 'done') table('retrained/test').push([step, iterations, step * 62e-4, 0.061, floor - 8e-4]);
  const error = table('theta/test').column('error').at(-1) ?? null;
  const total = Math.ceil(PRUNABLE * kept);
  const layers = LAYERS.map(({ layer, weights, share }) => ({
    layer,
    weights,
    kept: Math.min(weights, Math.round(weights * kept * share)),
  }));
  return {
    view: {
      id,
      name: id,
      colour,
      device: 'CPU',
      referenceError: 0.0178,
      directError: direct,
      layers,
      marks: state === 'done' ? [{ step, epoch: iterations, time: step * 62e-4, label: 'retrain' }] : [],
      warnings: broken ? [{ time: START + 6e4, message: `Loss is not finite at step ${broken}.` }] : [],
      summary: {
        run: id,
        folder: `/workspace/.lcprune/runs/${id}`,
        plan: id,
        planPath: `/workspace/${id}.prune.json`,
        model: 'lenet300/model.json',
        method,
        engine: 'compiled',
        state,
        started: START,
        ended: state === 'done' ? START + step * 6.2 : null,
        iteration: iterations,
        iterations: of,
        progress: iterations / of,
        error: state === 'done' ? floor - 8e-4 : error,
        referenceError: 0.0178,
        kept: total,
        prunable: PRUNABLE,
        etaSeconds: state === 'running' ? (of - iterations) * 1.5 + 12 : null,
        samplesPerSecond: 41250,
        message: null,
      },
    },
    tables: Object.fromEntries(Array.from(tables, ([name, rows]) => [name, { reset: true, columns: rows.slice() }])),
  };
}
function fakePicture(run) {
  const random = createRandom(7);
  const edges = Array.from({ length: 41 }, (_, i) => -0.5 + i / 40);
  const bell = (x, width) => Math.exp(-((x / width) ** 2) / 2);
  const mid = edges.slice(0, -1).map((e) => e + 0.0125);
  return {
    type: 'picture',
    run,
    layer: 'fc1',
    problem: null,
    picture: {
      layer: 'fc1',
      shape: [784, 300],
      edges,
      w: mid.map((x) => Math.round(4e4 * bell(x, 0.06))),
      theta: mid.map((x) => (Math.abs(x) < 0.14 ? 0 : Math.round(420 * bell(x, 0.16)))),
      zeros: 235200 - 1294,
      keptPerInput: Array.from({ length: 784 }, (_, i) => {
        const y = Math.floor(i / 28) - 13.5;
        const x = (i % 28) - 13.5;
        return Math.max(0, Math.round(5.5 * bell(Math.hypot(x * 1.15, y), 6) + random.normal() - 0.6));
      }),
      inputImage: [28, 28, 1],
    },
  };
}
function hydration(runs, difference = []) {
  return [
    {
      type: 'runs',
      runs: runs.map((run) => run.view),
      primary: runs[0]?.view.id ?? null,
      difference,
      trusted: true,
    },
    ...runs.map((run) => ({ type: 'columns', run: run.view.id, tables: run.tables })),
    ...(runs[0] ? [fakePicture(runs[0].view.id)] : []),
  ];
}

// test/editor/page/.shoot.ts
import { mkdirSync } from 'node:fs';
var b = await launchBrowser();
mkdirSync('/tmp/shots', { recursive: true });
for (const theme of THEMES) {
  const m2 = await openMonitor(b, { theme });
  await m2.send(hydration([fakeRun({ id: 'lenet300-1%' })]));
  await m2.page.waitForTimeout(500);
  await m2.page.screenshot({ path: `/tmp/shots/${theme}.png`, fullPage: true });
  console.log(theme, m2.problems, (await m2.posted()).map((x) => x.type).join());
  await m2.page.close();
}
var m = await openMonitor(b, { theme: 'dark' });
await m.send(
  hydration(
    [
      fakeRun({ id: 'lenet300-1%', iterations: 30, state: 'done' }),
      fakeRun({ id: 'lenet300-2%', kept: 0.02, colour: 1, seed: 3, iterations: 30, state: 'done', floor: 0.0185 }),
      fakeRun({
        id: 'magnitude-1%',
        kept: 0.01,
        colour: 2,
        seed: 4,
        method: 'magnitude',
        iterations: 30,
        state: 'done',
        floor: 0.035,
      }),
      fakeRun({
        id: 'magnitude-2%',
        kept: 0.02,
        colour: 3,
        seed: 5,
        method: 'magnitude',
        iterations: 30,
        state: 'done',
        floor: 0.027,
        broken: 900,
      }),
    ],
    [
      { setting: 'budget', values: ['keep 1%', 'keep 2%', 'keep 1%', 'keep 2%'] },
      { setting: 'method', values: ['lc', 'lc', 'magnitude', 'magnitude'] },
    ],
  ),
);
await m.page.waitForTimeout(500);
await m.page.screenshot({ path: `/tmp/shots/compare.png`, fullPage: true });
console.log(m.problems);
await b.close();
