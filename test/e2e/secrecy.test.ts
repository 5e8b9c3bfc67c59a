import { createHash } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { Canaries } from '../support/canaries.ts';
import { type RunningVsync, startVsync } from '../support/vsync-process.ts';
import { type Json, type Scope, World } from '../support/world.ts';

/**
 * R12: secrets never leave. Values, names of keys inside secrets, tokens, role_ids and secret_ids are canaries, and everything that the
 * program gives out is searched for them, in every encoding: both streams with all that Node and packages can be made to print, plan
 * files, everything in Consul, the process list, and whatever is left on the disk.
 */
describe.runIf(runRealServers)('secrecy (R12)', () => {
  const canaries = new Canaries();
  let world: World;
  let scope: Scope;
  /** Where the program runs: its working folder, its home and its temporary folder are below it. */
  let dir: string;
  let logins: Logins;

  beforeAll(async () => {
    world = await World.start();
    scope = await world.scope();
    dir = join(world.dir, 'run');
    for (const name of ['cwd', 'home', 'tmp']) await mkdir(join(dir, name), { recursive: true });
    logins = await makeLogins();
    // Old versions, deleted and destroyed ones, odd texts, and one that comes in many pieces over the wire.
    for (const key of ['app/db', 'app/odd', 'gone', 'destroyed', 'large']) await writeSecret(key);
    await writeSecret('app/db');
    await world.origin.softDelete(scope.path('gone'));
    await world.origin.destroy(scope.path('destroyed'), [1]);
  });
  afterAll(() => world?.stop());

  interface Logins {
    readonly origin: string;
    readonly destination: string;
    readonly reader: { readonly role_id: string; readonly secret_id: string };
    readonly consul: string;
  }

  async function makeLogins(): Promise<Logins> {
    const { origin, destination } = world;
    const { mount } = scope;
    const metadata = `path "${mount}metadata/*" { capabilities = ["list","read"] }`;
    const all = `${metadata} path "${mount}data/*" { capabilities = ["create","update","read","delete"] }`;
    const role = await origin.appRoleFor(
      'secrecy',
      `${metadata} path "${mount}data/*" { capabilities = ["read"] }`,
    );
    const own = {
      role_id: canaries.make('role_id', { odd: true }),
      secret_id: canaries.make('secret_id', { odd: true }),
    };
    await origin.call('POST', 'auth/approle/role/secrecy/role-id', { role_id: own.role_id });
    await origin.call('POST', 'auth/approle/role/secrecy/custom-secret-id', { secret_id: own.secret_id });
    for (const [kind, id] of Object.entries(role)) canaries.add(`first ${kind}`, id);
    const options = { no_default_policy: false };
    return {
      origin: canaries.add('token of the origin', await origin.tokenFor('secrecy-origin', metadata, options)),
      destination: canaries.add(
        'token of the destination',
        await destination.tokenFor('secrecy', all, options),
      ),
      reader: own,
      consul: canaries.make('Consul token'),
    };
  }

  async function writeSecret(key: string): Promise<void> {
    const odd = key === 'app/odd';
    const value = () => canaries.make(`value of ${key}`, { odd });
    const name = () => canaries.make(`name in ${key}`, { odd });
    await world.origin.writeMetadata(scope.path(key), { custom_metadata: { owner: value() } });
    await world.origin.put(scope.path(key), {
      [name()]: value(),
      // Comes in many pieces over the wire, so that some begin in the middle of it.
      password: key === 'large' ? `${value()} `.repeat(10_000) : value(),
      [name()]: { [name()]: [value(), { [name()]: 123_456_789 }] },
    });
  }

  /** How credentials get in: in the file, by files, or by the environment. */
  type Way = 'file' | 'token files' | 'environment';

  async function configOf(way: Way, more: Json = {}): Promise<{ file: string; env: Record<string, string> }> {
    const file = async (name: string, text: string) => {
      const at = join(world.dir, name);
      await writeFile(at, `${text}\n`);
      return at;
    };
    const { role_id, secret_id } = logins.reader;
    const block = {
      file: {
        reader: { approle: { role_id, secret_id } },
        destination: { token: logins.destination },
        consul: { token: logins.consul },
      },
      'token files': {
        reader: {
          approle: {
            role_id_file: await file('role', role_id),
            secret_id_file: await file('secret', secret_id),
          },
        },
        destination: { token_file: await file('token', logins.destination) },
        consul: { token_file: await file('consul', logins.consul) },
      },
      environment: { reader: {}, destination: {}, consul: {} },
    }[way];
    const ofSide = (api: { readonly address: string }, vault: Json): Json => ({
      vault: { address: api.address, ...vault },
      consul: { address: world.consul.address, dc: 'dc1', ...block.consul },
    });
    const environment = {
      VSYNC_ORIGIN_VAULT_APPROLE_ROLE_ID: role_id,
      VSYNC_ORIGIN_VAULT_APPROLE_SECRET_ID: secret_id,
      VSYNC_DESTINATION_CONSUL_TOKEN: logins.consul,
      VAULT_TOKEN: logins.destination,
      CONSUL_HTTP_AUTH: `${canaries.make('user')}:${canaries.make('password')}`,
    };
    const at = await scope.config(way.replace(' ', '-'), {
      retry: { base: '1ms' },
      origin: scope.originBlock(ofSide(world.origin, block.reader)),
      destination: scope.destinationBlock(ofSide(world.destination, block.destination)),
      ...more,
    });
    return { file: at, env: way === 'environment' ? environment : {} };
  }

  /** The origin process has a token of its own. */
  async function originConfig(): Promise<string> {
    return scope.originConfig({
      vault: { address: world.origin.address, token: logins.origin },
      consul: { address: world.consul.address, dc: 'dc1', token: logins.consul },
    });
  }

  /** All that Node and packages print when they are asked to. */
  const loud = {
    DEBUG: '*',
    NODE_DEBUG: '*',
    NODE_OPTIONS: '--trace-uncaught --trace-warnings',
    FORCE_COLOR: '0',
  };

  function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningVsync {
    const cwd = join(dir, 'cwd');
    return startVsync(args, { cwd, env: { HOME: join(dir, 'home'), TMPDIR: join(dir, 'tmp'), ...env } });
  }

  /** Runs to the end, and searches both streams. `mayPrint`: standard output is the user's own file. */
  async function searched(
    args: readonly string[],
    { env = {}, codes = [0], mayPrint = false }: SearchOptions = {},
  ): Promise<string> {
    const { stdout, stderr, code } = await start(args, env).finished;
    const what = `vsync ${args.join(' ')}`;
    expect(canaries.find(stderr), `standard error of ${what}`).toEqual([]);
    if (!mayPrint) expect(canaries.find(stdout), `standard output of ${what}`).toEqual([]);
    const tail = (text: string) => text.slice(-3_000);
    expect(codes, `exit code of ${what}:\n${tail(stdout)}\n${tail(stderr)}`).toContain(code);
    return stdout + stderr;
  }

  interface SearchOptions {
    readonly env?: Readonly<Record<string, string>>;
    readonly codes?: readonly number[];
    readonly mayPrint?: boolean;
  }

  /** Searches what stays: everything in Consul, and everything on the disk. */
  async function nothingStays(): Promise<void> {
    const stored = await world.consul.dump();
    expect([...stored.keys()].some((key) => key.startsWith(scope.syncPath))).toBe(true);
    for (const [key, { value }] of stored) expect(canaries.find(`${key}\n${value}`), key).toEqual([]);
    expect(await canaries.findInFiles(dir)).toEqual([]);
  }

  it('the search finds what is planted, in every form, and cut', async () => {
    const own = new Canaries();
    const text = own.make('text', { odd: true });
    const encodings: ((text: string) => string)[] = [
      (each) => each,
      (each) => JSON.stringify({ each }),
      (each) => JSON.stringify(JSON.stringify({ each })),
      encodeURIComponent,
      (each) => Buffer.from(each).toString('hex'),
      (each) => Buffer.from(`${each} and more`).toString('base64'),
      (each) => Buffer.from(`x${each}`).toString('base64'),
      (each) => Buffer.from(`xy${each}`).toString('base64url'),
      (each) => String(new URLSearchParams({ each })),
      (each) => each.slice(0, 12),
      (each) => each.slice(-12),
    ];
    for (const encode of encodings)
      expect(own.find(`before ${encode(text)} after`), String(encode)).not.toEqual([]);
    expect(own.find(createHash('sha256').update(text).digest('hex').slice(8, 24))).not.toEqual([]);
    expect(own.find('an ordinary line of a log, hvs.****(sha256:ab12)')).toEqual([]);
    await mkdir(join(world.dir, 'found'));
    await writeFile(join(world.dir, 'found', 'core'), `x${text}`);
    expect(await own.findInFiles(join(world.dir, 'found'))).not.toEqual([]);
    // What Node itself prints of what goes over the wire: the first 50 bytes of each piece.
    expect(own.find(inspect(Buffer.from(text)))).not.toEqual([]);
  });

  /** Every command once, over a first copy, an update and a delete. */
  const inTurn: readonly {
    readonly name: string;
    readonly env: Readonly<Record<string, string>>;
    readonly flags: readonly string[];
  }[] = [
    { name: 'as it is', env: {}, flags: [] },
    { name: 'with everything that can be printed', env: loud, flags: ['--log.level', 'trace'] },
    { name: 'verbose, as JSON', env: { DEBUG: '*' }, flags: ['-v', '--json', '--log.type', 'json'] },
  ];

  it.each(inTurn)('every command, $name', async ({ env: switches, flags }) => {
    const origin = ['-c', await originConfig(), ...flags];
    const { file, env: credentials } = await configOf(
      switches === loud ? 'token files' : flags.length === 0 ? 'file' : 'environment',
    );
    const env = { ...switches, ...credentials };
    const run = (args: readonly string[], options: SearchOptions = {}) =>
      searched([...args, '-c', file, ...flags], { env, ...options });
    const ofOrigin = (args: readonly string[], options: SearchOptions = {}) =>
      searched([...args, ...origin], { env: switches, ...options });

    await writeSecret('app/db');
    await ofOrigin(['origin', '--once', '--dry-run']);
    await ofOrigin(['origin', '--once']);
    await Promise.all([
      run(['destination', '--once', '--dry-run', '--full']),
      run(['plan', '--full', '--detailed-exitcode'], { codes: [2] }),
    ]);
    const plan = join(dir, 'cwd', `plan-${Math.random()}.json`);
    await run(['plan', '--out', plan]);
    expect(canaries.find(await readFile(plan, 'utf8')), 'the plan').toEqual([]);
    const formats = ['text', 'markdown', 'json'];
    const show = (format: string) =>
      searched(['show', plan, '--format', format, ...flags], { env: switches });
    await Promise.all(formats.map(show));
    await run(['apply', plan, '--yes', '--full']);
    await run(['check', '--deep', '--full']);

    await writeSecret('app/odd');
    await writeSecret(`new ${plan.length}`);
    await world.destination.put(scope.path('app/odd'), {
      [canaries.make('name by hand')]: canaries.make('value by hand'),
    });
    await ofOrigin(['origin', '--once']);
    await run(['check', '--full'], { codes: [2] });
    await run(['destination', '--once']);
    await world.destination.put(scope.path('app/db'), { by: canaries.make('value by hand') });
    await run(['check', '--deep', '--repair', '--full'], { codes: [0, 2] });

    const inspecting: [args: readonly string[], codes?: readonly number[]][] = [
      [['status']],
      [
        ['doctor', '--write-probe'],
        [0, 1],
      ],
      [['doctor', '--policies']],
      [['config', 'show', '--all']],
      [
        ['config', 'validate'],
        [0, 78],
      ],
      [['sync-info', 'show']],
      [['sync-info', 'show', scope.path('app/db')]],
      [['sync-info', 'verify']],
      [['sync-info', 'export']],
      [['init', '--print', '--for', 'systemd']],
    ];
    for (const [args, codes = [0]] of inspecting)
      await Promise.all([ofOrigin(args, { codes }), run(args, { codes })]);
    await Promise.all([
      run(['approve']),
      run(['transform', 'test', scope.path('app/db')]),
      run(['transform', 'list']),
    ]);
    // The file itself is the result of it.
    await searched(['config', 'migrate', file, ...flags], { env, mayPrint: true });
    expect(await world.destination.values(scope.mount)).toEqual(await world.origin.values(scope.mount));
    await nothingStays();
  });

  it('daemons: log, process list, and a reload of what cannot be parsed', async () => {
    const { file, env } = await configOf('file', { log: { level: 'trace', type: 'json' } });
    await writeSecret('by a daemon');
    const origin = start(['origin', '-c', await originConfig(), '--log.type', 'json'], loud);
    const destination = start(['destination', '-c', file], { ...loud, ...env });
    await destination.untilEntry((entry) => entry.event === 'path.add');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"token": "', '"token": oops"'));
    const before = destination.log.length;
    destination.kill('SIGHUP');
    await destination.untilEntry(({ level }) => level === 'error', before);
    for (const daemon of [origin, destination]) {
      for (const name of ['cmdline', 'comm', 'status'])
        expect(canaries.find(await readFile(`/proc/${daemon.child.pid}/${name}`, 'utf8')), name).toEqual([]);
      const { stdout, stderr, code } = await daemon.stop();
      expect(canaries.find(stdout + stderr)).toEqual([]);
      expect(code, stderr.slice(-2_000)).toBe(0);
    }
    await nothingStays();
  });

  it('a token on the command line: warned of, and not in the process list once the program has begun', async () => {
    const { reader } = logins;
    const args = ['destination', '-c', (await configOf('environment')).file, '--log.type', 'json'];
    args.push('--destination.vault.token', logins.destination, `--destination.consul.token=${logins.consul}`);
    args.push('--origin.vault.role_id', reader.role_id, '--origin.vault.approle.secret_id', reader.secret_id);
    const process = start(args, { ...loud, NODE_DEBUG: '' });
    await process.untilEntry(({ event }) => event === 'cycle.end');
    expect(process.stderr.match(/^warning: .*visible in ps.*_file/gm)).toHaveLength(4);
    const shown = await readFile(`/proc/${process.child.pid}/cmdline`, 'utf8');
    expect(canaries.find(shown)).toEqual([]);
    // What it is can still be told.
    expect(shown).toMatch(/vsync.*destination/s);
    const { stdout, stderr, code } = await process.stop();
    expect(canaries.find(stdout + stderr)).toEqual([]);
    expect(code).toBe(0);
  });

  it.each([
    { name: 'a flag that does not exist', args: (token: string) => ['origin', '--origin.vault.tokn', token] },
    { name: 'the same with =', args: (token: string) => ['origin', `--origin.vault.tokn=${token}`] },
    { name: 'a short flag', args: (token: string) => ['origin', `-t${token}`] },
    { name: 'as a command', args: (token: string) => [token] },
    { name: 'as a command of a command', args: (token: string) => ['config', token] },
    { name: 'too much', args: (token: string) => ['origin', '--once', token] },
    { name: 'a flag that takes nothing', args: (token: string) => ['origin', `--once=${token}`] },
    {
      name: 'an address',
      args: (token: string) => ['origin', '--origin.vault.address', `http://u:${token}@127.0.0.1:1`],
    },
    { name: 'as a number', args: (token: string) => ['origin', '--workers', token] },
    { name: 'as a log level', args: (token: string) => ['origin', '--log.level', token] },
    { name: 'as a colour', args: (token: string) => ['--color', token, 'version'] },
  ])('a token in the wrong place of the command line: $name', async ({ args }) => {
    for (const json of [[], ['--json']]) {
      const line = [...args(canaries.make('token', { prefix: 'hvs.CAESI' })), ...json];
      await searched(line, { codes: [64, 78] });
    }
  });

  describe('crashes', () => {
    let token: string;
    beforeEach(() => {
      token = canaries.make('token in an error');
    });

    /** An error as client libraries make them: with the request and the answer inside. */
    const failure = (
      message: string,
    ) => `Object.assign(new Error(${message}, { cause: new Error('inner') }), {
        config: { headers: { 'X-Vault-Token': process.env.CANARY } }, response: { body: process.env.CANARY } })`;

    it.each([
      { name: 'thrown where nobody catches it', code: `setImmediate(() => { throw ${failure('"boom"')} })` },
      { name: 'rejected, and not handled', code: `Promise.reject(${failure('"boom"')})` },
      { name: 'not even an error', code: 'setImmediate(() => { throw { token: process.env.CANARY } })' },
      {
        name: 'a parser that quotes',
        code: `setImmediate(() => JSON.parse('{"token":"' + process.env.CANARY + '"oops'))`,
      },
      { name: 'a warning', code: `process.emitWarning(${failure('"boom"')})`, codes: [0, 143] },
    ])('$name', async ({ code, codes = [1] }) => {
      const { file, env } = await configOf('file');
      // In the middle of the work: when the first line is logged.
      const preload = `const write = process.stderr.write; let done = false;
        process.stderr.write = function (...given) { if (!done) { done = true; ${code} } return write.apply(this, given) };`;
      const crash = {
        ...env,
        CANARY: token,
        NODE_OPTIONS: `--trace-uncaught --import "data:text/javascript,${encodeURIComponent(preload)}"`,
      };
      const output = await searched(['destination', '--once', '-c', file, '--log.level', 'debug'], {
        env: crash,
        codes,
      });
      if (codes[0] === 1) expect(output).toMatch(/error: unexpected failure/);
      await nothingStays();
    });
  });

  it('files that are written for others to read are not made for everyone', async () => {
    const { file, env } = await configOf('file');
    const plan = join(dir, 'cwd', 'mode.json');
    await searched(['plan', '-c', file, '--out', plan], { env });
    expect(((await stat(plan)).mode & 0o777).toString(8)).toBe('600');
  });
});
