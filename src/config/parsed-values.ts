import * as z from 'zod';
import { type Mount, parseMount, segmentsProblem } from '../sync/mount-path.ts';
import type { Transform } from '../sync/transform.ts';
import { parserOf } from './grammars.ts';
import { type LeafOptions, leaf, parsedText, refuse, refuseWith } from './leaf.ts';

/** The leaves whose text has a grammar of its own: addresses, mounts, globs, sync paths, cron expressions, time zones, transforms. */

/**
 * `http(s)://host[:port]` as `URL.origin` writes it. Consul's scheme may be missing (http), as in its own clients; Vault's may not,
 * since a token sent to the wrong one of http and https is a token in the open.
 */
export function address(description: string, server: 'vault' | 'consul', options: LeafOptions) {
  return parsedText(
    description,
    (value, ctx) => {
      const trimmed = value.trim();
      const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed);
      const candidate = hasScheme ? trimmed : `http://${trimmed}`;
      if (!URL.canParse(candidate))
        return refuse(ctx, 'is not an address', `write it like ${example(server)}`);
      const url = new URL(candidate);
      if (!hasScheme && server === 'vault') {
        return refuse(ctx, 'has no scheme', `write "https://${url.host}" (or http:// for one without TLS)`);
      }
      if (url.protocol !== 'http:' && url.protocol !== 'https:') {
        return refuse(ctx, `has the scheme "${url.protocol}//"`, 'http:// and https:// are supported');
      }
      if (url.username !== '' || url.password !== '') {
        return refuse(
          ctx,
          'holds credentials',
          `write "${url.origin}" and give a token by ${server}.token_file`,
        );
      }
      if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
        return refuse(ctx, 'has more than scheme, host and port', `write "${url.origin}"`);
      }
      return url.origin;
    },
    options,
  );
}

function example(server: 'vault' | 'consul'): string {
  return server === 'vault' ? '"https://vault.example.net:8200"' : '"http://127.0.0.1:8500"';
}

/** KV v2 mounts, each once; missing final and surplus outer slashes are repaired (`side-rules.ts` warns). */
export function mounts(description: string, options: LeafOptions) {
  const schema = z.array(z.string()).transform((values, ctx): Mount[] => {
    if (values.length === 0) return refuse(ctx, 'is empty', 'name at least one mount, e.g. ["secret/"]');
    const parsed = values.flatMap((value, i) => {
      try {
        return [parseMount(value)];
      } catch (error) {
        refuseWith(ctx, error, [i]);
        return [];
      }
    });
    return [...new Set(parsed)];
  });
  return leaf(schema, description, { kind: 'list', ...options });
}

/** Globs on the logical path of secrets. */
export function globs(description: string, options: LeafOptions) {
  const schema = z.array(z.string().min(1)).transform((values, ctx) => {
    for (const [i, value] of values.entries()) {
      const pathFilter = parserOf('glob');
      try {
        pathFilter([value], []);
      } catch {
        refuse(ctx, 'is not a glob', 'use *, **, ?, [a-z] and {a,b}', { path: [i] });
      }
    }
    return values;
  });
  return leaf(schema, description, { kind: 'list', grammar: 'glob', ...options });
}

/** A path in Consul's KV, without leading and with one trailing slash. */
export function syncPath(description: string, options: LeafOptions) {
  return parsedText(
    description,
    (value, ctx) => {
      const name = value.replace(/^\/+|\/+$/g, '');
      const problem = segmentsProblem(name);
      if (problem === undefined) return `${name}/`;
      return refuse(ctx, `is not a path in Consul: ${problem}`, 'write it like "vsync/"');
    },
    { ...options, emptyRefused: true },
  );
}

/** A cron expression that fires at least once. */
export function cron(description: string, options: LeafOptions) {
  return parsedText(
    description,
    (value, ctx) => {
      const Cron = parserOf('cron');
      try {
        if (new Cron(value, { paused: true, timezone: 'UTC' }).nextRun() !== null) return value;
        return refuse(ctx, 'never fires', 'check its day and month');
      } catch (error) {
        return refuse(ctx, `is not a cron expression: ${cronReason(error)}`, 'write it like "*/5 * * * *"');
      }
    },
    { ...options, grammar: 'cron' },
  );
}

function cronReason(error: unknown): string {
  return error instanceof Error
    ? error.message
        .replace(/^CronPattern: /, '')
        .replace(/ \('.*'\)/s, '')
        .replace(/\.$/, '')
    : 'it cannot be read';
}

/** The name of an IANA time zone. */
export function timezone(description: string, options: LeafOptions) {
  return parsedText(
    description,
    (value, ctx) => {
      // The default: asking takes longer than all else of `config validate`.
      if (value === 'UTC') return value;
      try {
        new Intl.DateTimeFormat('en', { timeZone: value });
        return value;
      } catch {
        return refuse(ctx, 'is not a time zone', 'use an IANA name such as "UTC" or "Europe/Berlin"');
      }
    },
    options,
  );
}

/** Transform rules, compiled. */
export function transforms(description: string, options: LeafOptions) {
  const rule = z.strictObject({
    name: z.string().describe('Name of the rule in plans and logs.'),
    from: z
      .string()
      .min(1)
      .describe('RE2 expression with named groups, searched in the origin path: "(?P<key>.+)".'),
    to: z
      .string()
      .min(1)
      .describe('Target path; a part between slashes that equals a group name becomes its text.'),
  });
  const schema = z.array(rule).transform((rules, ctx): Transform[] =>
    rules.flatMap((each, i) => {
      const compileTransform = parserOf('transform');
      try {
        return [compileTransform(each)];
      } catch (error) {
        refuseWith(ctx, error, [i, 'from']);
        return [];
      }
    }),
  );
  return leaf(schema, description, { kind: 'transforms', grammar: 'transform', ...options });
}
