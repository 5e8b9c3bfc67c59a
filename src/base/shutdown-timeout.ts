import { VsyncError } from './errors.ts';

/** What keeps the process alive: `TCPSocketWrap (2), Timeout`. */
export function openResources(): string {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    // Standard streams are always there, and hold nothing.
    if (kind !== 'PipeWrap' && kind !== 'TTYWrap') counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => (count === 1 ? kind : `${kind} (${count})`)).join(', ');
}

/** The failure of a process that was asked to end and did not, with what it was waiting for. */
export function shutdownTimeout(limitMs: number): VsyncError {
  return new VsyncError({
    code: 'SHUTDOWN_TIMEOUT',
    message: `not ended within ${limitMs / 1000} s (shutdownTimeout), giving up`,
    why: `still open: ${openResources() || 'nothing that Node knows of'}`,
    hint: 'a larger shutdownTimeout, or see why the servers do not answer',
    note: 'What was saved by then is valid.',
  });
}
