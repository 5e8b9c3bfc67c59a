/**
 * What the dev Consul answers, before it becomes bytes on a socket.
 * May import: nothing.
 */

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

/** Every endpoint of Consul sends this; its router, which answers redirects and unknown paths, does not. */
const endpointHeaders = { Vary: 'Accept-Encoding' } as const;
export const indexHeader = 'X-Consul-Index';

/** Where an endpoint cannot go on: thrown there, answered in one place. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  /** `text` is the body, word for word as Consul has it. */
  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

/** JSON that is already text, as Consul writes it outside of dev mode: compact, without a newline. */
export function json(body: string, headers: Readonly<Record<string, string>> = {}, status = 200): Answer {
  return { status, headers: { 'Content-Type': 'application/json', ...endpointHeaders, ...headers }, body };
}

/** An error: its text is the body, without a newline. */
export function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const type = body === '' ? {} : { 'Content-Type': 'text/plain; charset=utf-8' };
  return { status, headers: { ...type, ...endpointHeaders, ...headers }, body };
}

/** Status and nothing else, as Consul's router answers what no endpoint serves. */
export function bare(status: number): Answer {
  return { status, headers: {}, body: '' };
}

/** `answer` with some headers replaced or added. */
export function withHeaders(answer: Answer, headers: Readonly<Record<string, string>>): Answer {
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

/** The headers that say how fresh a read is. This server always is its own leader. */
export const freshness = { 'X-Consul-Knownleader': 'true', 'X-Consul-Lastcontact': '0' } as const;

/** The headers of a read that can be watched. An index is at least 1: a client that got 0 would never block. */
export function queryMeta(index: number): Readonly<Record<string, string>> {
  return { [indexHeader]: String(Math.max(index, 1)), ...freshness };
}

/** A JSON string as Go writes it: `<`, `>`, `&` and the line separators escaped. */
export function jsonString(value: string): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
