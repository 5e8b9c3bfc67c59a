import { exitCodes } from '../../base/errors.ts';
import { configJsonSchema } from '../../config/json-schema.ts';
import type { CommandIo } from '../command-io.ts';

/** `vsync config schema`: the JSON Schema of a configuration file, the same as `schema/vsync.schema.json`. */
export async function configSchemaCommand(io: CommandIo): Promise<number> {
  io.out.write(configSchemaText());
  return exitCodes.ok;
}

export function configSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}
