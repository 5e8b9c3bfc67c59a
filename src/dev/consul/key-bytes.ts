/**
 * Consul keys are bytes: they need not be UTF-8, and they sort by byte. JavaScript strings sort by UTF-16 unit, so inside the dev
 * Consul a key is a string with one character per byte (`latin1`). ASCII keys look the same both ways.
 * May import: nothing.
 */

const notAscii = /[^\p{ASCII}]/u;

/** The key of a text, say of a transaction's JSON. */
export function keyOfText(text: string): string {
  return notAscii.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** The text of a key, for an answer. Bytes that are no UTF-8 become U+FFFD, as in Consul's JSON. */
export function textOfKey(key: string): string {
  return notAscii.test(key) ? Buffer.from(key, 'latin1').toString('utf8') : key;
}
