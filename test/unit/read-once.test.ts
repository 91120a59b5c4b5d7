import { expect, it } from "vitest";
import { readOnce } from "../../functions/core/read-once.ts";

it("a successful read is kept, also for callers at the same time", async () => {
  let reads = 0;
  const read = readOnce(async () => ++reads);
  expect(await Promise.all([read(), read()])).toEqual([1, 1]);
  expect(await read()).toBe(1);
});

it("a failed read fails its waiting callers, and the next call reads again", async () => {
  let reads = 0;
  const read = readOnce(async () => {
    if (++reads === 1) throw new Error("no file handle is left");
    return reads;
  });
  const failed = await Promise.allSettled([read(), read()]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await read()).toBe(2);
});
