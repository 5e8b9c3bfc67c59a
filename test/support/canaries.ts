import { createHash, randomBytes } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Texts that must not be seen anywhere but where they were planted (R12), and the search for them: as they are, encoded in any way that a
 * program might encode them, hashed, and cut.
 */
export class Canaries {
  /** Each piece of each form of each text -> what it is a piece of. */
  readonly #pieces = new Map<string, string>();

  /** A text of that kind that is nowhere else. `odd`: characters that each encoding writes in its own way come first and last. */
  make(kind: string, { prefix = '', odd = false } = {}): string {
    const random = randomBytes(18).toString('base64url').replace(/[-_]/g, 'x');
    return this.add(kind, odd ? `${prefix}"ü%2F+\\${random}&<é>'` : `${prefix}${random}`);
  }

  /** Takes a text that something else made, such as a token of a real Vault. */
  add(kind: string, text: string): string {
    for (const [form, written] of formsOf(text)) {
      const length = lengthOf(form);
      for (let at = 0; at + length <= written.length; at += 1)
        this.#pieces.set(written.slice(at, at + length), `${kind} (${form})`);
    }
    return text;
  }

  /** What of the canaries is in a text: each kind and form once, with what surrounds it. */
  find(text: string): string[] {
    const found = new Map<string, string>();
    for (const length of Object.values(lengths)) {
      // Every piece of a canary is known, so that not every one of the text has to be looked at.
      const step = Math.floor(length / 4);
      for (let at = 0; at + length <= text.length; at += step) {
        const kind = this.#pieces.get(text.slice(at, at + length));
        if (kind !== undefined && !found.has(kind))
          found.set(kind, `${kind}: ...${text.slice(Math.max(0, at - 160), at + 60)}...`);
      }
    }
    return [...found.values()];
  }

  /** Looks through every file below a folder, names included. */
  async findInFiles(folder: string): Promise<string[]> {
    const found: string[] = [];
    for (const name of await readdir(folder, { recursive: true })) {
      const file = join(folder, name);
      found.push(...this.find(file).map((each) => `name of ${file}: ${each}`));
      if (!(await lstat(file)).isFile()) continue;
      found.push(...this.find(await readFile(file, 'utf8')).map((each) => `${file}: ${each}`));
    }
    return found;
  }
}

/**
 * What is cut short is found, too, down to 12 characters of the text. Less is like other text, and of a token no secret: a fingerprint
 * shows its prefix and four digits of a hash.
 */
const lengths = { plain: 10, hex: 20, bytes: 30 };

function lengthOf(form: string): number {
  if (form === 'hex dump' || form.startsWith('byte list')) return lengths.bytes;
  return form.toLowerCase() === 'hex' ? lengths.hex : lengths.plain;
}

/** The ways in which a text may be written. */
export function formsOf(text: string): [form: string, written: string][] {
  const bytes = Buffer.from(text);
  const hex = bytes.toString('hex');
  const json = JSON.stringify(text).slice(1, -1);
  const sha256 = createHash('sha256').update(text).digest();
  return [
    ['plain', text],
    ['JSON', json],
    ['JSON in JSON', JSON.stringify(json).slice(1, -1)],
    [
      'JSON in ASCII',
      json.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
    ],
    ['JSON of Go', json.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)],
    ['URL', encodeURIComponent(text)],
    ['URL in lower case', encodeURIComponent(text).replace(/%../g, (each) => each.toLowerCase())],
    ['form', new URLSearchParams({ k: text }).toString().slice(2)],
    ['HTML', text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)],
    ['latin1', bytes.toString('latin1')],
    ['hex', hex],
    ['HEX', hex.toUpperCase()],
    ['hex dump', hex.replace(/..(?!$)/g, '$& ')],
    ['byte list', [...bytes].join(', ')],
    ['byte list without spaces', [...bytes].join(',')],
    // In the middle of a longer text the groups of three bytes may begin at its first, second or third.
    ...[0, 1, 2].flatMap((shift): [string, string][] => {
      const whole = bytes.subarray(shift, shift + Math.floor((bytes.length - shift) / 3) * 3);
      return [
        ['base64', whole.toString('base64')],
        ['base64url', whole.toString('base64url')],
      ];
    }),
    ['SHA-256', sha256.toString('hex')],
    ['SHA-256 in base64', sha256.toString('base64')],
    ['SHA-1', createHash('sha1').update(text).digest('hex')],
    ['MD5', createHash('md5').update(text).digest('hex')],
  ];
}
