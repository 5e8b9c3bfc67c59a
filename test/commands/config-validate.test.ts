import { describe, expect, it } from 'vitest';
import { destinationKeys, originKeys, temporaryFolder } from '../config/support.ts';
import { runVsync } from '../support/vsync-process.ts';
import { runMain } from './run-main.ts';

const folder = temporaryFolder();
const file = (name: string, content: unknown) =>
  folder.write(name, typeof content === 'string' ? content : JSON.stringify(content));
const origin = file('origin.json', originKeys);
const destination = file('destination.json', { name: 'iad', ...destinationKeys });

const validate = (path: string, ...args: string[]) =>
  runMain(['config', 'validate', '-c', path, ...args], { cwd: folder.path });

describe('vsync config validate', () => {
  it('says for which role a configuration is valid, and nothing else', async () => {
    expect(await validate(origin)).toEqual({ code: 0, out: `valid for origin: ${origin}\n`, err: '' });
    expect(await validate(destination)).toEqual({
      code: 0,
      out: `valid for destination iad: ${destination}\n`,
      err: '',
    });
  });

  it('judges for the role that is asked for', async () => {
    expect((await validate(destination, '--role', 'origin')).out).toContain('valid for origin iad');
    const { code, out } = await validate(origin, '--role', 'destination');
    expect(code).toBe(78);
    expect(out).toContain('error: destination.vault.address: is missing');
  });

  it('prints every problem with its place, and exits with 78', async () => {
    const bad = file('bad.json', { ...originKeys, 'origin.tick': '10', numBuckets: 0, 'log.level': 'loud' });
    const { code, out, err } = await validate(bad);
    expect(code).toBe(78);
    expect(out.split('\n').filter((line) => line.startsWith(`error: ${bad}:1:`))).toHaveLength(3);
    expect(out).toMatch(/not valid for origin, 3 errors: .*bad\.json\n$/);
    expect(err).toBe('');
  });

  it('takes an unknown key for an error, at a start only a warning', async () => {
    const unknown = file('unknown.json', { ...originKeys, 'origin.tik': '1m' });
    const { code, out } = await validate(unknown);
    expect(code).toBe(78);
    expect(out).toMatch(/^error: .*origin\.tik: is not a known key - did you mean origin\.tick\?$/m);
    expect((await runMain(['config', 'show', '-c', unknown])).err).toMatch(/^warning: .*origin\.tik/);
  });

  it('takes an old key for a warning, with --strict-config for an error', async () => {
    const old = file('old.json', { ...originKeys, logLevel: 'debug' });
    const lenient = await validate(old);
    expect(lenient.code).toBe(0);
    expect(lenient.out).toMatch(/^warning: .*logLevel: is an old key/);
    expect(lenient.out).toContain('valid for origin, 1 warning');
    expect((await validate(old, '--strict-config')).code).toBe(78);
    const { problems } = JSON.parse((await validate(old, '--json')).out);
    expect(problems).toMatchObject([{ severity: 'warning', code: 'CONFIG_DEPRECATED_KEY', key: 'logLevel' }]);
  });

  it('takes a file that is on another machine for a warning, with --strict-config for an error', async () => {
    const { 'origin.vault.token': _, ...others } = originKeys;
    const elsewhere = file('elsewhere.json', { ...others, 'origin.vault.token_file': '/nonexistent/token' });
    const lenient = await validate(elsewhere);
    expect(lenient.code).toBe(0);
    expect(lenient.out).toMatch(/^warning: .*\/nonexistent\/token does not exist on this machine/);
    expect((await validate(elsewhere, '--strict-config')).code).toBe(78);
    // A token file that is there but empty is wrong anywhere.
    const empty = folder.write('empty-token', '');
    const wrong = file('wrong.json', { ...others, 'origin.vault.token_file': empty });
    expect((await validate(wrong)).code).toBe(78);
  });

  it('is one document with --json, and the failure the last line on standard error', async () => {
    const valid = await validate(destination, '--json');
    expect(JSON.parse(valid.out)).toEqual({
      valid: true,
      role: 'destination',
      files: [destination],
      problems: [],
    });
    const { code, out, err } = await validate(file('none.json', {}), '--json');
    const document = JSON.parse(out);
    expect(document).toMatchObject({ valid: false, role: 'origin' });
    expect(document.problems).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        code: 'CONFIG_MISSING_VALUE',
        key: 'origin.vault.address',
      }),
    );
    expect(code).toBe(78);
    expect(JSON.parse(err.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'exit_error',
      code: 78,
      id: 'CONFIG_MISSING_VALUE',
    });
  });

  it.each([
    { name: 'a value for a flag that it cannot have', args: ['--origin.tick', 'soon'] },
    { name: 'a flag that is not one', args: ['--origin.tik', '1m'] },
    { name: 'an argument too many', args: ['more'] },
    { name: 'a role that is none', args: ['--role', 'primary'] },
  ])('exits with 64 for $name', async ({ args }) => {
    expect((await validate(origin, ...args)).code).toBe(64);
  });

  it('names the file that cannot be read', async () => {
    const { code, out } = await validate('/nonexistent/vsync.yaml');
    expect(code).toBe(78);
    expect(out).toContain('error: /nonexistent/vsync.yaml: does not exist');
    expect(out).not.toContain('CONFIG_MISSING_VALUE');
  });

  it('reads standard input', async () => {
    const args = ['config', 'validate', '-c', '-'];
    const { code, stdout } = await runVsync(args, {
      stdin: JSON.stringify({ ...originKeys, numBuckets: 0 }),
    });
    expect(code).toBe(78);
    expect(stdout).toMatch(
      /^error: stdin:1:\d+ numBuckets: .*\nnot valid for origin, 1 error: standard input\n$/,
    );
  });

  it('shows no secret', async () => {
    const secrets = file('secrets.json', {
      ...originKeys,
      'origin.consul.token': 'canary\nsecret',
      'origin.vault.tokn': 'hvs.canary-key',
      hvs_canary_as_a_key: 'x',
    });
    const { out, err } = await validate(secrets, '--json');
    expect(out + err).not.toMatch(/canary(?!_as_a_key)/);
  });
});
