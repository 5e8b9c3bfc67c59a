import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Change, PlanDocument } from '../../src/commands/plan/document.ts';
import { PlanWorld, type Result } from './plan-world.ts';
import { change, somePlan } from './some-plan.ts';

/** `vsync show`: a saved plan in another form, without configuration or network. */

let world: PlanWorld;
beforeAll(async () => {
  world = await PlanWorld.start();
});
afterAll(() => world?.stop());

async function show(plan: unknown, args: readonly string[] = [], columns?: number): Promise<Result> {
  await writeFile(world.file('p.json'), typeof plan === 'string' ? plan : JSON.stringify(plan));
  return world.bare(['show', 'p.json', '--no-color', ...args], columns === undefined ? {} : { columns });
}

const [first, second, , last] = somePlan.changes as [Change, Change, Change, Change];

const applied: PlanDocument = {
  ...somePlan,
  type: 'apply',
  complete: false,
  changes: [
    { ...first, result: 'done', message: 'equal already, no new version' },
    {
      ...second,
      result: 'failed',
      message: 'refused',
      code: 'VAULT_FORBIDDEN',
      hint: 'ask',
    },
    { ...last, result: 'skipped', message: 'deletes wait' },
  ],
  summary: { ...somePlan.summary, operation: 'apply', add: 1, update: 0, delete: 0, failed: 1, skipped: 1 },
};

describe('vsync show', () => {
  it('prints a plan as it was printed when it was made, with ages as of then', async () => {
    const { code, out } = await show(somePlan);
    expect(code).toBe(0);
    expect(out).toContain('Origin info published 14s ago (4 210 paths, 16 buckets)');
    expect(out).toMatch(/\n {2}\+ secret\/data\/app\/web\/db +v1 +add +new in origin, 2m ago\n/);
    expect(out).toMatch(/Saved plan of 2026-11-21T01:00:00.000Z. To run exactly this: vsync apply p.json\n$/);
  });

  it('prints the report of an apply: what failed last, with what to do', async () => {
    const { out } = await show(applied);
    expect(out).toMatch(/^vsync apply {2}origin dc1/);
    expect(out).toMatch(/\+ secret\/data\/app\/web\/db +v1 +add +done: equal already, no new version\n/);
    expect(out).toMatch(/\? secret\/data\/app\/web\/legacy +v4 +delete +skipped: deletes wait\n/);
    expect(out).toMatch(
      /! secret\/data\/app\/web\/api +v7 -> v9 +update +failed: refused \(VAULT_FORBIDDEN\)\n {6}fix: ask\n/,
    );
    expect(out).toMatch(/Applied: 1 added, 0 updated, 0 deleted, 1 failed, 2 skipped\./);
    expect(out).toMatch(/Applied at 2026-11-21T01:00:00.000Z; the run was stopped before its end.\n$/);
  });

  it('--format json and --json print the document', async () => {
    for (const args of [['--format', 'json'], ['--json']])
      expect(JSON.parse((await show(somePlan, args)).out)).toEqual(somePlan);
  });

  it('--format markdown', async () => {
    expect((await show(somePlan, ['--format', 'markdown'])).out).toBe(`\
### vsync plan

**Plan: 1 to add, 2 to update, 1 to delete, 1 skipped.   4 206 unchanged.**

origin dc1 \`https://vault.dc1:8200\` → destination dest&#95;v2 \`https://vault.dc2:8200\`, \`2026-11-21T01:00:00.000Z\`

| | path | versions | | why |
|---|---|---|---|---|
| \`+\` | \`secret/data/app/web/db\` | v1 | add | new in origin, 2m ago |
| \`~\` | \`secret/data/app/web/api\` | v7 -&#62; v9 | update | origin is 2 versions ahead, 40s ago |
| \`~\` | \`secret/data/app/old/rot\`<br>→ \`runner/data/app/old/rot/secrets\` by \`v1->v2\` | v3 -&#62; v3 | update | recreated in origin (same version, later time) |
| \`-\` | \`secret/data/app/web/legacy\` | v4 | delete | deleted in origin; latest version will be soft-deleted |
| \`!\` | \`secret/data/team/x\` |  | skip | nowhere/data/x is not &#60;mount&#62;data/&#60;key&#62; of a KV v2 mount at the destination Vault (TRANSFORM&#95;BAD&#95;TARGET) |

Guard: deletes 1 of 4 209 (0.02 %), limit 420 - ok.
`);
  });

  it('Markdown is cut to what a comment holds, what is wrong stays; --full prints all', async () => {
    const changes = Array.from({ length: 500 }, (_, i) => change({ op: 'add', path: `secret/data/k${i}` }));
    const rows = (text: string) => text.split('\n').filter((line) => /^\| `/.test(line));
    const { out } = await show({ ...somePlan, changes }, ['--format', 'markdown']);
    expect(rows(out)).toHaveLength(200);
    expect(rows(out).at(-1)).toContain('secret/data/team/x');
    expect(out).toContain('The last 200 of 501:');
    expect(rows((await show({ ...somePlan, changes }, ['--format', 'markdown', '--full'])).out)).toHaveLength(
      501,
    );
  });

  it('text is cut on a terminal; --full prints all', async () => {
    const changes = Array.from({ length: 500 }, (_, i) => change({ op: 'add', path: `secret/data/k${i}` }));
    expect((await show({ ...somePlan, changes }, [], 80)).out).toMatch(
      / {2}\.\.\. \d+ more, use --json or --full\n/,
    );
    expect((await show({ ...somePlan, changes }, ['--full'], 80)).out).toContain('secret/data/k499');
    expect((await show({ ...somePlan, changes })).out).toContain('secret/data/k499');
  });

  it('a hostile plan reaches neither the terminal nor the Markdown around it', async () => {
    const evil = '\u001b[2J|`</code><img src=x onerror=alert(1)>\n# [x](javascript:1) @everyone';
    const plan: PlanDocument = {
      ...somePlan,
      created_at: 'not a time',
      origin: { ...somePlan.origin, name: evil, vault: evil, published_at: evil },
      destination: { ...somePlan.destination, name: evil, vault: evil },
      changes: [
        change({
          op: 'add',
          path: evil,
          destination_path: `x${evil}`,
          transform: evil,
          to: { version: 1, updated_at: evil },
        }),
      ],
      errors: [{ path: evil, code: evil, message: evil }],
    };
    for (const columns of [undefined, 60])
      expect((await show(plan, [], columns)).out).not.toMatch(/[^\n\P{C}]/u);
    const { out } = await show(plan, ['--format', 'markdown']);
    expect(out).not.toMatch(/<img|<\/code><img|\n#(?!##)|\]\(|@everyone/);
    for (const row of out.split('\n').filter((line) => line.startsWith('| `')))
      expect(row.replace(/`[^`]*`/g, '').match(/\|/g)).toHaveLength(6);
  });

  it('64 for no file, 65 for what is no plan', async () => {
    expect((await world.bare(['show', 'nowhere.json'])).code).toBe(64);
    expect((await world.bare(['show'])).code).toBe(64);
    expect((await show(somePlan, ['--format', 'xml'])).code).toBe(64);
    const { code, out, err } = await show('{"canary-key":"canary-value"}', ['--json']);
    expect({ code, out }).toEqual({ code: 65, out: '' });
    expect(JSON.parse(err)).toMatchObject({ type: 'exit_error', code: 65, id: 'PLAN_INVALID' });
    expect(err).not.toContain('canary');
  });
});
