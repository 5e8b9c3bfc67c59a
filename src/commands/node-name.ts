import type { Role } from '../config/config.ts';
import { shownPath } from './terminal/text-style.ts';

/** A node as people call it: `destination dest_v2`; just the role where it has no other name. Safe for a terminal. */
export function nodeName({ role, name }: { readonly role: Role; readonly name: string }): string {
  return role === name ? role : shownPath(`${role} ${name}`);
}
