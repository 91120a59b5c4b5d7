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

/** As the queue hands the rest of the work out. */
async function workOff(): Promise<void> {
  queued = [work];
  for (let next = queued.shift(); next !== undefined; next = queued.shift()) await markInstances(deps, next);
}
const all = () => new Set(marks.values());

it("marks every instance of the user, a page at a time, and takes each mark off again", async () => {
  await markInstances(deps, work);
  expect([...marks.values()].filter(Boolean)).toHaveLength(100);
  expect(queued).toEqual([{ ...work, after: "100" }]);
  await workOff();
  expect(all()).toEqual(new Set([true]));
  status = "active";
  await workOff();
  expect(all()).toEqual(new Set([false]));
});

it("leaves no mark behind when the user is resumed while it marks", async () => {
  onWrite = (id) => {
    if (id === 7) status = "active";
  };
  await workOff();
  expect(all()).toEqual(new Set([false]));
});

it("leaves no mark behind though it saw the suspension and wrote after the other had taken all marks off", async () => {
  let reads = 0;
  onRead = () => {
    if (reads++ === 0) status = "active";
  };
  await workOff();
  expect(all()).toEqual(new Set([false]));
});

it("fails, and so comes again, when a write or the queue fails", async () => {
  onWrite = (id) => {
    if (id === 3) throw new Error("the table fails");
  };
  await expect(markInstances(deps, work)).rejects.toThrow("the table fails");
  onWrite = () => {};
  const noQueue = { ...deps, goOn: () => Promise.reject(new Error("the queue fails")) };
  await expect(markInstances(noQueue, work)).rejects.toThrow("the queue fails");
});

it("of a user who is gone takes marks off", async () => {
  await workOff();
  await markInstances({ ...deps, user: async () => undefined }, work);
  expect([...marks.values()].filter(Boolean)).toHaveLength(150);
});
