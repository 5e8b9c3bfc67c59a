import { describe, expect, it } from 'vitest';
import { runMain } from './run-main.ts';

describe('a command line that cannot be followed', () => {
  it.each([
    { args: ['orgin'], says: 'orgin is not a command; did you mean origin?', fix: 'vsync --help' },
    {
      args: ['config', 'vaildate'],
      says: 'vaildate is not a command; did you mean validate?',
      fix: 'vsync config --help',
    },
    { args: ['config'], says: 'vsync config needs a command: validate, show, schema, migrate' },
    {
      args: ['origin', '--orgin.vault.address', 'x'],
      says: '--orgin.vault.address is not a flag; did you mean --origin.vault.address?',
      fix: 'vsync origin --help',
      id: 'USAGE_UNKNOWN_FLAG',
    },
    {
      args: ['config', 'show', '--al'],
      says: '--al is not a flag; did you mean --all?',
      id: 'USAGE_UNKNOWN_FLAG',
    },
    {
      args: ['config', 'migrate'],
      says: "missing required argument 'file'",
      fix: 'vsync config migrate --help',
    },
    { args: ['--config'], says: "option '-c, --config <file>' argument missing" },
    { args: ['version', '--color', 'pink'], says: "argument 'pink' is invalid" },
  ])('$args', async ({ args, says, fix, id = 'USAGE' }) => {
    const { code, out, err } = await runMain(args);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toContain(says);
    expect(err).toMatch(new RegExp(`^  id:    ${id}$`, 'm'));
    if (fix !== undefined) expect(err).toContain(`  fix:   ${fix}\n`);
  });

  it('is told as one line with --json', async () => {
    const { err } = await runMain(['config', 'vaildate', '--json']);
    expect(JSON.parse(err)).toMatchObject({ type: 'exit_error', code: 64, id: 'USAGE' });
  });

  it('shows nothing that follows an equals sign', async () => {
    const { err } = await runMain(['origin', '--origin.vault.tokn=hvs.canary']);
    expect(err).toContain('--origin.vault.tokn is not a flag');
    expect(err).not.toContain('canary');
  });
});

describe('help', () => {
  it.each([
    { args: [] },
    { args: ['--help'] },
    { args: ['help'] },
    { args: ['origin', '-h'] },
    { args: ['help', 'config'] },
    { args: ['config', 'show', '--help'] },
  ])('is printed on standard output by $args, and is no failure', async ({ args }) => {
    const { code, out, err } = await runMain(args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('Usage: vsync');
  });

  it.each([60, 80])('fits a terminal of %i columns', async (columns) => {
    for (const args of [['--help'], ['origin', '--help'], ['init', '--help']]) {
      const { out } = await runMain(args, { columns });
      const [, body = ''] = out.split('Options:');
      const long = body.split('\n').filter((line) => line.length > columns);
      expect(long, args.join(' ')).toEqual([]);
    }
  });
});
