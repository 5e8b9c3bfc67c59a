import { describe, expect, it } from 'vitest';
import { planProblem, planSchema } from '../../src/commands/plan/schema.ts';
import { somePlan } from './some-plan.ts';

/** A document with one part of it replaced. */
function without(part: object): unknown {
  return { ...somePlan, ...part };
}

const [change] = somePlan.changes;

describe('the schema of plans', () => {
  it('is the file that is published; vitest -u writes it', async () => {
    await expect(`${JSON.stringify(planSchema, null, 2)}\n`).toMatchFileSnapshot(
      '../../schema/plan.schema.json',
    );
  });

  it('takes a plan, also one with fields of a later minor version', () => {
    expect(planProblem(somePlan)).toBeUndefined();
    expect(planProblem(without({ later: 1, changes: [{ ...change, later: {} }] }))).toBeUndefined();
  });

  it.each([
    ['null', null, 'the document is not of type object'],
    ['a list', [], 'the document is not of type object'],
    ['a text', 'plan', 'the document is not of type object'],
    ['an empty object', {}, 'format_version is missing'],
    [
      'another major version',
      without({ format_version: '2.0' }),
      'format_version is not of the form ^1\\.\\d+$',
    ],
    ['another type', without({ type: 'check' }), 'type is not one of plan, apply'],
    ['a list that is none', without({ changes: {} }), 'changes is not of type array'],
    ['an entry that is none', without({ held: [null] }), 'held[0] is not of type object'],
    [
      'an operation that there is not',
      without({ changes: [change, { ...change, op: 'destroy' }] }),
      'changes[1].op is not one of add, update, delete',
    ],
    ['a path that is a number', without({ errors: [{ path: 1 }] }), 'errors[0].code is missing'],
    [
      'a version below 0',
      without({ changes: [{ ...change, to: { version: -1, updated_at: '' } }] }),
      'changes[0].to.version is less than 0',
    ],
    [
      'a version that is no integer',
      without({ changes: [{ ...change, to: { version: 1.5, updated_at: '' } }] }),
      'changes[0].to.version is not of type integer',
    ],
    ['an inherited field', Object.create(somePlan), 'format_version is missing'],
    [
      'a basis without a hash',
      without({ basis: { ...somePlan.basis, config_hash: 'sha256:x' } }),
      'basis.config_hash is not of the form ^sha256:[0-9a-f]{64}$',
    ],
    ['no guards', without({ guards: [] }), 'guards has 0 entries'],
    [
      'guards in another order',
      without({ guards: [...somePlan.guards].reverse() }),
      'guards[0].value is missing',
    ],
  ])('refuses %s', (_name, content, problem) => {
    expect(planProblem(content)).toBe(problem);
  });
});
