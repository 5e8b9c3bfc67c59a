import { flagSpecs } from '../../config/flags.ts';

/** What the process shows of itself without being asked: its line in the process list, and what Node prints when told to (R12). */

const secretFlags = new Set(
  flagSpecs.flatMap(({ name, warning }) => (warning === undefined ? [] : [`--${name}`])),
);

/** The command line as the process list may show it; `undefined` where no flag of it gives a secret. */
export function titleWithoutSecrets(args: readonly string[]): string | undefined {
  const shown = args.map((arg, i) => {
    const [flag = ''] = arg.split('=', 1);
    if (flag !== arg && secretFlags.has(flag)) return `${flag}=***`;
    return secretFlags.has(args[i - 1] ?? '') ? '***' : arg;
  });
  return shown.some((arg, i) => arg !== args[i]) ? ['vsync', ...shown].join(' ') : undefined;
}

/**
 * With `NODE_DEBUG=stream` (or `*`) Node prints the first 50 bytes of each piece that comes over the wire, and a piece may begin in the
 * middle of a value. It writes through `stream`, which from now on says only that there were bytes.
 */
export function hideBytes(stream: Pick<NodeJS.WriteStream, 'write'>): void {
  const write = stream.write as (...given: readonly unknown[]) => boolean;
  stream.write = (text: unknown, ...more: readonly unknown[]) =>
    write.call(
      stream,
      typeof text === 'string' ? text.replace(/(<Buffer)(?: [0-9a-f]{2})+/g, '$1') : text,
      ...more,
    );
}
