import { inspect } from 'node:util';
import { expect } from 'vitest';

/** Fails when a text that must not be seen is in any form in which an error may be shown, its causes included. */
export function expectNoLeak(error: unknown, canary: string | RegExp): void {
  const seen = new Set<unknown>();
  for (
    let each = error;
    each !== undefined && each !== null && !seen.has(each);
    each = (each as Error).cause
  ) {
    seen.add(each);
    const forms = {
      'util.inspect': inspect(each, { depth: 20, showHidden: true, getters: true }),
      'util.inspect without custom': inspect(each, { depth: 20, customInspect: false }),
      'JSON.stringify': JSON.stringify(each) ?? '',
      'JSON.stringify with all own properties': JSON.stringify(each, Object.getOwnPropertyNames(each)) ?? '',
      String: String(each),
      stack: String((each as Error).stack),
    };
    for (const [form, text] of Object.entries(forms)) {
      expect(text.search(canary), `${canary} is in ${form} of the error:\n${text}`).toBe(-1);
    }
  }
}
