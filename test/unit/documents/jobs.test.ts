import { beforeEach, describe, expect, it } from "vitest";
import { copy, removeItem } from "../../../functions/core/documents/hub.ts";
import { type HubContext, hubContext } from "../../../functions/core/documents/hub-context.ts";
import type { DocumentsItem } from "../../../functions/core/documents/item.ts";
import { isJob, type Jobs, jobsOf } from "../../../functions/core/documents/jobs.ts";
import { TaskFailed } from "../../../functions/core/documents/pending.ts";
import type { DocumentsVendor, Target } from "../../../functions/core/documents/vendor.ts";
import type { VendorCall } from "../../../functions/core/documents/vendor-call.ts";
import { Conflict, NotFound, VendorError } from "../../../functions/core/errors.ts";
import type { TransientItem, TransientStore } from "../../../functions/core/transients.ts";
import { file } from "./items.ts";
import { testVault } from "./test-vault.ts";

type Answer = { reference?: string } | Error | undefined;

const DAY = 86_400_000;
const stored = new Map<string, TransientItem>();
const items = new Map<string, DocumentsItem>();
let now = 0;
let asked = 0;
/** The vendor's answer about the task; a promise that never ends stands for a killed function. */
let answer: () => Promise<Answer>;

const transients: Pick<TransientStore, "put" | "get" | "replace" | "now"> = {
  now: () => now,
  async put(item) {
    stored.set(item.id, item);
    return true;
  },
  async get(id) {
    const item = stored.get(id);
    return item === undefined || item.expiresAt <= now ? undefined : (item as never);
  },
  async replace(item, { field, seen }) {
    const old = stored.get(item.id) as unknown as Record<string, unknown> | undefined;
    if (old?.[field] !== seen) return false;
    stored.set(item.id, item);
    return true;
  },
};

const jobsOfInstance = (id: number): Jobs =>
  jobsOf({ transients, vault: testVault(), instance: { id, organizationId: "org" } });

function open(instanceId = 1): HubContext {
  const begun = now;
  const vendor = {
    connector: "test",
    addressing: "path",
    makesParents: true,
    findsConflicts: true,
    get: async (_: VendorCall, reference: string) => {
      const found = items.get(reference);
      if (found === undefined) throw new NotFound("nothing there");
      return found;
    },
    copyFile: async (_: VendorCall, item: DocumentsItem, target: Target) => {
      if (items.has(target.path)) throw new Conflict("taken");
      return { pending: `secret monitor of ${item.name}` };
    },
    remove: async () => ({ pending: "secret monitor" }),
    poll: async () => {
      asked++;
      const said = await answer();
      if (said instanceof Error) throw said;
      return said;
    },
  } as unknown as DocumentsVendor;
  return hubContext(vendor, {} as VendorCall, {
    remainingMs: () => 60_000 - (now - begun),
    sleep: async (milliseconds) => {
      now += milliseconds;
    },
    jobs: jobsOfInstance(instanceId),
  });
}

function put(path: string): void {
  items.set(path, file(path.slice(1), { path, reference: path }));
}

async function slowCopy(): Promise<string> {
  const made = await copy(open(), { path: "/a.txt" }, "file", { path: "/b.txt", overwrite: false });
  if (!isJob(made)) throw new Error("the copy is no job");
  return made.jobId;
}

const read = (id: string, hub = open()) => jobsOfInstance(1).read(hub, id);

beforeEach(() => {
  stored.clear();
  items.clear();
  now = 1_000;
  asked = 0;
  answer = async () => undefined;
  put("/a.txt");
});

describe("a task of the vendor that takes longer than a call", () => {
  it("becomes a job after 25 s, which tells how far it is and then shows the copy", async () => {
    const id = await slowCopy();
    expect(now).toBeGreaterThan(20_000);
    expect(now).toBeLessThan(27_000);
    expect(await read(id)).toEqual({ id, status: "running" });
    put("/b.txt");
    answer = async () => ({ reference: "/b.txt" });
    expect(await read(id)).toMatchObject({ id, status: "completed", result: { path: "/b.txt" } });
    const before = asked;
    expect(await read(id)).toMatchObject({ status: "completed", result: { path: "/b.txt" } });
    expect(asked).toBe(before);
    items.delete("/b.txt");
    expect(await read(id)).toEqual({ id, status: "completed" });
  });

  it("is sealed, belongs to its instance, and is kept for 7 days", async () => {
    const id = await slowCopy();
    const [job] = stored.values();
    expect(Buffer.from((job as unknown as { sealed: Uint8Array }).sealed).toString()).not.toContain("secret");
    await expect(jobsOfInstance(2).read(open(2), id)).rejects.toMatchObject({ status: 404 });
    stored.set(`job#2#${id}`, { ...(job as TransientItem), id: `job#2#${id}` });
    await expect(jobsOfInstance(2).read(open(2), id)).rejects.toThrow();
    now += 7 * DAY - 60_000;
    expect(await read(id)).toMatchObject({ status: "running" });
    now += 60_000;
    await expect(read(id)).rejects.toMatchObject({ status: 404 });
  });

  it("ends with the vendor's reason if it fails", async () => {
    const id = await slowCopy();
    answer = async () => new TaskFailed("the vendor ended the copy");
    const failed = {
      id,
      status: "failed",
      error: { code: "vendor_error", message: "the vendor ended the copy" },
    };
    expect(await read(id)).toEqual(failed);
    answer = async () => undefined;
    expect(await read(id)).toEqual(failed);
  });

  it("is as it was if the vendor cannot be asked", async () => {
    const id = await slowCopy();
    answer = async () => new VendorError(502, "vendor_error", "broken");
    await expect(read(id)).rejects.toMatchObject({ status: 502 });
    answer = async () => ({ reference: "/a.txt" });
    expect(await read(id)).toMatchObject({ status: "completed" });
  });

  it("is asked about by one call at a time, and by another one when a function was killed meanwhile", async () => {
    const id = await slowCopy();
    const before = asked;
    answer = () => new Promise(() => {});
    void read(id);
    await expect.poll(() => asked).toBe(before + 1);
    answer = async () => ({ reference: "/a.txt" });
    expect(await read(id)).toMatchObject({ status: "running" });
    expect(asked).toBe(before + 1);
    now += 66_000;
    expect(await read(id)).toMatchObject({ status: "completed" });
    expect(asked).toBe(before + 2);
  });

  it("is a job for a deletion, too", async () => {
    const outcome = await removeItem(open(), { path: "/a.txt" }, "file", { forGood: false });
    if (!isJob(outcome)) throw new Error("the deletion is no job");
    answer = async () => ({});
    expect(await read(outcome.jobId)).toEqual({ id: outcome.jobId, status: "completed" });
  });

  it("makes no job where it is only a part of the call", async () => {
    put("/b.txt");
    const replaced = copy(open(), { path: "/a.txt" }, "file", { path: "/b.txt", overwrite: true });
    await expect(replaced).rejects.toMatchObject({ status: 503, code: "unavailable" });
    expect(stored.size).toBe(0);
  });
});
