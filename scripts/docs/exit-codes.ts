import { exitCodes } from '../../src/base/errors.ts';

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'done; in sync; a daemon that was asked to stop',
  failed: 'failed for a reason of no other code here',
  differences: 'there are differences (only with `--detailed-exitcode`, `check`, `status --check`)',
  somePathsFailed: 'the cycle is complete, but some secrets failed',
  held: 'the guard holds deletes; none was made',
  usage: 'the command line is wrong',
  stale: 'a saved plan is stale, or sync info is corrupt',
  unavailable: 'Vault or Consul cannot be reached, or the origin has published nothing yet',
  tryLater: 'another process is at it, or the time limit has passed',
  denied: 'permission denied, or a token that is not accepted',
  config: 'the configuration is wrong',
  interrupted: 'ended by SIGINT before it was finished',
  terminated: 'ended by SIGTERM before it was finished',
};

/** Every exit code with its meaning, in the order of `exitCodes`. */
export const exitCodeRows: readonly (readonly [code: number, meaning: string])[] = Object.entries(
  exitCodes,
).map(([name, code]) => [code, meanings[name as keyof typeof exitCodes]]);
