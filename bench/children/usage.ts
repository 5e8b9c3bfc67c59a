import { readFileSync } from 'node:fs';

/** What a process has used since its start. */
export interface Usage {
  /** User and system time of all its threads, in microseconds. */
  readonly cpuUs: number;
  readonly peakRssBytes: number;
}

export function usageNow(): Usage {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    cpuUs: userCPUTime + systemCPUTime,
    peakRssBytes: peakRssOf('self') ?? maxRSS * 1024,
  };
}

/**
 * The highest resident size of a process on Linux, `undefined` elsewhere. Not `maxRSS` of getrusage: a child inherits its parent's there,
 * and the bench holds whole servers.
 */
export function peakRssOf(pid: number | 'self'): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** CPU time of another process on Linux, to 10 ms: user and system, of all its threads. 0 elsewhere, or when it is gone. */
export function cpuUsOf(pid: number): number {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '';
    const fields = afterName.split(' ');
    // `utime` and `stime` are the fields 14 and 15 of the whole line, in clock ticks of 10 ms.
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return 0;
  }
}
