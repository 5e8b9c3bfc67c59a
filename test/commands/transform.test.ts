import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runMain } from './run-main.ts';

/** `transform test` and `transform list`. The addresses lead nowhere: whoever used the network would fail. */

const rule = {
  name: 'v1->v2',
  from: '^(?P<mount>secret)/data/runner/(?P<env>\\w+)/(?P<app>\\w+)/?$',
  to: 'runner/data/env/app/secrets',
};

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vsync-transform-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Sides {
  readonly origin?: object;
  readonly destination?: object;
}

function config({ origin, destination }: Sides = {}): string {
  const side = (port: number) => ({
    vault: { address: `http://127.0.0.1:${port}`, token: 'canary-token' },
    consul: { address: 'http://127.0.0.1:3' },
    mounts: ['secret/'],
  });
  const content = {
    origin: { ...side(1), ...origin },
    destination: { ...side(2), mounts: undefined, transforms: [rule], ...destination },
  };
  const file = join(dir, `${crypto.randomUUID()}.json`);
  writeFileSync(file, JSON.stringify(content));
  return file;
}

const test = (paths: readonly string[], sides?: Sides, ...flags: string[]) =>
  runMain(['transform', 'test', ...flags, '-c', config(sides), ...paths]);

describe('vsync transform test', () => {
  it('prints the target and the rule, or that the path stays', async () => {
    const { code, out, err } = await test(['secret/data/runner/stage/app1', 'secret/data/other']);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toBe(
      'secret/data/runner/stage/app1\n  -> runner/data/stage/app1/secrets  by "v1->v2"\n' +
        'secret/data/other\n  unchanged: no rule matches\n',
    );
  });

  const cases = [
    {
      name: 'two paths with one target',
      paths: ['secret/data/runner/stage/a', 'secret/data/runner/stage/a/'],
      sides: {},
      id: 'TRANSFORM_COLLISION',
    },
    {
      name: 'a target that is no data path',
      paths: ['secret/data/a'],
      sides: {
        destination: { transforms: [{ name: 'r', from: '^secret/data/(?P<key>.+)$', to: 'plain/key' }] },
      },
      id: 'TRANSFORM_BAD_TARGET',
    },
    {
      name: 'a target on none of the configured mounts',
      paths: ['secret/data/runner/stage/a'],
      sides: { destination: { mounts: ['secret/'], transforms: [rule] } },
      id: 'TRANSFORM_BAD_TARGET',
    },
    {
      name: 'a target that no request can name',
      paths: ['secret/data/a/../b'],
      sides: {},
      id: 'PATH_NOT_ADDRESSABLE',
    },
    {
      name: "a target that is the origin's own, in one Vault",
      paths: ['secret/data/a'],
      sides: { destination: { vault: { address: 'http://127.0.0.1:1', token: 't' } } },
      id: 'TRANSFORM_LOOP',
    },
  ];
  it.each(cases)('$name: exit code 3, the path is named', async ({ paths, sides, id }) => {
    const { code, out } = await test(paths, sides);
    expect(code).toBe(3);
    expect(out).toContain(`! ${id}: `);
  });

  const notes = [
    { name: 'no data path', path: 'secret/a', note: 'was secret/data/a meant' },
    { name: 'not on a mount of the origin', path: 'other/data/a', note: 'none of origin.mounts: secret/' },
    { name: 'left out by a filter', path: 'secret/data/tmp/a', note: 'left out by origin.include' },
  ];
  it.each(notes)('$name is worth a note', async ({ path, note }) => {
    const { out } = await test([path], { origin: { exclude: ['secret/tmp/**'] } });
    expect(out).toContain(note);
  });

  it('--json: one document', async () => {
    const { code, out } = await test(
      ['secret/data/runner/s/a', 'secret/data/runner/s/a/', 'secret/data/b'],
      {},
      '--json',
    );
    expect(code).toBe(3);
    const document = JSON.parse(out);
    expect(document).toMatchObject({ format_version: '1.0', type: 'transform_test' });
    expect(document.results).toMatchObject([
      { target: 'runner/data/s/a/secrets', rule: 'v1->v2', problem: { id: 'TRANSFORM_COLLISION' } },
      { problem: { id: 'TRANSFORM_COLLISION' } },
      { path: 'secret/data/b', target: 'secret/data/b', rule: null, problem: null, notes: [] },
    ]);
  });

  it('without a path: 64', async () => {
    const { code, err } = await test([]);
    expect(code).toBe(64);
    expect(err).toContain('no path was given');
  });

  it('standard input for both configuration and paths: 64', async () => {
    const { code, err } = await runMain(['transform', 'test', '-c', '-', '-c', config(), '-']);
    expect(code).toBe(64);
    expect(err).toContain('cannot give both');
  });

  it("an origin's configuration: 78", async () => {
    const file = join(dir, 'origin.json');
    const { origin } = JSON.parse(readFileSync(config(), 'utf8'));
    writeFileSync(file, JSON.stringify({ origin }));
    const { code, err } = await runMain(['transform', 'test', '-c', file, 'secret/data/a']);
    expect(code).toBe(78);
    expect(err).toContain('destination.vault.address');
  });

  it('a path cannot move the cursor', async () => {
    const { out } = await test(['secret/data/\u001b[2J']);
    expect(out).not.toContain('\u001b');
    expect(out).toContain('secret/data/\\u{1b}[2J');
  });
});

describe('vsync transform list', () => {
  const odd = { name: 'odd', from: 'secret/data/x', to: 'y/data/x' };

  it('prints the rules in their order, with what is odd about them', async () => {
    const sides = { destination: { transforms: [rule, odd] } };
    const { code, out } = await runMain(['transform', 'list', '-q', '-c', config(sides)]);
    expect(code).toBe(0);
    expect(out).toContain(`1. v1->v2\n   from  ${rule.from}\n   to    ${rule.to}\n2. odd\n`);
    expect(out).toContain('   warning: `from` has no named group');
  });

  it('--json, and without rules', async () => {
    const { out } = await runMain(['transform', 'list', '--json', '-c', config()]);
    expect(JSON.parse(out).transforms).toEqual([{ ...rule, warnings: [] }]);
    const none = await runMain(['transform', 'list', '-c', config({ destination: { transforms: [] } })]);
    expect(none.out).toBe('No transforms: every path stays as it is.\n');
  });

  it('never prints a token', async () => {
    const { out, err } = await runMain(['transform', 'list', '-v', '-c', config()]);
    expect(out + err).not.toContain('canary');
  });
});
