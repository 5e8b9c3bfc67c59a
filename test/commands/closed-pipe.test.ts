import { expect, it } from 'vitest';
import { startVsync } from '../support/vsync-process.ts';

it.each([
  { name: 'a result', args: ['config', 'schema'] },
  { name: 'help', args: ['--help'] },
  { name: 'a script', args: ['completion', 'fish'] },
])('is no failure when nobody reads $name any more (vsync ... | head)', async ({ args }) => {
  const running = startVsync(args);
  running.child.stdout?.destroy();
  expect(await running.finished).toMatchObject({ code: 0, stderr: '' });
});
