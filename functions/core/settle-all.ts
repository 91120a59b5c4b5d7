/**
 * Waits for background work that continues after an answer, and for further work that it starts: a refresh that
 * ends late still has an event to send, and a function whose handler has returned is frozen.
 * @param pending is emptied
 * @returns the result of each
 */
export async function settleAll(pending: Promise<unknown>[]): Promise<PromiseSettledResult<unknown>[]> {
  const results: PromiseSettledResult<unknown>[] = [];
  while (pending.length > 0) results.push(...(await Promise.allSettled(pending.splice(0))));
  return results;
}
