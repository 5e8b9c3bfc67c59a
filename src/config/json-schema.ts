import * as z from 'zod';
import { leafFacts } from './leaf.ts';
import { configSchema } from './schema.ts';

/** A Go duration as a pattern for editors; the loader has the exact grammar. */
const durationPattern = '^(([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$|^0$';

/**
 * The JSON Schema of a configuration file, for editors. It knows the plain way to write each key: other cases, dotted keys, texts for
 * numbers and lists, which are accepted for the sake of old files, are not in it.
 */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { io: 'input', override });
  const { destination, guards, ignoreDeletes, name } = schema.properties ?? {};
  const own = typeof destination === 'object' ? destination : {};
  return {
    ...schema,
    title: 'vsync configuration',
    properties: {
      $schema: { type: 'string', description: 'This schema, for editors.' },
      ...schema.properties,
      destinations: {
        type: 'array',
        description: destinationsDescription,
        minItems: 1,
        items: { ...own, properties: { name, ignoreDeletes, guards, ...own.properties } },
      },
    },
  };
}

/** What the list of destinations is for, in one sentence; it has no place in the schema of keys, since no variable or flag can give it. */
export const destinationsDescription =
  'Several destinations in one process, each written like destination, with a name and, if it likes, guards and ignoreDeletes of its own.';

const override: NonNullable<z.core.ToJSONSchemaParams['override']> = ({ zodSchema, jsonSchema }) => {
  const facts = leafFacts.get(zodSchema);
  if (facts?.kind === 'duration') jsonSchema.pattern = durationPattern;
  if (facts?.kind === 'secret') jsonSchema.writeOnly = true;
  // What a file lacks may come from a variable or a flag; only a transform needs its parts in one place.
  if (!(zodSchema instanceof z.ZodObject)) return;
  if ('from' in zodSchema.shape) jsonSchema.required = ['from', 'to'];
  else delete jsonSchema.required;
};
