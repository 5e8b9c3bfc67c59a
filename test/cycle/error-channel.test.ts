import { describe, expect, it } from 'vitest';
import { ErrorChannel } from '../../src/cycle/error-channel.ts';
import { at, failure } from './fakes.ts';

describe('the error channel', () => {
  it("counts a path's own failure and lets the cycle go on", () => {
    const errors = new ErrorChannel();
    errors.pathFailed(at('a'), failure.forbidden());
    expect(errors.stopped).toBeUndefined();
    expect([...errors.failedPaths.keys()]).toEqual([at('a')]);
  });

  it('stops the cycle for anything else; the first reason counts', () => {
    const errors = new ErrorChannel();
    const first = failure.unreachable();
    errors.pathFailed(at('a'), first);
    errors.stop(failure.forbidden());
    expect(errors.stopped).toBe(first);
    expect(errors.signal.reason).toBe(first);
    expect(errors.failedPaths.size).toBe(0);
  });

  it('takes what is no failure of ours for a defect', () => {
    const errors = new ErrorChannel();
    errors.pathFailed(at('a'), new TypeError('x is not a function'));
    expect(errors.stopped).toMatchObject({ code: 'UNEXPECTED', class: 'fatal' });
  });

  it('knows whether a failure may be gone a moment later', () => {
    const errors = new ErrorChannel();
    errors.pathFailed(at('a'), failure.forbidden());
    expect(errors.failedTransiently).toBe(false);
    errors.pathFailed(at('b'), failure.broken());
    expect(errors.failedTransiently).toBe(true);
  });
});
