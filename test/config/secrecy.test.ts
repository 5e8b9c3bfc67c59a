import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { runMain } from '../commands/run-main.ts';
import { Canaries } from '../support/canaries.ts';
import { temporaryFolder } from './support.ts';

/** R12: whatever is wrong with a configuration, the credentials in it are not printed. */

const canaries = new Canaries();
const folder = temporaryFolder();
const token = () => canaries.make('token', { prefix: 'hvs.CAESI' });

const server = (vault: object) => ({
  vault: { address: 'http://127.0.0.1:1', ...vault },
  consul: { address: 'http://127.0.0.1:1', dc: 'dc1', token: canaries.make('Consul token') },
});
const configuration = {
  name: 'a',
  origin: {
    ...server({
      approle: { path: 'approle', role_id: canaries.make('role_id'), secret_id: canaries.make('secret_id') },
    }),
    mounts: ['secret/'],
  },
  destination: { ...server({ token: token() }), numWorkers: 4, tick: '1m' },
};

/** HCL with blocks, as Go vsync reads it. */
function hcl(value: object, indent = ''): string {
  return Object.entries(value)
    .map(([key, each]) =>
      typeof each === 'object' && !Array.isArray(each)
        ? `${indent}${key} {\n${hcl(each, `${indent}  `)}\n${indent}}`
        : `${indent}${key} = ${JSON.stringify(each)}`,
    )
    .join('\n');
}

const formats = {
  json: JSON.stringify(configuration, null, 2),
  jsonc: `// a comment\n${JSON.stringify(configuration)}`,
  yaml: stringify(configuration),
  hcl: hcl(configuration),
} as const;
type Format = keyof typeof formats;

/** Everything that a person may ask about a file, but what its result is: `config migrate` prints the file. */
async function expectNothingPrinted(format: Format, text: string): Promise<readonly number[]> {
  const file = folder.write(`config.${format}`, text);
  const codes: number[] = [];
  for (const command of [
    ['config', 'validate'],
    ['config', 'show', '--all'],
    ['transform', 'list'],
  ]) {
    for (const more of [[], ['--json']]) {
      const { out, err, code } = await runMain([...command, '-c', file, ...more]);
      expect(canaries.find(out + err), `vsync ${command.join(' ')} of\n${text}`).toEqual([]);
      codes.push(code);
    }
  }
  const { err } = await runMain(['config', 'migrate', file]);
  expect(canaries.find(err), `vsync config migrate of\n${text}`).toEqual([]);
  return codes;
}

describe.each(Object.keys(formats) as Format[])(
  'of a configuration in %s no credential is printed',
  (format) => {
    it('that is right', async () => {
      expect(await expectNothingPrinted(format, formats[format])).toEqual([0, 0, 0, 0, 0, 0]);
    });

    it('in which one place is wrong', async () => {
      const text = formats[format];
      const lines = text.split('\n');
      const at = fc.nat({ max: text.length - 1 });
      const line = fc.nat({ max: lines.length - 1 });
      const wrong = fc.oneof(
        at.map((i) => text.slice(0, i) + text.slice(i + 1)),
        at.map((i) => text.slice(0, i)),
        fc
          .tuple(
            at,
            fc.constantFrom(
              '"',
              "'",
              '{',
              '}',
              '[',
              ']',
              ':',
              ',',
              '\n',
              '\\',
              '#',
              ' ',
              '\t',
              '${',
              '=',
              '\u0000',
              '*',
              '&',
              '!',
              '|',
              '<<E\n',
            ),
          )
          .map(([i, piece]) => text.slice(0, i) + piece + text.slice(i)),
        fc.tuple(line, line).map(([i, j]) => [...lines.slice(0, i), lines[j], ...lines.slice(i)].join('\n')),
        line.map((i) => [...lines.slice(0, i), ...lines.slice(i + 1)].join('\n')),
      );
      await fc.assert(
        fc.asyncProperty(wrong, async (each) => {
          await expectNothingPrinted(format, each);
        }),
        { numRuns: 60 },
      );
    });
  },
);

describe('a credential in the wrong place is not printed', () => {
  const { origin, destination } = configuration;
  it.each<{ name: string; content: object }>([
    {
      name: 'an unknown key',
      content: { destination: { ...destination, vault: { ...destination.vault, tokn: token() } } },
    },
    { name: 'an unknown group', content: { vault: { token: token() } } },
    { name: 'a name of a key', content: { destination: { ...destination, [token()]: true } } },
    { name: 'a name of a group', content: { [token()]: { a: 1 } } },
    { name: 'instead of a group', content: { destination: { ...destination, vault: token() } } },
    {
      name: 'a list',
      content: { destination: { ...destination, vault: { ...destination.vault, token: [token()] } } },
    },
    {
      name: 'a group',
      content: {
        destination: { ...destination, vault: { ...destination.vault, token: { value: token() } } },
      },
    },
    {
      name: 'two lines',
      content: {
        destination: { ...destination, vault: { ...destination.vault, token: `${token()}\n${token()}` } },
      },
    },
    {
      name: 'userinfo',
      content: { destination: { ...destination, vault: { address: `https://u:${token()}@127.0.0.1:1` } } },
    },
    {
      name: 'userinfo that is to be filled in',
      content: {
        destination: { ...destination, vault: { address: `https://\${USER}:\${${token()}}@127.0.0.1:1` } },
      },
    },
    {
      name: 'a query',
      content: {
        destination: { ...destination, consul: { address: `https://127.0.0.1:1/?token=${token()}` } },
      },
    },
    { name: 'a duration', content: { destination: { ...destination, tick: token() } } },
    { name: 'a number', content: { destination: { ...destination, numWorkers: token() } } },
    {
      name: 'a path of a file',
      content: { destination: { ...destination, vault: { ...destination.vault, token_file: token() } } },
    },
    { name: 'a level', content: { log: { level: token() } } },
    { name: 'the token twice', content: { destination: { ...destination, Vault: { Token: token() } } } },
    {
      name: 'an old key',
      content: { destination: { ...destination, vault: { ...destination.vault, role_id: token() } } },
    },
    {
      name: 'a certificate',
      content: { origin: { ...origin, vault: { ...origin.vault, tls: { ca_cert: token() } } } },
    },
    {
      name: 'a rule',
      content: {
        destination: {
          ...destination,
          transforms: [{ name: 'r', from: `(?P<a>${token()}`, to: 'a/data/a' }],
        },
      },
    },
    { name: 'the whole file', content: { '': token() } },
  ])('$name', async ({ content }) => {
    const whole = { ...configuration, ...content };
    for (const format of ['json', 'yaml'] as const)
      await expectNothingPrinted(
        format,
        format === 'json' ? JSON.stringify(whole, null, 2) : stringify(whole),
      );
  });

  it('as variables, also of names that nothing reads', async () => {
    const env = {
      VSYNC_ORIGIN_VAULT_TOKN: token(),
      VSYNC_DESTINATION_VAULT: token(),
      VSYNC_NUMBUCKETS: token(),
      VSYNC_DESTINATION_VAULT_TOKEN: `${token()}\n`,
      VSYNC_DESTINATION_TICK: token(),
      VAULT_TOKEN: token(),
      VAULT_ADDR: `https://u:${token()}@127.0.0.1:1`,
      CONSUL_HTTP_AUTH: `user:${token()}`,
      CONSUL_HTTP_TOKEN: token(),
    };
    const file = folder.write('env.json', formats.json);
    for (const [name, value] of Object.entries(env)) {
      for (const command of [
        ['config', 'validate'],
        ['config', 'show', '--all'],
        ['config', 'show', '--json'],
      ]) {
        const { out, err } = await runMain([...command, '-c', file], { env: { [name]: value } });
        expect(canaries.find(out + err), `${name}, vsync ${command.join(' ')}`).toEqual([]);
      }
    }
  });
});
