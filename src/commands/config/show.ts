import { exitCodes } from '../../base/errors.ts';
import type { Role } from '../../config/config.ts';
import { type ShownKey, showConfig } from '../../config/show.ts';
import { type CommandIo, colorFor, widthOf } from '../command-io.ts';
import type { GlobalOptions } from '../global-options.ts';
import { configFor, inputName } from '../load-config.ts';
import { nearerFile } from '../nearer-file.ts';
import { counted, paint, type TextStyle } from '../terminal/text-style.ts';

/** Columns that a table of key, value and source needs; below, each key has lines of its own. */
const tableWidth = 100;

/** `vsync config show`: what is in effect, where each value comes from, and of secrets no more than a fingerprint. */
export async function configShowCommand(
  options: GlobalOptions & { readonly role?: Role; readonly all?: boolean },
  io: CommandIo,
): Promise<number> {
  const as = { interactive: false, filesMayBeAbsent: true };
  const loaded = await configFor(options.role, options, as, io);
  if ('exitCode' in loaded) return loaded.exitCode;
  const { config, files, sources } = loaded;
  const { role, name } = config;
  const keys = showConfig(config, sources);
  if (options.json) {
    const rows = keys.map(({ key, value = null, source = null }) => ({ key, value, source }));
    io.out.write(`${JSON.stringify({ role, name, files, keys: rows })}\n`);
    return exitCodes.ok;
  }
  const style = { width: widthOf(io.out), color: colorFor(io.out, io.env, options.color) };
  const shown = options.all === true ? keys : keys.filter(({ value }) => value !== undefined);
  const unset = keys.length - shown.length;
  const rows = shown.map((row) => ({ ...row, source: nearer(row.source, files, io.cwd) }));
  const from =
    files.length === 0
      ? ', from no file'
      : `, from\n${files.map((file) => `  ${inputName(file)}\n`).join('')}`;
  io.out.write(`${name === role ? role : `${role} ${name}`}${from.trimEnd()}\n\n`);
  io.out.write(style.width < tableWidth ? list(rows, style) : table(rows, style));
  if (unset > 0) io.out.write(`\nnot set, and without a default: ${counted(unset, 'key')} (--all)\n`);
  return exitCodes.ok;
}

/** A source as one would type it in the working directory. */
function nearer(source: string | undefined, files: readonly string[], cwd: string): string | undefined {
  const file = files.find((each) => source?.startsWith(`${each}:`));
  return file === undefined ? source : `${nearerFile(file, cwd)}${source?.slice(file.length)}`;
}

function table(rows: readonly ShownKey[], style: TextStyle): string {
  const width = (of: (row: ShownKey) => string) => Math.max(...rows.map((row) => of(row).length));
  const keyWidth = width(({ key }) => key);
  const valueWidth = Math.min(
    40,
    width(({ value }) => value ?? ''),
  );
  return rows
    .map(({ key, value = '', source = 'not set' }) => {
      const cells = `${key.padEnd(keyWidth)}  ${value.padEnd(valueWidth)}`;
      return `${cells}  ${paint(source, 'dim', style)}\n`;
    })
    .join('');
}

function list(rows: readonly ShownKey[], style: TextStyle): string {
  return rows
    .map(({ key, value, source = 'not set' }) => {
      const setting = value === undefined ? key : `${key}: ${value}`;
      const fits = setting.length + source.length + 4 <= style.width;
      return `${setting}${fits ? '' : '\n'}  ${paint(`(${source})`, 'dim', style)}\n`;
    })
    .join('');
}
