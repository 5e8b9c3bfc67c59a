/** Times as people take them in at a glance. Arguments are RFC 3339, or milliseconds. */

/** `12s ago`; `now` for less than a second, also when clocks differ a little. */
export function ago(time: string, nowMs = Date.now()): string {
  const ms = nowMs - Date.parse(time);
  return ms < 1000 ? 'now' : `${span(ms)} ago`;
}

/** `in 48s`, or `now` for a time that has come. */
export function inFuture(time: string, nowMs = Date.now()): string {
  const ms = Date.parse(time) - nowMs;
  return ms < 1000 ? 'now' : `in ${span(ms)}`;
}

/** The largest unit that fits, rounded down, and the next one while the number is small: `45s`, `4m`, `1h 20m`, `3d`. */
export function span(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const [hours, restMinutes] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 24) return hours < 10 && restMinutes > 0 ? `${hours}h ${restMinutes}m` : `${hours}h`;
  const [days, restHours] = [Math.floor(hours / 24), hours % 24];
  return days < 10 && restHours > 0 ? `${days}d ${restHours}h` : `${days}d`;
}
