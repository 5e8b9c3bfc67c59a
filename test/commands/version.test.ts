import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { runVsync } from '../support/vsync-process.ts';
import { runMain } from './run-main.ts';

const node = process.versions.node;
const platform = `${process.platform}-${process.arch}`;

describe('vsync version', () => {
  it('tells version, Node.js and platform', async () => {
    expect(await runMain(['version'])).toEqual({
      code: 0,
      out: `vsync ${packageJson.version} (Node.js ${node}, ${platform})\n`,
      err: '',
    });
  });

  it('is one document with --json; the commit is known of a build only', async () => {
    const { out } = await runMain(['version', '--json']);
    expect(JSON.parse(out)).toEqual({ version: packageJson.version, commit: null, node, platform });
  });

  it('tells the commit it was built from', async () => {
    const { code, stdout } = await runVsync(['version', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).commit).toSatisfy(
      (commit) => commit === null || /^[0-9a-f]{12,}(-dirty)?$/.test(commit as string),
    );
  });

  it.each(['-V', '--version'])('is short with %s', async (flag) => {
    expect(await runMain([flag])).toEqual({ code: 0, out: `${packageJson.version}\n`, err: '' });
  });

  it('exits with 64 for an argument too many', async () => {
    expect((await runMain(['version', 'more'])).code).toBe(64);
  });
});
