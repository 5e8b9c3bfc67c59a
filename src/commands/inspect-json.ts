import { version } from '../version.ts';
import type { CommandIo } from './command-io.ts';

/** One JSON document on standard output. */
export function writeJson(io: CommandIo, type: string, content: Readonly<Record<string, unknown>>): void {
  io.out.write(jsonDocument(type, content));
}

/**
 * One JSON document on one line. Readers ignore fields they do not know; a minor `format_version` only adds some.
 */
export function jsonDocument(type: string, content: Readonly<Record<string, unknown>>): string {
  const head = { format_version: '1.0', type, vsync_version: version, created_at: new Date().toISOString() };
  return `${JSON.stringify({ ...head, ...content })}\n`;
}
