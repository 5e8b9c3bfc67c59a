import { describe, expect, it } from 'vitest';
import type { PlanDocument } from '../../src/commands/plan/document.ts';
import { pathsText, plainText } from '../../src/commands/plan/plain.ts';
import { planText } from '../../src/commands/plan/text.ts';
import { change, somePlan } from './some-plan.ts';

const ending = ['Nothing was changed.'];

function text(plan: PlanDocument, width: number, maxLines = Number.POSITIVE_INFINITY, color = false): string {
  return planText(plan, { style: { width, color }, maxLines, ending });
}

describe('a plan for people', () => {
  it('is wide where there is room', () => {
    expect(text(somePlan, 160)).toBe(`\
vsync plan  origin dc1 https://vault.dc1:8200  ->  destination https://vault.dc2:8200   (name: dest_v2)
Origin info published 14s ago (4 210 paths, 16 buckets); destination info 4 209 paths; 3 of 16 buckets differ

  + secret/data/app/web/db      v1        add     new in origin, 2m ago
  ~ secret/data/app/web/api     v7 -> v9  update  origin is 2 versions ahead, 40s ago
  ~ secret/data/app/old/rot     v3 -> v3  update  recreated in origin (same version, later time)
      -> runner/data/app/old/rot/secrets   transform "v1->v2"
  - secret/data/app/web/legacy  v4        delete  deleted in origin; latest version will be soft-deleted
  ! secret/data/team/x          -         skip    nowhere/data/x is not <mount>data/<key> of a KV v2 mount at the destination Vault (TRANSFORM_BAD_TARGET)

Plan: 1 to add, 2 to update, 1 to delete, 1 skipped.   4 206 unchanged.
Guard: deletes 1 of 4 209 (0.02 %), limit 420 - ok.
Nothing was changed.
`);
  });

  it('is read at 60 columns: no line is longer but where a path or a command is', () => {
    const narrow = text(somePlan, 60);
    expect(narrow).toBe(`\
vsync plan  (name: dest_v2)
  origin dc1 https://vault.dc1:8200
  ->  destination https://vault.dc2:8200
Origin info published 14s ago (4 210 paths, 16 buckets);
  destination info 4 209 paths; 3 of 16 buckets differ

  + secret/data/app/web/db
      add v1: new in origin, 2m ago
  ~ secret/data/app/web/api
      update v7 -> v9: origin is 2 versions ahead, 40s ago
  ~ secret/data/app/old/rot
      update v3 -> v3: recreated in origin (same version,
        later time)
      -> runner/data/app/old/rot/secrets
        transform "v1->v2"
  - secret/data/app/web/legacy
      delete v4: deleted in origin; latest version will be
        soft-deleted
  ! secret/data/team/x
      skip: nowhere/data/x is not <mount>data/<key> of a KV
        v2 mount at the destination Vault
        (TRANSFORM_BAD_TARGET)

Plan: 1 to add, 2 to update, 1 to delete, 1 skipped.
  4 206 unchanged.
Guard: deletes 1 of 4 209 (0.02 %), limit 420 - ok.
Nothing was changed.
`);
    expect(narrow.split('\n').filter((line) => line.length > 60)).toEqual([]);
  });

  it('says the same with colour as without', () => {
    const colored = text(somePlan, 80, undefined, true);
    expect(colored).toContain('\u001b[32m+\u001b[0m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours.
    expect(colored.replace(/\u001b\[[\d;]+m/g, '')).toBe(text(somePlan, 80));
  });

  it('names what is held, kept and forgotten, after what is done', () => {
    const deleted = change({ op: 'delete', path: 'secret/data/a', from: { version: 1, updated_at: '' } });
    const [maxDeletes, empty] = somePlan.guards;
    const plan: PlanDocument = {
      ...somePlan,
      changes: [],
      errors: [],
      held: [deleted],
      kept: [{ ...deleted, path: 'secret/data/b', destination_path: 'secret/data/b' }],
      forgotten: [{ ...deleted, path: 'secret/data/c', destination_path: 'secret/data/d', transform: 't' }],
      guards: [{ ...maxDeletes, held: true, value: 812 }, empty],
      summary: { ...somePlan.summary, add: 0, update: 0, delete: 0, error: 0, held: 1 },
    };
    const lines = text(plan, 160).split('\n').slice(3);
    expect(lines.join('\n')).toBe(`\
  - secret/data/c  v1  forget  its target belongs to another path; nothing is deleted
      -> secret/data/d   transform "t"
  ! secret/data/b  v1  keep    deleted in origin; ignoreDeletes keeps it
  ! secret/data/a  v1  held    deleted in origin; the guard holds it

Plan: 0 to add, 0 to update, 0 to delete, 1 forgotten, 1 kept, 1 held.   4 206 unchanged.
Guard: deletes 812 of 4 209 (19.3 %), limit 420 - held. If intended: vsync approve 7f3a9c2e, or --approve-deletes 7f3a9c2e (valid for this exact set only).
Nothing was changed.
`);
    const emptyOrigin = text({ ...plan, guards: [maxDeletes, { name: 'empty_origin', held: true }] }, 200);
    expect(emptyOrigin).toContain(
      'Guard: the origin lists no path at all - held. If intended: vsync approve 7f3a9c2e',
    );
  });

  it('leaves out what is not known', () => {
    const { name: _name, published_at: _at, ...origin } = somePlan.origin;
    const plan: PlanDocument = { ...somePlan, origin: { ...origin, unreadable: 2 } };
    expect(text(plan, 160).split('\n').slice(0, 2)).toEqual([
      'vsync plan  origin https://vault.dc1:8200  ->  destination https://vault.dc2:8200   (name: dest_v2)',
      'Origin info (4 210 paths, 16 buckets; 2 unreadable in its last cycle); destination info 4 209 paths; 3 of 16 buckets differ',
    ]);
  });

  it('is cut to 200 lines on a terminal; what is wrong stays', () => {
    const many = (count: number, prefix: string) =>
      Array.from({ length: count }, (_, i) => change({ op: 'add', path: `secret/data/${prefix}${i}` }));
    const listed = (plan: PlanDocument) =>
      text(plan, 160, 200)
        .split('\n')
        .filter((line) => line.startsWith('  '));
    const plan: PlanDocument = { ...somePlan, changes: many(2000, 'k'), held: many(3, 'held'), errors: [] };
    expect(listed(plan)).toHaveLength(200);
    expect(listed(plan)[196]).toBe('  ... 1 804 more, use --json or --full');
    expect(listed(plan).slice(197).join()).toMatch(/held0.*held1.*held2/);

    const cut = listed({ ...plan, held: many(2000, 'held') });
    expect(cut).toHaveLength(200);
    expect(cut.filter((line) => line.includes('1 901 more, use'))).toHaveLength(2);
    expect(cut[99]).toContain('1 901 more, use');
    expect(cut[199]).toContain('1 901 more, use');
  });

  it('is cheap for many paths', () => {
    const changes = Array.from({ length: 50_000 }, (_, i) => change({ op: 'add', path: `secret/data/${i}` }));
    expect(text({ ...somePlan, changes }, 80, 200).split('\n').length).toBeLessThan(220);
  });
});

describe('hostile paths', () => {
  const path = 'secret/data/a\u001b[2J\tb\nc\u202ed';
  const plan: PlanDocument = {
    ...somePlan,
    changes: [change({ op: 'add', path })],
    errors: [],
    origin: { ...somePlan.origin, name: 'x\u001b[31m' },
  };
  const shown = 'secret/data/a\\u{1b}[2J\\u{9}b\\u{a}c\\u{202e}d';

  it('reach no terminal', () => {
    expect(text(plan, 80)).toContain(shown);
    expect(text(plan, 80)).not.toMatch(/[^\n\P{C}]/u);
  });

  it('are one line and one column', () => {
    expect(plainText(plan)).toBe(`add\t${shown}\t${shown}\t-\t-\tmissing\n`);
    expect(pathsText(plan)).toBe(`${shown}\n`);
  });
});

describe('a plan for programs without JSON', () => {
  it('has a line for each path', () => {
    expect(plainText(somePlan)).toBe(`\
add\tsecret/data/app/web/db\tsecret/data/app/web/db\t-\t1\tmissing
update\tsecret/data/app/web/api\tsecret/data/app/web/api\t7\t9\tversion_ahead
update\tsecret/data/app/old/rot\trunner/data/app/old/rot/secrets\t3\t3\trecreated
delete\tsecret/data/app/web/legacy\tsecret/data/app/web/legacy\t4\t-\tdeleted_in_origin
skip\tsecret/data/team/x\tnowhere/data/x\t-\t-\tTRANSFORM_BAD_TARGET
`);
  });

  it('--paths: what would be done, nothing else', () => {
    expect(pathsText(somePlan).split('\n')).toHaveLength(4 + 1);
  });
});
