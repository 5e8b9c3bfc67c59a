import { expect, it } from 'vitest';
import { SecretValue } from '../../src/sync/secret-value.ts';

it('has no fingerprint: the beginning of a hash would be enough to guess a short value', () => {
  expect(new SecretValue('{"pin":"1234"}').fingerprint()).toBe('[redacted]');
});
