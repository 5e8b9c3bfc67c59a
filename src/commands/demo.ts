import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { exitCodes, VsyncError } from '../base/errors.ts';
import type { Role } from '../config/config.ts';
import type { DevVault } from '../dev/vault/dev-vault.ts';
import type { CommandIo } from './command-io.ts';
import { cycleCommand } from './cycle-command.ts';
import { type DevServers, devConfig, type Flavour, startDevServers, untilStopped } from './dev-servers.ts';
import { counted } from './terminal/text-style.ts';

/**
 * `vsync demo`: the whole job on in-memory servers, step by step, in plain words. Origin and destination are run exactly as from the
 * command line, and all their traffic is HTTP on loopback.
 */
export async function demoCommand(
  options: { readonly flavour: Flavour; readonly keep: boolean },
  io: CommandIo,
): Promise<number> {
  const startedAt = performance.now();
  const dir = await mkdtemp(join(tmpdir(), 'vsync-demo-'));
  const servers = await startDevServers(options.flavour);
  const demo = new Demo(servers, join(dir, 'demo.json'), io);
  try {
    await demo.run();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    demo.say(`Done in ${seconds} s.${options.keep ? '' : ' Nothing is left behind.'}`);
    if (options.keep) {
      demo.say('', `The servers keep running; their configuration is ${demo.config}. Ctrl-C ends them.`);
      await untilStopped(io.signals.draining);
    }
    return exitCodes.ok;
  } finally {
    await servers.close();
    await rm(dir, { recursive: true, force: true });
  }
}

class Demo {
  readonly #servers: DevServers;
  readonly config: string;
  readonly #io: CommandIo;
  #step = 0;

  constructor(servers: DevServers, config: string, io: CommandIo) {
    this.#servers = servers;
    this.config = config;
    this.#io = io;
  }

  async run(): Promise<void> {
    const { origin, destination, consul } = this.#servers;
    await writeFile(this.config, devConfig(this.#servers), { mode: 0o600 });
    this.say('vsync demo - the whole job on in-memory servers, over HTTP on loopback', '');
    this.step('Two Vaults and a Consul start');
    this.say(
      `   origin Vault ${origin.address}   destination Vault ${destination.address}   Consul ${consul.address}`,
    );

    this.step('The origin gets 200 secrets');
    await inTens(seeds, (path) =>
      write(origin, path, { user: `user of ${path}`, password: crypto.randomUUID() }),
    );

    this.step('The origin publishes an index of what it has: paths, versions, times; never a value');
    await this.vsync('origin');

    this.step('What would the destination do? A dry run shows it and writes nothing');
    this.excerpt(await this.vsync('destination', { dryRun: true }));

    this.step('The destination copies');
    await this.vsync('destination');
    await this.compare();

    this.step('At the origin 3 secrets change, 2 are new, 4 are deleted');
    await inTens(seeds.slice(0, 3), (path) =>
      write(origin, path, { user: 'changed', password: crypto.randomUUID() }),
    );
    await inTens(['new/one', 'new/two'], (path) => write(origin, path, { user: 'new' }));
    await inTens(seeds.slice(10, 14), (path) => remove(origin, path));
    await this.vsync('origin');
    this.excerpt(await this.vsync('destination', { dryRun: true }));
    await this.vsync('destination');
    await this.compare();

    this.step('Nothing has changed: a further cycle asks the Vaults for nothing and writes nothing');
    const versions = await total(destination);
    destination.requests.reset();
    await this.vsync('destination');
    this.say(`   versions written at the destination: ${(await total(destination)) - versions}`);

    this.step('A mistake: 120 secrets vanish at the origin at once. The guard holds their deletes');
    await inTens(seeds.slice(50, 170), (path) => remove(origin, path));
    await this.vsync('origin');
    const held = await this.vsync('destination', {}, exitCodes.held);
    this.say(
      ...held
        .split('\n')
        .filter((line) => /fix:|would be deleted/.test(line))
        .map((line) => `   ${line.trim()}`),
    );
    await this.intact(seeds.slice(50, 170));
    this.say('');
  }

  step(text: string): void {
    this.#step += 1;
    this.say(`${this.#step > 1 ? '\n' : ''}${this.#step}. ${text}`);
  }

  say(...lines: readonly string[]): void {
    for (const line of lines) this.#io.out.write(`${line}\n`);
  }

  /** Runs a command of vsync in this process, says what the log says of it, and returns what it wrote. */
  async vsync(role: Role, { dryRun = false } = {}, expected: number = exitCodes.ok): Promise<string> {
    this.say(`   $ vsync ${role} --config demo.json --once${dryRun ? ' --dry-run' : ''}`);
    const [out, err] = [new Collector(), new Collector()];
    const options = {
      config: [basename(this.config)],
      once: true,
      dryRun,
      approveDeletes: [],
      strictConfig: false,
      json: false,
      quiet: false,
      noInput: true,
      node: undefined,
      color: 'never',
      flags: {},
    } as const;
    const exitCode = await cycleCommand(role, options, {
      ...this.#io,
      env: {},
      cwd: dirname(this.config),
      out,
      err,
    });
    if (exitCode !== expected) {
      throw new VsyncError({
        code: 'UNEXPECTED',
        message: `vsync ${role} ended with ${exitCode}`,
        why: err.text,
      });
    }
    const cycle = err.text.split('\n').find((line) => line.includes('result='));
    if (cycle !== undefined) this.say(`   ${cycle.replace(/^\S+ \S+ /, '').replace(/ trigger=\S+/, '')}`);
    return out.text + err.text;
  }

  /** The beginning and the end of a longer output. */
  excerpt(text: string): void {
    const lines = text
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '');
    const [head, tail] = [lines.slice(1, 6), lines.slice(-3)];
    const left = lines.length - 1 - head.length - tail.length;
    const middle = left > 0 ? [`   ... and ${counted(left, 'more line')}`] : [];
    const shown = left > 0 ? [...head, ...middle, ...tail] : lines.slice(1);
    this.say(
      ...shown.map((line) => (line.startsWith('   ...') ? `   ${line.trim()}` : `   ${line.trimStart()}`)),
    );
  }

  /** Reads every secret on both sides and compares the values. */
  async compare(): Promise<void> {
    const [origin, destination] = await Promise.all([
      readAll(this.#servers.origin),
      readAll(this.#servers.destination),
    ]);
    if (!isDeepStrictEqual(origin, destination)) {
      throw new VsyncError({ code: 'UNEXPECTED', message: 'the demo found a value that differs' });
    }
    this.say(`   compared by value: ${counted(destination.size, 'secret')}, all equal`);
  }

  /** Says that secrets are still at the destination. */
  async intact(keys: readonly string[]): Promise<void> {
    const there = await readAll(this.#servers.destination);
    if (!keys.every((key) => there.has(key)))
      throw new VsyncError({ code: 'UNEXPECTED', message: 'the demo lost a secret' });
    this.say(`   all ${keys.length} are still at the destination`);
  }
}

/** 200 keys in 40 folders. */
const seeds = Array.from(
  { length: 200 },
  (_, i) => `team-${i % 8}/app-${Math.floor(i / 8) % 5}/key-${String(i).padStart(3, '0')}`,
);

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function call(
  vault: DevVault,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown> | undefined> {
  const response = await fetch(`${vault.address}/v1/secret/${path}`, {
    method,
    headers: { 'X-Vault-Token': vault.rootToken },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.status === 404) return undefined;
  if (!response.ok)
    throw new VsyncError({ code: 'UNEXPECTED', message: `${method} ${path}: ${response.status}` });
  return text === '' ? {} : (JSON.parse(text).data as Record<string, unknown>);
}

async function write(vault: DevVault, key: string, data: Readonly<Record<string, string>>): Promise<void> {
  await call(vault, 'POST', `data/${key}`, { data });
}

async function remove(vault: DevVault, key: string): Promise<void> {
  await call(vault, 'DELETE', `data/${key}`);
}

/** Every key of the mount, deleted ones included. */
async function keysOf(vault: DevVault, folder = ''): Promise<string[]> {
  const names = ((await call(vault, 'GET', `metadata/${folder}?list=true`))?.keys ?? []) as string[];
  const found = await Promise.all(
    names.map((name) => (name.endsWith('/') ? keysOf(vault, `${folder}${name}`) : [`${folder}${name}`])),
  );
  return found.flat();
}

/** Key -> value of all live secrets. */
async function readAll(vault: DevVault): Promise<Map<string, unknown>> {
  const keys = await keysOf(vault);
  const values = await Promise.all(
    keys.map(async (key) => [key, (await call(vault, 'GET', `data/${key}`))?.data] as const),
  );
  return new Map(values.filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The sum of all versions: what a needless write would raise. */
async function total(vault: DevVault): Promise<number> {
  const keys = await keysOf(vault);
  const versions = await Promise.all(
    keys.map(async (key) => Number((await call(vault, 'GET', `metadata/${key}`))?.current_version)),
  );
  return versions.reduce((sum, version) => sum + version, 0);
}

async function inTens<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += 10) await Promise.all(items.slice(at, at + 10).map(work));
}
