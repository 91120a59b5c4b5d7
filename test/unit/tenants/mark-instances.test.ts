import { beforeEach, expect, it } from "vitest";
import { markInstances, type SuspensionWork } from "../../../functions/core/tenants/mark-instances.ts";
import type { User } from "../../../functions/core/tenants/ports.ts";

const work: SuspensionWork = { organizationId: "org", userId: "ann" };
let status: User["status"];
let marks: Map<number, boolean>;
let queued: SuspensionWork[];
let onRead: () => void;
let onWrite: (id: number) => void;

beforeEach(() => {
  status = "suspended";
  marks = new Map(Array.from({ length: 250 }, (_, id) => [id, false]));
  queued = [];
  onRead = () => {};
  onWrite = () => {};
});

const deps: Parameters<typeof markInstances>[0] = {
  user: async () => {
    const seen = status;
    onRead();
    return { status: seen } as User;
  },
  instances: {
    listByOwner: async (_organization, _user, { after = "0", limit = 100 } = {}) => {
      const from = Number(after);
      const ids = [...marks.keys()].slice(from, from + limit);
      return {
        items: ids.map((id) => ({ id, userId: "ann", connector: "", name: "", tags: [], createdAt: 0 })),
        ...(from + limit < marks.size ? { next: String(from + limit) } : {}),
      };
    },
    markSuspended: async (id, suspended) => {
      onWrite(id);
      marks.set(id, suspended);
      return true;
    },
  },
  goOn: async (rest) => {
    queued.push(rest);
  },
};

/** Processes the queued rest of the work until the queue is empty. */
async function workOff(): Promise<void> {
  queued = [work];
  for (let next = queued.shift(); next !== undefined; next = queued.shift()) await markInstances(deps, next);
}
const all = () => new Set(marks.values());

it("marks every instance of the user, a page at a time, and removes each mark again", async () => {
  await markInstances(deps, work);
  expect([...marks.values()].filter(Boolean)).toHaveLength(100);
  expect(queued).toEqual([{ ...work, after: "100" }]);
  await workOff();
  expect(all()).toEqual(new Set([true]));
  status = "active";
  await workOff();
  expect(all()).toEqual(new Set([false]));
});

it("leaves no mark when the user is resumed during the marking", async () => {
  onWrite = (id) => {
    if (id === 7) status = "active";
  };
  await workOff();
  expect(all()).toEqual(new Set([false]));
});

it("leaves no mark when it read the suspension before another run removed all marks", async () => {
  let reads = 0;
  onRead = () => {
    if (reads++ === 0) status = "active";
  };
  await workOff();
  expect(all()).toEqual(new Set([false]));
});

it("fails when a write or the queue fails, so that the message comes again", async () => {
  onWrite = (id) => {
    if (id === 3) throw new Error("the table fails");
  };
  await expect(markInstances(deps, work)).rejects.toThrow("the table fails");
  onWrite = () => {};
  const noQueue = { ...deps, goOn: () => Promise.reject(new Error("the queue fails")) };
  await expect(markInstances(noQueue, work)).rejects.toThrow("the queue fails");
});

it("removes the marks of a user who no longer exists", async () => {
  await workOff();
  await markInstances({ ...deps, user: async () => undefined }, work);
  expect([...marks.values()].filter(Boolean)).toHaveLength(150);
});
