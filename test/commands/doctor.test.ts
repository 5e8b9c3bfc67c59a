import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Doctor } from './doctor-checks.ts';
import { type Json, PlanWorld } from './plan-world.ts';

/** `vsync doctor` on embedded servers: what it prints and returns, and that it changes nothing. */

let world: PlanWorld;
const doctor = new Doctor(() => world);
beforeAll(async () => {
  world = await PlanWorld.start();
});
afterAll(() => world.stop());
afterEach(() => world.clear());

const writeRules = `path "secret/data/*" { capabilities = ["create", "update", "read", "delete"] }`;

describe('vsync doctor', () => {
  it('a pair in sync: everything passes, and nothing is warned of, also with --strict', async () => {
    await doctor.copied('a', 'b');
    const { code, out, err } = await doctor.run(['--strict']);
    expect(err).toBe('');
    expect(out).not.toMatch(/WARN|FAIL/);
    expect(out).toMatch(/\nReady: 0 failed, 0 warnings, \d+ passed\.\n$/);
    expect(code).toBe(0);
  });

  it('checks in the order in which one thing depends on another', async () => {
    const { out } = await doctor.run(['--json']);
    const { sections } = JSON.parse(out);
    expect(sections.map(({ title }: Json) => title)).toEqual([
      'Configuration',
      'Connections',
      'Origin Vault',
      'Destination Vault',
      'Origin Consul',
      'Destination Consul',
      'Sync info',
      'Targets',
    ]);
    const origin = JSON.parse((await doctor.run(['--json', '--role', 'origin'])).out);
    expect(origin).toMatchObject({ type: 'doctor', role: 'origin', ok: true });
    expect(origin.sections.map(({ title }: Json) => title)).toEqual([
      'Configuration',
      'Connections',
      'Origin Vault',
      'Origin Consul',
      'Sync info',
    ]);
  });

  it('changes nothing, and sends Consul nothing but reads', async () => {
    await doctor.copied('a');
    const before = await world.everything();
    world.devConsul.requests.reset();
    expect((await doctor.run()).code).toBe(0);
    expect(world.devConsul.requests.lines.filter((line) => !line.startsWith('GET '))).toEqual([]);
    expect(await world.everything()).toEqual(before);
  });

  it('--write-probe writes a key below the own sync path and takes it away again', async () => {
    await doctor.copied('a');
    const before = await world.consul.dump();
    world.devConsul.requests.reset();
    const { code, out } = await doctor.run(['--write-probe']);
    expect(code).toBe(0);
    expect(out).toContain(
      'PASS  write: a key below vsync/destination/ was written, listed, read and deleted',
    );
    const puts = world.devConsul.requests.lines.filter((line) => line.startsWith('PUT '));
    expect(puts).toEqual([expect.stringContaining('vsyncChecks')]);
    expect(await world.consul.dump()).toEqual(before);
  });

  it('a warning fails with --strict only', async () => {
    await doctor.copied('a');
    const as = { block: { consul: { address: world.devConsul.address, dc: 'elsewhere' } } };
    expect((await doctor.run([], as)).code).toBe(0);
    const { code, out } = await doctor.run(['--strict'], as);
    expect(code).toBe(1);
    expect(out).toContain(
      'WARN  datacenter: the agent is in dc1, which is used, but destination.consul.dc is',
    );
    expect(out).toMatch(/\nReady, with warnings: 0 failed, 1 warning, /);
  });

  it('an invalid configuration is a failed check, and nothing is sent: 1; a wrong flag: 64', async () => {
    const { code, out } = await doctor.run([], { block: { vault: { address: 'vault:8200' } } });
    expect(code).toBe(1);
    expect(out).toMatch(/FAIL {2}config: .*destination\.vault\.address: has no scheme/);
    expect(out).toContain('SKIP  all else');
    expect(out).toMatch(/\nNot ready: /);
    const wrong = await doctor.run(['--destination.tick', 'soon', '--json']);
    expect(wrong.code).toBe(64);
    expect(JSON.parse(wrong.err)).toMatchObject({
      code: 64,
      why: expect.stringContaining('destination.tick'),
    });
    expect((await doctor.run(['--strictly'])).code).toBe(64);
  });

  it.each([60, 80])(
    'fits %i columns but for commands to copy, and is coloured only on a terminal',
    async (columns) => {
      await doctor.copied('a');
      const token = await world.destination.tokenFor('with_default', writeRules);
      const as = { ...doctor.withToken(token), columns };
      expect((await doctor.run([], as)).out).toContain('\u001b[32mPASS\u001b[0m');
      const { out } = await doctor.run(['--no-color'], as);
      expect(out).not.toContain('\u001b');
      const long = out.split('\n').filter((line) => line.length > columns);
      expect(long.filter((line) => !line.startsWith('             vault '))).toEqual([]);
    },
  );

  it('prints no value and no token, whatever fails', async () => {
    await doctor.copied('a');
    const runs = [
      await doctor.run(['-v', '--write-probe']),
      await doctor.run(['--json'], doctor.withToken('canary-token')),
      await doctor.run(['--policies']),
    ];
    for (const { out, err } of runs) expect(out + err).not.toMatch(/canary|root-token/);
  });
});

describe('vsync doctor on connections', () => {
  it('a server that is not there fails its own checks only', async () => {
    await doctor.copied('a');
    const as = { origin: { vault: { address: 'http://127.0.0.1:1', token: 't' } } };
    const { code, out } = await doctor.run([], as);
    expect(code).toBe(1);
    expect(out).toContain('FAIL  origin Vault: http://127.0.0.1:1 cannot be reached: ECONNREFUSED on port 1');
    expect(out).toContain('Origin Vault\n  SKIP  all: it cannot be reached');
    expect(out).toContain('Destination Vault\n  PASS  health');
    expect(out).toContain('PASS  destination: 1 path in 1 bucket');
  });

  it('a name that cannot be resolved is told apart', async () => {
    const as = { origin: { consul: { address: 'http://consul.invalid:8500' } } };
    const found = await doctor.checks('Connections', as);
    expect(found.find(({ topic }) => topic === 'origin Consul')).toMatchObject({
      status: 'fail',
      code: 'CONSUL_UNREACHABLE',
      message: expect.stringContaining('the name consul.invalid cannot be resolved'),
    });
  });

  it('a server that is no Vault', async () => {
    const as = { block: { vault: { address: world.devConsul.address, token: 't' } } };
    const [health, ...rest] = await doctor.checks('Destination Vault', as);
    expect(health).toMatchObject({ status: 'fail', topic: 'health' });
    expect(rest).toMatchObject([{ status: 'skip' }]);
  });
});
