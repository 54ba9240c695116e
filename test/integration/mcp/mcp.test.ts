/** An assistant's way from a model to an exported file: a client of the official SDK, the shipped server, a real run. Needs `npm run build`. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { TINY_PLAN, tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';
import { McpClient } from './harness.js';
import { isAlive } from '../../fixtures/isAlive.js';

const PRUNABLE = 4 * 8 + 8 * 3;
const KAPPA = Math.ceil(0.25 * PRUNABLE);
/** Goes on for longer than any test. */
const LONG = { ...TINY_PLAN, schedule: { ...TINY_PLAN.schedule, iterations: 400, epochs: 300, tolerance: 0 } };

let ws: TinyWorkspace;
let mcp: McpClient;
beforeAll(async () => {
  ws = await tinyWorkspace();
  await writeFile(ws.path('long.prune.json'), JSON.stringify(LONG));
  mcp = await McpClient.start(ws.folder);
});
afterAll(async () => {
  await mcp.client.close();
  await ws.remove();
  // Nothing but the protocol has been on standard output.
  expect(mcp.junk).toEqual([]);
});

describe('an MCP client', () => {
  it('learns what each tool changes', async () => {
    const { tools } = await mcp.client.listTools();
    const hints = Object.fromEntries(tools.map(({ name, annotations }) => [name, annotations!]));
    const changing = Object.keys(hints).filter((name) => hints[name]!.readOnlyHint !== true);
    expect(changing.sort()).toEqual(['create_plan', 'export_run', 'resume_run', 'start_run', 'stop_run']);
    expect(Object.keys(hints).filter((name) => hints[name]!.destructiveHint === true)).toEqual(['export_run']);
    for (const { name, description, inputSchema, outputSchema } of tools) {
      expect(description, name).toBeTruthy();
      expect(inputSchema, name).toMatchObject({ type: 'object', additionalProperties: false });
      expect(outputSchema, name).toMatchObject({ type: 'object' });
    }
    for (const name of ['start_run', 'resume_run'])
      expect(tools.find((tool) => tool.name === name)!.description).toContain('what it costs');
  });

  it('drives a whole run: inspect, data, preview, plan, cost, start, wait, compare, export', async () => {
    expect(await mcp.ask('inspect_model', { model: 'model.json' })).toMatchObject({
      model: 'model.json',
      prunable: PRUNABLE,
      params: PRUNABLE + 8 + 3,
      layers: [
        { name: 'fc1', prunable: 32 },
        { name: 'fc2', prunable: 24 },
      ],
    });
    const { candidates } = await mcp.ask<{ candidates: { name: string }[] }>('find_data', { model: 'model.json' });
    expect(candidates[0]!.name).toBe('data.csv');
    const { budgets } = await mcp.ask<{ budgets: { preview: { kappa: number } }[] }>('preview_budget', {
      model: 'model.json',
      budget: { keep: '25%' },
    });
    expect(budgets[0]!.preview.kappa).toBe(KAPPA);
    const created = await mcp.ask<{ plan: string }>('create_plan', {
      model: 'model.json',
      budget: { keep: '25%' },
      data: 'data.csv',
      name: 'assistant',
    });
    expect(created.plan).toBe('assistant.prune.json');
    expect(await readFile(ws.path(created.plan), 'utf8')).toContain('"25%"');

    expect(await mcp.ask('check_plan', { plan: 'tiny.prune.json' })).toMatchObject({
      valid: true,
      problems: [],
      budgets: [{ preview: { kappa: KAPPA, problem: null } }],
    });

    // The first call starts nothing.
    const first = await mcp.ask<{ text: string; seconds: number; confirm: string }>('start_run', {
      plan: 'tiny.prune.json',
      seed: 5,
    });
    expect(first).toMatchObject({ started: false, run: null });
    expect(first.seconds).toBeGreaterThan(0);
    expect(first.text).toMatch(/Nothing has started.*about .*6 iterations of 2 epochs/);
    expect((await mcp.ask<{ runs: unknown[] }>('list_runs', {})).runs).toEqual([]);

    const started = await mcp.ask<{ run: string }>('start_run', {
      plan: 'tiny.prune.json',
      seed: 5,
      confirm: first.confirm,
    });
    // A lost answer is requested again: there is still one run.
    expect(await mcp.ask('start_run', { plan: 'tiny.prune.json', seed: 5, confirm: first.confirm })).toMatchObject({
      run: started.run,
    });
    const done = await mcp.finish(started.run);
    expect(done).toMatchObject({
      state: 'done',
      kept: KAPPA,
      progress: 1,
      result: { kept: KAPPA, prunable: PRUNABLE },
    });
    expect((await mcp.ask<{ runs: unknown[] }>('list_runs', {})).runs).toHaveLength(1);
    const { result } = done as { result: { pruned: { error: number }; model: string; report: string } };
    // Three clusters, far apart.
    expect(result.pruned.error).toBeLessThan(0.15);
    expect(await readFile(ws.path(result.report), 'utf8')).toContain('| fc1 |');

    const second = await mcp.start('tiny.prune.json', { seed: 6 });
    await mcp.finish(second);
    const compared = await mcp.ask<{ runs: { run: string; seed: number; errorChange: number; error: number; referenceError: number }[] }>('compare_runs', { runs: [started.run, second] }); // prettier-ignore
    expect(compared.runs.map(({ run, seed }) => [run, seed])).toEqual([
      [started.run, 5],
      [second, 6],
    ]);
    for (const row of compared.runs) expect(row.errorChange).toBeCloseTo(row.error - row.referenceError, 12);

    const { formats } = await mcp.ask<{ formats: { format: string; bytes: number }[] }>('list_export_formats', {
      run: started.run,
    });
    const listed = formats.find(({ format }) => format === 'onnx')!;
    const written = await mcp.ask<{ path: string; bytes: number }>('export_run', {
      run: started.run,
      format: 'onnx',
      target: 'pruned.onnx',
    });
    expect(written).toMatchObject({ path: 'pruned.onnx', bytes: listed.bytes });
    expect((await stat(ws.path('pruned.onnx'))).size).toBe(listed.bytes);
    expect(await mcp.refuse('export_run', { run: started.run, format: 'onnx', target: 'pruned.onnx' })).toContain(
      'pruned.onnx exists',
    );
    await mcp.ask('export_run', { run: started.run, format: 'onnx', target: 'pruned.onnx', overwrite: true });

    const { resources } = await mcp.client.listResources();
    const uris = resources.map(({ uri }) => uri);
    expect(uris).toEqual(
      expect.arrayContaining(['lc-prune://schema/plan', `lc-prune://runs/${encodeURIComponent(started.run)}/result`]),
    );
    const read = async (uri: string) => (await mcp.client.readResource({ uri })).contents[0] as { text: string };
    expect(JSON.parse((await read(`lc-prune://runs/${encodeURIComponent(started.run)}/result`)).text)).toMatchObject({
      run: started.run,
      result: { kept: KAPPA },
      resolvedPlan: { seed: 5 },
    });
    expect(JSON.parse((await read('lc-prune://schema/plan')).text)).toMatchObject({ type: 'object' });
    expect((await read(`lc-prune://runs/${encodeURIComponent(started.run)}/report`)).text).toContain('| fc1 |');
  }, 180_000);

  it('stops a run in the middle, gets its progress, and resumes it', async () => {
    const run = await mcp.start('long.prune.json');
    const told: number[] = [];
    const waited = await mcp.call('run_status', { run, wait_seconds: 3 }, ({ progress }) => told.push(progress));
    expect(waited.data).toMatchObject({ state: 'running' });
    expect(told.length).toBeGreaterThan(0);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(await mcp.ask('stop_run', { run })).toMatchObject({ state: 'stopped' });
    // Once more: it is stopped already.
    expect(await mcp.ask('stop_run', { run })).toMatchObject({ state: 'stopped' });
    const cost = await mcp.ask<{ confirm: string; text: string }>('resume_run', { run });
    expect(cost.text).toMatch(/Nothing has started.*% of it is left/);
    expect(await mcp.ask('run_status', { run })).toMatchObject({ state: 'stopped' });
    expect(await mcp.ask('resume_run', { run, confirm: cost.confirm })).toMatchObject({ started: true, run });
    expect(await mcp.ask('run_status', { run })).toMatchObject({ state: 'running' });
    await mcp.ask('stop_run', { run });
  }, 120_000);

  it('computes a curve of budgets, and looks for the smallest network that meets a goal in words', async () => {
    const path = { budgets: ['75%', '25%'] };
    const cost = await mcp.ask<{ text: string }>('start_run', { plan: 'tiny.prune.json', path: { points: 16 } });
    expect(cost.text).toMatch(/Nothing has started.*It takes at most about .*: 16 budgets, for the first/);
    const run = await mcp.start('tiny.prune.json', { path });
    expect(await mcp.finish(run)).toMatchObject({ state: 'done' });
    const planned = async (name: string) =>
      (JSON.parse(await readFile(ws.path('.lcprune', 'runs', name, 'plan.json'), 'utf8')) as ResolvedPlan).path!;
    expect((await planned(run)).budgets).toEqual([{ keep: '75%' }, { keep: '25%' }]);

    const search = await mcp.start('long.prune.json', { goal: 'lose at most 5%', path: { points: 2 } });
    expect(await planned(search)).toMatchObject({ maxErrorIncrease: 0.05, budgets: [{}, {}] });
    await mcp.ask('stop_run', { run: search });

    const plan = 'tiny.prune.json';
    expect(await mcp.refuse('start_run', { plan, goal: '25%' })).toMatch(/"25%" is no goal on the error/);
    expect(await mcp.refuse('start_run', { plan, goal: 'error 3%', path: { maxError: '2%' } })).toMatch(/both bound/);
  }, 120_000);

  it('leaves a checkpoint when it goes while a run is running', async () => {
    const other = await McpClient.start(ws.folder);
    const run = await other.start('long.prune.json');
    const trainer = Number(JSON.parse(await readFile(ws.path('.lcprune', 'runs', run, 'lock'), 'utf8').catch(() => '{}'))['pid']); // prettier-ignore
    await other.client.close();
    const status = await mcp.finish(run);
    expect(status).toMatchObject({ state: 'interrupted', message: expect.stringContaining('resume continues') });
    if (trainer > 0) expect(isAlive(trainer)).toBe(false);
    const { confirm } = await mcp.ask<{ confirm: string }>('resume_run', { run });
    await mcp.ask('resume_run', { run, confirm });
    await mcp.ask('stop_run', { run });
  }, 120_000);
});

describe('an MCP client that asks for what it should not have', () => {
  it('gets no file from outside the root folder', async () => {
    const outside = await tinyWorkspace();
    const before = await outside.listing();
    try {
      for (const model of [
        '../not-in-this-root/model.json',
        outside.path('model.json'),
        'https://example.org/model.json',
        'a\0b',
      ]) {
        const error = await mcp.refuse('inspect_model', { model });
        expect(error).not.toContain('\n');
        expect(error).toMatch(/leads out of|is a URL|is not a path/);
      }
      expect(await mcp.refuse('start_run', { plan: outside.path('tiny.prune.json') })).toMatch(/leads out of/); // prettier-ignore
      expect(await mcp.refuse('check_plan', { plan: '../tiny.prune.json' })).toMatch(/leads out of/);
      await writeFile(ws.path('out.prune.json'), JSON.stringify({ ...TINY_PLAN, model: outside.path('model.json') }));
      expect(await mcp.refuse('start_run', { plan: 'out.prune.json' })).toMatch(/leads out of/);
      const { runs } = await mcp.ask<{ runs: { run: string; state: string }[] }>('list_runs', {});
      const done = runs.find(({ state }) => state === 'done')!.run;
      const target = outside.path('stolen.onnx');
      expect(await mcp.refuse('export_run', { run: done, format: 'onnx', target })).toMatch(/leads out of/);
      expect(await outside.listing()).toEqual(before);
    } finally {
      await outside.remove();
    }
  });

  it('gets a sentence that names the wrong argument', async () => {
    expect(await mcp.refuse('inspect_model', {})).toBe('inspect_model: "model" is missing; it must be text');
    expect(await mcp.refuse('inspect_model', { model: 5 })).toBe('inspect_model: "model" must be text; it is 5');
    expect(await mcp.refuse('inspect_model', { model: 'model.json', more: 1 })).toContain('unknown key "more"');
    expect(await mcp.refuse('run_status', { run: 'x', wait_seconds: 1e9 })).toContain('"wait_seconds" must be');
    expect(await mcp.refuse('preview_budget', { budget: { keep: '1%' } })).toContain('either "model" or "plan"');
    expect(await mcp.refuse('preview_budget', { model: 'model.json', budget: { keep: 'much' } })).toContain('budget');
    await expect(mcp.client.callTool({ name: 'rm_rf', arguments: {} })).rejects.toThrow('there is no tool "rm_rf"');
  });

  it('gets errors for unknown runs, resources and models', async () => {
    for (const [tool, more] of [
      ['run_status', {}],
      ['stop_run', {}],
      ['resume_run', {}],
      ['list_export_formats', {}],
      ['export_run', { format: 'onnx', target: 'x.onnx' }],
    ] as const)
      for (const run of ['nothing', '../../etc', '..'])
        expect(await mcp.refuse(tool, { run, ...more }), tool).toContain('no run is called');
    expect(await mcp.refuse('compare_runs', { runs: ['a', 'b'] })).toContain('no run is called');
    for (const uri of [
      'lc-prune://runs/nothing/result',
      'lc-prune://runs/..%2F..%2Fetc/report',
      'file:///etc/passwd',
      'lc-prune://runs/%E0%A4%A/result',
    ])
      // prettier-ignore
      await expect(mcp.client.readResource({ uri }), uri).rejects.toThrow(/no run is called|no resource/);
    expect(await mcp.refuse('inspect_model', { model: 'none.keras' })).toContain('none.keras');
  });

  it('starts no run by an invalid plan, another token, or a plan that has changed', async () => {
    await writeFile(ws.path('bad.prune.json'), '{\n  "model": "model.json",\n  "data": "data.csv",\n  "budgit": 3\n}');
    const { problems } = await mcp.ask<{ problems: { line: number; column: number; message: string }[] }>(
      'check_plan',
      {
        plan: 'bad.prune.json',
      },
    );
    expect(problems[0]).toMatchObject({ line: 4, column: 3, message: expect.stringContaining('budgit') });
    expect(await mcp.refuse('start_run', { plan: 'bad.prune.json' })).toContain('bad.prune.json:');
    expect(await mcp.ask('check_plan', { plan: 'new.prune.json', text: JSON.stringify(TINY_PLAN) })).toMatchObject({ valid: true }); // prettier-ignore

    expect(await mcp.refuse('start_run', { plan: 'tiny.prune.json', confirm: 'abcdef' })).toContain('"confirm"');
    const { confirm } = await mcp.ask<{ confirm: string }>('start_run', { plan: 'tiny.prune.json' });
    expect(await mcp.refuse('start_run', { plan: 'tiny.prune.json', seed: 9, confirm })).toContain('have changed');
    await writeFile(ws.path('tiny.prune.json'), `${JSON.stringify({ ...TINY_PLAN, seed: 3 })}\n`);
    expect(await mcp.refuse('start_run', { plan: 'tiny.prune.json', confirm })).toContain('have changed');
    const { runs } = await mcp.ask<{ runs: { state: string }[] }>('list_runs', {});
    expect(runs.filter(({ state }) => state === 'running')).toEqual([]);
  });
});

describe('lc-prune mcp', () => {
  it('refuses a root that is none', async () => {
    const { lcPrune } = await import('../../fixtures/cli.js');
    for (const root of [join(ws.folder, 'nowhere'), '/']) {
      const { code, stderr, stdout } = await lcPrune(['mcp', '--root', root], { cwd: ws.folder });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^error: --root: /);
    }
  });
});
