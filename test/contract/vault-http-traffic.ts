import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import {
  devVaults,
  freshMount,
  type KvMount,
  type Reply,
  realVaults,
  tokenWith,
  type VaultTarget,
} from './vault-http-target.ts';

/**
 * The same random requests to the dev server and the real Vault 1.18.0: each pair of answers must be the same byte for byte, error texts
 * included, but for ids and times. What the facts forget, this finds; `VSYNC_TRAFFIC_RUNS` and `VSYNC_TRAFFIC_SEED` make it look further.
 */
export function sameTraffic(): void {
  let [dev, real]: VaultTarget[] = [];
  let version: unknown;
  beforeAll(async () => {
    [dev, real] = [await devVaults('vault').start(), await realVaults.start()];
    version = (await real.send('GET sys/health')).json.version;
  });
  afterAll(() => Promise.all([dev?.stop(), real?.stop()]));

  const compare = async <T>(skip: TestContext['skip'], input: fc.Arbitrary<T>, ask: Ask<T>) => {
    if (version !== '1.18.0') skip(`the dev server is Vault 1.18.0, the real one ${String(version)}`);
    const property = fc.asyncProperty(input, async (given) => {
      const seen = await Promise.all([dev, real].map((vault) => vault && ask(vault, given)));
      expect(seen[0]).toEqual(seen[1]);
    });
    const { VSYNC_TRAFFIC_RUNS: runs = 40, VSYNC_TRAFFIC_SEED: seed = 1 } = process.env;
    await fc.assert(property, { numRuns: Number(runs), seed: Number(seed) });
  };

  it('gets the same answers from KV mounts', async ({ skip }) => {
    const engines = fc.constantFrom('2', '2', '2', '1');
    await compare(skip, fc.tuple(engines, requests), (vault, [engine, sent]) =>
      answersOf(vault, engine, sent),
    );
  });

  it('is judged the same by policies', async ({ skip }) => {
    await compare(skip, fc.tuple(rules, asked), judgementOf);
  });
}

type Ask<T> = (vault: VaultTarget, given: T) => Promise<unknown>;

const ruleSegments = fc.array(fc.constantFrom('a', 'b', 'ab', '+', '+b'), { minLength: 1, maxLength: 4 });
const rulePaths = fc
  .tuple(ruleSegments, fc.constantFrom('', '', '*', '/', '/*', 'a*'))
  .map(([segments, end]) => segments.join('/') + end)
  .filter((path) => !path.includes('+*'));
const capabilities = fc.subarray(['create', 'read', 'update', 'delete', 'list', 'deny'], {
  minLength: 1,
  maxLength: 2,
});
const rules = fc.array(fc.tuple(rulePaths, capabilities), { minLength: 1, maxLength: 6, size: 'max' });
const asked = fc.array(
  fc
    .tuple(
      fc.array(fc.constantFrom('a', 'b', 'ab', 'aba', '+'), { minLength: 1, maxLength: 5 }),
      fc.constantFrom('', '/'),
    )
    .map(([segments, end]) => segments.join('/') + end),
  { minLength: 10, maxLength: 30, size: 'max' },
);

/** What a token with these rules may do on these paths. */
async function judgementOf(
  vault: VaultTarget,
  [granted, paths]: readonly [readonly (readonly [string, readonly string[]])[], readonly string[]],
): Promise<unknown> {
  const policy = granted
    .map(([path, list]) => `path "${path}" { capabilities = ${JSON.stringify(list)} }`)
    .join('\n');
  await vault.send('PUT sys/policies/acl/traffic', { policy });
  const { json } = await vault.send('POST auth/token/create', { policies: ['traffic'] });
  const token = String(json.auth?.client_token);
  return (await vault.send('POST sys/capabilities-self', { paths }, { token })).data;
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly token: 'root' | 'reader' | 'creator' | 'bogus' | 'none';
}

const keys = fc.constantFrom(
  'a',
  'a',
  'a',
  'a',
  'a/b',
  'a/b',
  'a/b/c',
  'é',
  'a%2F%2Fb',
  'x/%2e%2e/a',
  'a+b',
  '%ff',
  'a/',
  '',
);
const numbers = fc
  .constantFrom('0', '1', '2', '3', '99', '-1', '1.0', '1e3', '12345678901234567890', '1e400')
  .map(raw);
const oddities = fc.constantFrom(
  null,
  true,
  false,
  '',
  '1',
  '2',
  'x',
  '1,2',
  [],
  [1],
  ['2', 1],
  {},
  { a: 1 },
  [{ a: 1 }],
  [[]],
  [{ a: null, b: [null] }],
);
const values = fc.oneof(numbers, oddities);
const data = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.dictionary(fc.constantFrom('k', 'l', '<', '\u2028', '\u{1F600}', '\uFF5E'), values, {
      maxKeys: 3,
    }),
  },
  { weight: 1, arbitrary: values },
);

/** A number in a body keeps its text: `asBody` writes it without quotes. */
function raw(text: string): { readonly raw: string } {
  return { raw: text };
}

function asBody(value: unknown): string {
  return JSON.stringify(value).replaceAll(/\{"raw":"([^"]*)"\}/g, '$1');
}

/** One odd field at most: of several that are wrong, Go names whichever its map yields first. */
function fields(names: readonly string[]) {
  const one = fc.tuple(fc.constantFrom(...names), values).map(([name, value]) => ({ [name]: value }));
  return fc.oneof(one, fc.constant({}));
}

const options = fc.oneof(
  fc.constant(undefined),
  values.map((cas) => ({ cas })),
);
const writes = fc
  .record({ data, options })
  .map(({ data: value, options: rest }) =>
    rest === undefined ? { data: value } : { data: value, options: rest },
  );
const settings = fc.oneof(
  fields(['max_versions', 'cas_required', 'custom_metadata', 'foo']),
  fields(['max_versions', 'foo']),
  fc.constantFrom(
    { delete_version_after: '1h' },
    { delete_version_after: 'x' },
    { delete_version_after: -1 },
  ),
  fc.constantFrom(
    { custom_metadata: { k: 'v' } },
    { custom_metadata: { k: '' } },
    { custom_metadata: { l: null } },
  ),
);
const nothing = fc.constant(undefined);

const shapes = fc.oneof(
  { weight: 8, arbitrary: shape(['POST', 'PUT'], 'data/', writes) },
  { weight: 3, arbitrary: shape(['PATCH'], 'data/', writes) },
  {
    weight: 5,
    arbitrary: shape(['GET'], 'data/', nothing, ['', '?version=1', '?version=2', '?version=x', '?foo=1']),
  },
  { weight: 2, arbitrary: shape(['DELETE'], 'data/', nothing) },
  {
    weight: 4,
    arbitrary: shape(['GET'], 'metadata/', nothing, ['', '', '?list=true', '?list=true&limit=1']),
  },
  { weight: 2, arbitrary: shape(['LIST', 'SCAN', 'HEAD', 'OPTIONS'], 'metadata/', nothing) },
  { weight: 4, arbitrary: shape(['POST', 'PATCH'], 'metadata/', settings) },
  { weight: 1, arbitrary: shape(['DELETE'], 'metadata/', nothing) },
  { weight: 2, arbitrary: shape(['POST'], 'delete/', fields(['versions', 'foo'])) },
  { weight: 2, arbitrary: shape(['POST'], 'undelete/', fields(['versions'])) },
  { weight: 2, arbitrary: shape(['POST'], 'destroy/', fields(['versions'])) },
  { weight: 1, arbitrary: shape(['GET', 'POST'], 'subkeys/', nothing, ['', '?depth=1', '?version=1']) },
  {
    weight: 1,
    arbitrary: shape(['POST', 'GET'], 'config', settings).map((sent) => ({ ...sent, path: 'config' })),
  },
  { weight: 2, arbitrary: shape(['GET', 'POST', 'DELETE', 'LIST', 'PATCH'], '', writes) },
);

function shape(
  methods: readonly string[],
  prefix: string,
  body: fc.Arbitrary<unknown>,
  queries: readonly string[] = [''],
) {
  return fc
    .record({ method: fc.constantFrom(...methods), key: keys, query: fc.constantFrom(...queries), body })
    .map(({ method, key, query, body: sent }) => ({ method, path: `${prefix}${key}${query}`, body: sent }));
}

const tokens = fc.oneof(
  { weight: 6, arbitrary: fc.constant('root' as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('reader' as const, 'creator' as const, 'bogus' as const, 'none' as const),
  },
);
const requests = fc.array(
  fc.record({ shape: shapes, token: tokens }).map(({ shape: sent, token }): Sent => ({ ...sent, token })),
  { minLength: 5, maxLength: 40, size: 'max' },
);

async function answersOf(vault: VaultTarget, engine: string, sent: readonly Sent[]): Promise<string[]> {
  const kv = await freshMount(vault, engine);
  const ids: Readonly<Record<Sent['token'], string | null>> = {
    root: vault.rootToken,
    reader: await tokenWith(vault, { [`${kv.path}*`]: ['read', 'list'] }),
    creator: await tokenWith(vault, {
      [`${kv.path}data/*`]: ['create'],
      [`${kv.path}metadata/*`]: ['create', 'patch'],
    }),
    bogus: 'bogus',
    none: null,
  };
  const normalized = normalizer();
  const answers: string[] = [];
  for (const request of sent) answers.push(normalized(request, await ask(kv, request, ids[request.token])));
  return answers;
}

function ask(kv: KvMount, { method, path, body }: Sent, token: string | null): Promise<Reply> {
  const headers = method === 'PATCH' ? { 'Content-Type': 'application/merge-patch+json' } : {};
  const withBody = ['POST', 'PUT', 'PATCH'].includes(method) && body !== undefined;
  return kv.send(`${method} ${path}`, withBody ? asBody(body) : undefined, { token, headers });
}

/** Times become T1, T2, … in the order of their first appearance: equal ones stay equal. */
function normalizer(): (request: Sent, reply: Reply) => string {
  const times = new Map<string, string>();
  const name = (time: string) => {
    if (!times.has(time)) times.set(time, `T${times.size + 1}`);
    return times.get(time) ?? '';
  };
  return ({ method, path, body, token }, { status, headers, text }) => {
    const shown = text
      .replace(/"request_id":"[0-9a-f-]{36}"/, '"request_id":"ID"')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, name)
      .replaceAll(/fact-\d+/g, 'MOUNT');
    const sent = `${method} ${path} ${body === undefined ? '' : asBody(body)} (${token})`;
    return `${sent} -> ${status} ${headers['content-type']} ${headers['cache-control']} ${shown}`;
  };
}
