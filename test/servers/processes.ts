import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A server process that a test started and must stop. */
export interface ServerProcess {
  readonly pid: number;
  /** What the process wrote so far, both streams: shown when it does not come up. */
  output(): string;
  /** Ends the process and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** A free TCP port on loopback. Another process may take it before its user binds it: callers retry. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Asks `condition` every 50 ms until it is true; throws after `timeoutMs`, or what `condition` throws. */
export async function waitFor(
  condition: () => Promise<boolean> | boolean,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not true within ${timeoutMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts `binary` and waits until `ready` answers true.
 * Throws with the output of the process when it ends early or is not ready within `timeoutMs`.
 */
export async function startProcess(
  binary: string,
  args: readonly string[],
  options: {
    readonly ready: () => Promise<boolean>;
    readonly env?: NodeJS.ProcessEnv;
    readonly timeoutMs?: number;
  },
): Promise<ServerProcess> {
  const child = spawn(binary, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: options.env ?? { PATH: process.env.PATH, HOME: '/nonexistent' },
  });
  running.add(child);
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-64_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    const finish = () => {
      ended = true;
      running.delete(child);
      resolve();
    };
    child.once('exit', finish);
    child.once('error', (error) => {
      keep(Buffer.from(String(error)));
      finish();
    });
  });
  const stop = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (!ended) child.kill(signal);
    await exited;
  };

  try {
    await waitFor(async () => {
      if (ended) throw new Error(`${binary} ended before it was ready`);
      return options.ready().catch(() => false);
    }, options.timeoutMs);
  } catch (error) {
    await stop();
    throw new Error(`${String(error)}:\n${output}`);
  }
  return { pid: child.pid ?? -1, output: () => output, stop };
}
