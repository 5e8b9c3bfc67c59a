import { describe, expect, it } from 'vitest';
import { parseHcl } from '../../../src/config/formats/hcl.ts';
import { hclPositions } from '../../../src/config/formats/hcl-positions.ts';
import { configOf, load, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const loadHcl = (text: string) =>
  load(undefined, { role: 'destination', files: [folder.write('dest.hcl', text)] });

const blocks = `
# comment = 1
name = "fra" // other = 2
origin {
  vault { address = "https://vault.one:8200"  token = "t" }
  mounts = ["kv/", "team/"]
}
/* nothing { here = 1 } */
origin { consul { address = "consul.one:8500" } }
destination {
  vault = { address = "https://vault.two:8200", token = "t" }
  "consul" { "address" = "consul.two:8500" }
  numWorkers = 4
  renewToken = true
  transforms { name = "a"  from = "^kv/data/(?P<x>.+)$"  to = "kv/data/x" }
  transforms { name = "b"  from = "^y/(?P<y>\\\\w+)$"  to = "y" }
}
`;

describe('HCL', () => {
  it('has blocks, which Go vsync never saw', async () => {
    const config = configOf(await loadHcl(blocks));
    expect(config).toMatchObject({
      name: 'fra',
      origin: {
        vault: { address: 'https://vault.one:8200' },
        consul: { address: 'http://consul.one:8500' },
        mounts: ['kv/', 'team/'],
      },
      destination: {
        numWorkers: 4,
        renewToken: true,
        transforms: [{ name: 'a' }, { name: 'b', from: '^y/(?P<y>\\w+)$' }],
      },
    });
  });

  it('has flat quoted keys, which Go vsync took', async () => {
    const { config } = await loadHcl(
      `${blocks.replace('name = "fra"', '')}\n"origin.consul.dc" = "fra"\n"numBuckets" = 8\nlog.level = "debug"`,
    );
    expect(config).toMatchObject({
      numBuckets: 8,
      log: { level: 'debug' },
      origin: { consul: { dc: 'fra' } },
    });
  });

  it('takes a list of transforms, too', async () => {
    const text = blocks.replace(
      / {2}transforms \{[\s\S]*?\n\}/,
      '  transforms = [{ name = "a", from = "^(?P<x>.+)$", to = "x" }, { from = "^(?P<x>.+)$", to = "x" }]\n}',
    );
    expect(configOf(await loadHcl(text))).toMatchObject({
      destination: { transforms: [{ name: 'a' }, { name: 'transform 2' }] },
    });
  });

  it('tells the places of keys', async () => {
    const { lines } = await loadHcl(
      blocks.replace('numWorkers = 4', 'numWorkers = 0\n  nmWorkers = 1').replace('to = "y"', 'to = ""'),
    );
    expect(lines).toEqual([
      expect.stringMatching(
        /dest\.hcl:14:3 destination\.nmWorkers: is not a known key - did you mean destination\.numWorkers\?$/,
      ),
      expect.stringMatching(/dest\.hcl:13:3 destination\.numWorkers: must be/),
      expect.stringMatching(/dest\.hcl:17:3 destination\.transforms\[1\]: has no to/),
    ]);
  });

  it.each([
    { name: 'an open text', text: 'a = 1\nb = "x', place: 'dest.hcl:2:7' },
    { name: 'a bare word', text: 'a = yes', place: 'dest.hcl:1:5' },
    { name: 'an open block', text: 'origin {', place: 'dest.hcl:1:10' },
    { name: 'a huge number', text: 'a = 123456789012345678901234567890', place: 'dest.hcl' },
  ])('$name is a fault', async ({ text, place }) => {
    const { lines, config } = await loadHcl(text);
    expect(config).toBeUndefined();
    expect(lines[0]).toMatch(new RegExp(`^error .*/${place}: not valid HCL$`));
  });

  it.each([
    {
      name: 'a key twice',
      text: 'name = "a"\nname = "b"',
      says: 'dest.hcl:2:1: the key name is there twice, or has no value',
    },
    {
      name: 'a key without value at the end',
      text: 'name = ',
      says: 'dest.hcl:1:1: the key name is there twice, or has no value',
    },
    {
      name: 'a key in two blocks',
      text: 'origin { tick = "1m" }\norigin { tick = "2m" }',
      says: 'dest.hcl:2:10 origin.tick: is there twice; the first one is at',
    },
    {
      name: 'a group as text',
      text: 'origin = "x"',
      says: 'dest.hcl:1:1 origin: must hold keys, not a value',
    },
  ])('$name is an error, where the library says nothing', async ({ text, says }) => {
    expect((await loadHcl(text)).lines.join('\n')).toContain(says);
  });

  it('leaves the globals as they were', async () => {
    const limit = Error.stackTraceLimit;
    await parseHcl('a = 1');
    expect(Error.stackTraceLimit).toBe(limit);
    expect(Object.hasOwn(globalThis, 'require')).toBe(false);
  });

  it('of nothing has no root', async () => {
    expect(await parseHcl('# nothing')).toEqual({ document: { format: 'hcl', root: undefined } });
  });
});

it('positions are not confused by heredocs, interpolations, comments and lists', () => {
  const text =
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an interpolation of HCL
    'a = <<EOT\nb = 1\nEOT\nc = "${x("=")} y = 1"\nd = [{ e = 1 }, { e = 2 }]\nf "g" { h = -1.5 } # i = 1\n"j" = true';
  const found = [...hclPositions(text)].map(
    ([path, places]) =>
      `${path.split('\0').join('.')} ${places.map(({ line, column }) => `${line}:${column}`).join()}`,
  );
  expect(found).toEqual([
    'a 1:1',
    'c 4:1',
    'd 5:1',
    'd.e 5:8,5:19',
    'f 6:1',
    'f.g 6:3',
    'f.g.h 6:9',
    'j 7:1',
  ]);
});
