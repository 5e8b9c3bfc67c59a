import type { IncomingMessage } from 'node:http';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { parseJson } from './json-parse.ts';
import { type Flavour, plainError } from './logical.ts';
import { parseQuery } from './request-target.ts';

/** Request bodies: JSON, or a form where the client says so. */

/** Vault's `max_request_size`. */
const maxBodyBytes = 32 * 1024 * 1024;
/** OpenBao counts the strings of a body, keys and values. */
const openbaoMaxStrings = 1_000;

/** The whole body as bytes, `undefined` if it is longer than Vault accepts. Rejects when the client goes away. */
export function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBodyBytes) chunks.push(chunk);
    });
    request.on('end', () => resolve(length <= maxBodyBytes ? Buffer.concat(chunks) : undefined));
    request.on('error', reject);
  });
}

/** The fields of a body; an empty one, and `null`, are "no data". Throws the 400 or 413 that Vault answers. */
export function bodyFields(flavour: Flavour, body: Buffer | undefined, contentType: string): JsonObject {
  if (body === undefined) {
    throw plainError(413, flavour === 'vault' ? 'error parsing JSON' : 'http: request body too large');
  }
  const text = body.toString();
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType) && !/^[ \t\r\n]*[[{]/.test(text)) {
    return formFields(text);
  }
  const fields = jsonFields(flavour, text);
  if (fields === undefined) throw plainError(400, 'error parsing JSON');
  return fields;
}

function jsonFields(flavour: Flavour, text: string): JsonObject | undefined {
  try {
    const { value, strings } = parseJson(text);
    if (flavour === 'openbao' && strings > openbaoMaxStrings) return undefined;
    if (value === undefined || value === null) return new Map();
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function formFields(text: string): JsonObject {
  const joined = (value: Json): Json => (typeof value === 'string' ? value : [value].flat().join(','));
  return new Map([...parseQuery(text)].map(([name, value]) => [name, joined(value)]));
}

/** Throws what Vault answers to a PATCH that is not `application/merge-patch+json`. */
export function checkPatchType(contentType: string): void {
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (mediaType === '') throw plainError(400, 'mime: no media type');
  if (mediaType !== 'application/merge-patch+json') {
    throw plainError(
      415,
      `PATCH requires Content-Type of application/merge-patch+json, provided ${mediaType}`,
    );
  }
}
