import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { maxFileBytes } from '../../src/config/read-file.ts';
import { configOf, load, originKeys, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const json = JSON.stringify(originKeys);
const yaml = Object.entries(originKeys)
  .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  .join('\n');
const flags = { name: 'x' };

/** What loading one file says, without the folder. */
async function lines(file: string): Promise<string[]> {
  return (await load(undefined, { files: [file], cwd: folder.path, flags })).lines.map((line) =>
    line.replaceAll(`${folder.path}/`, ''),
  );
}

describe('a file that cannot be used', () => {
  mkdirSync(join(folder.path, 'empty.d'));
  symlinkSync('loop.json', join(folder.path, 'loop.json'));
  it.each([
    { name: 'missing', file: 'missing.json', content: undefined, says: 'error missing.json: does not exist' },
    {
      name: 'below a file',
      file: 'file.json/x.json',
      content: undefined,
      says: 'error file.json/x.json: does not exist: a part of its path is no directory',
    },
    {
      name: 'a link to itself',
      file: 'loop.json',
      content: undefined,
      says: 'error loop.json: cannot be read: too many symbolic links',
    },
    {
      name: 'with NUL in its name',
      file: 'a\0b.json',
      content: undefined,
      says: 'error a\0b.json: does not exist: the name holds a NUL character',
    },
    {
      name: 'an empty folder',
      file: 'empty.d',
      content: undefined,
      says: 'error empty.d: holds no configuration file - it needs files that end in json, jsonc, yaml, yml, hcl',
    },
    {
      name: 'too large',
      file: 'large.json',
      content: ' '.repeat(10 * maxFileBytes),
      says: 'error large.json: is larger than 1024 KiB - is this the right file?',
    },
    {
      name: 'with NUL bytes',
      file: 'nul.json',
      content: '{"a": 1}\0',
      says: 'error nul.json: holds a NUL byte at offset 8 - is this a text file?',
    },
    {
      name: 'UTF-16',
      file: 'utf16.json',
      content: Buffer.from(`\ufeff${json}`, 'utf16le'),
      says: 'error utf16.json: is UTF-16 - save it as UTF-8',
    },
    {
      name: 'Latin-1',
      file: 'latin1.yaml',
      content: Buffer.from('name: \xe9', 'latin1'),
      says: 'error latin1.yaml: is not UTF-8 - save it as UTF-8',
    },
    {
      name: 'TOML',
      file: 'a.toml',
      content: 'a = 1',
      says: 'error a.toml: TOML files are not supported - write it as .json, .jsonc, .yaml or .hcl; the keys are the same',
    },
    {
      name: 'properties',
      file: 'a.properties',
      content: 'a=1',
      says: 'error a.properties: Java properties files are not supported - write it as',
    },
    {
      name: 'nested deeply',
      file: 'deep.json',
      content: '{"a":'.repeat(5000),
      says: 'error deep.json:1:1001: is nested too deeply',
    },
    {
      name: 'nested deeply, in YAML',
      file: 'deep.yaml',
      content: `a:\n  ${'- '.repeat(5000)}x`,
      says: 'error deep.yaml:2:1: is nested too deeply',
    },
    {
      name: 'nested deeply by indentation',
      file: 'deeper.yaml',
      content: Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      says: 'error deeper.yaml:201:1: is nested too deeply',
    },
    {
      name: 'nested deeply, in HCL',
      file: 'deep.hcl',
      content: 'a {'.repeat(5000),
      says: 'error deep.hcl:1:603: is nested too deeply',
    },
    {
      name: 'of broken syntax',
      file: 'broken.json',
      content: '{"origin": {\n  "tick": 1m }}',
      says: 'error broken.json:2:12: not valid JSON: something that is neither a text',
    },
  ])('$name is named with the reason', async ({ file, content, says }) => {
    folder.write('file.json', json);
    if (content !== undefined) folder.write(file, content);
    expect((await lines(file))[0]).toContain(says);
  });

  it.skipIf(process.getuid?.() === 0)('is unreadable', async () => {
    chmodSync(folder.write('secret.json', json), 0);
    expect(await lines('secret.json')).toContain('error secret.json: cannot be read: permission denied');
  });

  it('is a device without an end', async () => {
    expect(await lines('/dev/zero')).toContain(
      'error /dev/zero: is larger than 1024 KiB - is this the right file?',
    );
  });
});

describe('a file that can', () => {
  it.each([
    { name: 'JSON', file: 'good.json', content: json },
    {
      name: 'JSON with a BOM and CRLF',
      file: 'bom.json',
      content: `\ufeff${JSON.stringify(originKeys, null, 2).replaceAll('\n', '\r\n')}`,
    },
    { name: 'JSON with an extension in upper case', file: 'good.JSON', content: json },
    { name: 'JSONC', file: 'good.jsonc', content: `// comment\n${json.slice(0, -1)},}` },
    { name: 'YAML', file: 'good.yaml', content: yaml },
    {
      name: 'YAML with a BOM and CRLF',
      file: 'good.yml',
      content: `\ufeff${yaml.replaceAll('\n', '\r\n')}\r\n`,
    },
    { name: 'HCL', file: 'good.hcl', content: yaml.replace(/^([\w.]+): /gm, '"$1" = ') },
    {
      name: 'JSON without extension',
      file: 'good',
      content: `\n // a comment is fine here\n${json}`.replace(' // a comment is fine here\n', ''),
    },
    { name: 'YAML without extension', file: 'good-yaml', content: yaml },
    { name: 'YAML of an unknown extension', file: 'good.conf', content: yaml },
  ])('$name is read', async ({ file, content }) => {
    const loaded = await load(undefined, { files: [folder.write(file, content)] });
    expect(configOf(loaded).origin.vault.address).toBe('https://vault.one:8200');
    expect(loaded.lines).toEqual([]);
    expect(loaded.files).toEqual([join(folder.path, file)]);
  });

  it.each([
    { name: 'empty', file: 'empty.json', content: '' },
    { name: 'blank', file: 'blank.yaml', content: ' \n\n' },
    { name: 'a comment', file: 'comment.yaml', content: '# nothing yet\n' },
    { name: 'null', file: 'null.json', content: 'null' },
  ])('holds nothing ($name): a warning', async ({ file, content }) => {
    folder.write(file, content);
    const [first] = await lines(file);
    expect(first).toBe(`warning ${file}: holds no keys`);
  });
});

describe('standard input', () => {
  it('is read once, as JSON or YAML', async () => {
    let reads = 0;
    const readStdin = async () => {
      reads++;
      return Buffer.from(yaml);
    };
    const loaded = await load(undefined, { files: ['-', '-'], readStdin });
    expect(configOf(loaded).origin.mounts).toEqual(['kv/']);
    expect(reads).toBe(1);
  });

  it('that fails is a problem', async () => {
    const readStdin = () => Promise.reject(new Error('canary'));
    const { lines: said } = await load(undefined, { files: ['-'], readStdin });
    expect(said[0]).toBe('error stdin: cannot be read (unknown error)');
  });
});
