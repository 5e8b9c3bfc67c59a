import { type Clock, systemClock } from '../../base/clock.ts';
import type { CommandIo } from '../command-io.ts';

/** How often the view is drawn anew. */
const everyMs = 2000;

/** Moves to the top and clears what is there; the terminal's own history stays. */
const clearScreen = '\u001b[H\u001b[2J';

/**
 * Draws a view every 2 s until a signal asks for the end. On a terminal each one takes the place of the one before (`inPlace`), elsewhere
 * it is appended.
 */
export async function repeatUntilStopped(
  draw: () => Promise<string>,
  { inPlace, clock = systemClock }: { readonly inPlace: boolean; readonly clock?: Pick<Clock, 'sleep'> },
  io: Pick<CommandIo, 'out' | 'signals'>,
): Promise<void> {
  const { draining } = io.signals;
  try {
    while (!draining.aborted) {
      const view = await draw();
      io.out.write(inPlace && io.out.isTTY === true ? `${clearScreen}${view}` : view);
      await clock.sleep(everyMs, draining);
    }
  } catch (error) {
    if (!draining.aborted) throw error;
  }
}
