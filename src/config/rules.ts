import type { Side } from '../base/errors.ts';
import { formatDuration } from './duration.ts';
import type { RuleContext } from './rule-context.ts';
import { checkSide } from './side-rules.ts';

/** The sides that a process of the role connects to. */
function sidesOf({ role }: RuleContext): readonly Side[] {
  return role === 'origin' ? ['origin'] : ['origin', 'destination'];
}

/** Reports what is wrong between keys that are right by themselves. */
export function checkRules(context: RuleContext): void {
  for (const side of sidesOf(context)) checkSide(side, context);
  checkTimeouts(context);
  checkRetry(context);
  checkTransforms(context);
  checkBuckets(context);
}

/** The index has 67 bytes for each bucket and must fit one value of Consul (512 KiB). */
const mostBuckets = 7825;

function checkBuckets({ draft, report }: RuleContext): void {
  const { numBuckets } = draft;
  if (numBuckets === undefined || numBuckets <= mostBuckets) return;
  report({
    severity: 'error',
    code: 'CONFIG_BAD_VALUE',
    key: 'numBuckets',
    message: `${numBuckets} is too many: the index would not fit one value of Consul (512 KiB)`,
    hint: `use ${mostBuckets} or less; paths/256 is a good number, and unset vsync chooses it`,
  });
}

/** Reports deliberate choices that a person must be reminded of at every start. They stay warnings in strict mode. */
export function remindOfChoices(context: RuleContext): void {
  const { draft, report } = context;
  for (const side of sidesOf(context)) {
    for (const server of ['vault', 'consul'] as const) {
      if (draft[side]?.[server]?.tls?.skipVerify !== true) continue;
      const key = `${side}.${server}.tls.skip_verify`;
      const message = 'is on: whoever is between sees the token and every value';
      report({
        severity: 'warning',
        code: 'CONFIG_BAD_VALUE',
        key,
        message,
        hint: 'use tls.ca_cert instead',
      });
    }
  }
  if (draft.guards?.enabled === false && context.role === 'destination') {
    const message = 'is off: nothing holds back a mass delete';
    report({ severity: 'warning', code: 'CONFIG_BAD_VALUE', key: 'guards.enabled', message });
  }
}

/** A request that may last longer than its cycle cannot time out by itself. */
function checkTimeouts(context: RuleContext): void {
  const { role, draft, isSet, report } = context;
  const cycle = draft[role]?.timeoutMs;
  for (const side of sidesOf(context)) {
    for (const server of ['vault', 'consul'] as const) {
      const key = `${side}.${server}.requestTimeout`;
      const request = draft[side]?.[server]?.requestTimeoutMs;
      if (!isSet(key) || request === undefined || cycle === undefined || request <= cycle) continue;
      const message = `${formatDuration(request)} is longer than ${role}.timeout (${formatDuration(cycle)}), the limit of a whole cycle`;
      report({
        severity: 'warning',
        code: 'CONFIG_CONFLICT',
        key,
        message,
        hint: 'make it shorter, or the cycle longer',
      });
    }
  }
}

function checkRetry({ draft, report }: RuleContext): void {
  const { baseMs, maxMs } = draft.retry ?? {};
  if (baseMs === undefined || maxMs === undefined || baseMs <= maxMs) return;
  const message = `${formatDuration(baseMs)} is longer than retry.max (${formatDuration(maxMs)})`;
  report({
    severity: 'error',
    code: 'CONFIG_CONFLICT',
    key: 'retry.base',
    message,
    hint: 'make it shorter than retry.max',
  });
}

function checkTransforms({ role, draft, report }: RuleContext): void {
  if (role !== 'destination') return;
  for (const [i, transform] of (draft.destination?.transforms ?? []).entries()) {
    for (const warning of transform.warnings) {
      const message = `"${transform.name}": ${warning}`;
      report({
        severity: 'warning',
        code: 'CONFIG_BAD_VALUE',
        key: 'destination.transforms',
        part: [i],
        message,
      });
    }
  }
}
