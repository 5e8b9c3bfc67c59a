import { expect, it } from 'vitest';
import { originKeys, temporaryFolder } from '../config/support.ts';
import { runMain } from './run-main.ts';

it('a daemon that reaches no server within startupTimeout ends with 69', async () => {
  const nobody = 'http://127.0.0.1:1';
  const config = {
    ...originKeys,
    'origin.vault.address': nobody,
    'origin.consul.address': nobody,
    startupTimeout: '100ms',
    'retry.base': '10ms',
    'log.type': 'json',
  };
  const file = temporaryFolder().write('origin.json', JSON.stringify(config));
  const { code, err } = await runMain(['origin', '-c', file]);
  expect(code).toBe(69);
  const log = err
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(log).toContainEqual(expect.objectContaining({ level: 'error', 'error.id': 'STARTUP_TIMEOUT' }));
});
