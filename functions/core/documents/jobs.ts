import { randomUUID } from "node:crypto";
import { LinkspanError, NotFound } from "../errors.ts";
import type { Instance, Sealed } from "../instances/instance.ts";
import { present } from "../present.ts";
import type { TransientItem, TransientStore } from "../transients.ts";
import type { Vault } from "../vault/ports.ts";
import type { HubContext, JobMaker, TaskPurpose as Purpose } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";
import { copyDetails } from "./item-details.ts";
import { comparable } from "./path.ts";
import { StillRunning, TaskFailed } from "./pending.ts";

/** How long a job can be read. */
const LIFETIME_MS = 7 * 86_400_000;
/** A lease outlives the invocation that has it by this time. */
const AFTER_INVOCATION_MS = 5_000;

interface Ended {
  /** The copy's reference. */
  readonly reference?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The sealed part of a job: the vendor's task until it ends, then how it ended. */
type Content = Purpose & ({ readonly task: string } | { readonly ended: Ended });

interface StoredJob extends TransientItem {
  readonly sealed: Sealed;
  /** Grows with each write: who writes has seen the newest state. */
  readonly turn: number;
  /** Store time, epoch milliseconds: until then, one call asks the vendor, and others do not. */
  readonly leasedUntil: number;
}

/** A job as callers see it. */
export interface Job {
  readonly id: string;
  readonly status: "running" | "completed" | "failed";
  /** The copy, if it is still there. */
  readonly result?: DocumentsItem;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A call that has become a job, because the vendor works longer than the call may take. */
export interface StartedJob {
  readonly jobId: string;
}

export function isJob(outcome: object | undefined): outcome is StartedJob {
  return outcome !== undefined && "jobId" in outcome;
}

/** The jobs of one instance. Each is sealed, and opens only at its instance. */
export interface Jobs extends JobMaker {
  /**
   * Asks the vendor how far the task is, unless it has ended or another call asks at the same time.
   * @throws {NotFound} no job of this instance, or older than seven days
   * @throws {LinkspanError} the vendor does not say it now; the job is as it was
   */
  read(hub: HubContext, id: string): Promise<Job>;
}

export interface JobsOptions {
  readonly transients: Pick<TransientStore, "put" | "get" | "replace" | "now">;
  readonly vault: Pick<Vault, "seal" | "open">;
  readonly instance: Pick<Instance, "id" | "organizationId">;
}

export function jobsOf({ transients, vault, instance }: JobsOptions): Jobs {
  const keyOf = (id: string) => `job#${instance.id}#${id}`;
  const place = (id: string) => ({
    organizationId: instance.organizationId,
    item: `instance/${instance.id}`,
    field: "job",
    version: id,
  });
  const seal = (id: string, content: Content) => vault.seal(place(id), JSON.stringify(content));

  /** @returns undefined: it still runs */
  async function ask(hub: HubContext, { task, ...purpose }: Purpose & { task: string }) {
    const { poll } = hub.vendor;
    if (poll === undefined) throw new Error(`${hub.vendor.connector} has pending tasks, but no poll`);
    try {
      const done = await poll(hub.call, { pending: task });
      return done === undefined ? undefined : { ...purpose, ended: await finish(hub, purpose, done) };
    } catch (error) {
      if (!hasFailed(error)) throw error;
      return { ...purpose, ended: { error: { code: error.code, message: error.message } } };
    }
  }

  return {
    async make({ item, ...purpose }, task) {
      const id = randomUUID();
      const sealed = await seal(id, { ...purpose, item: { ...item, raw: null }, task });
      const expiresAt = transients.now() + LIFETIME_MS;
      await transients.put<StoredJob>({ id: keyOf(id), expiresAt, sealed, turn: 0, leasedUntil: 0 });
      return id;
    },

    async read(hub, id) {
      const stored = await transients.get<StoredJob>(keyOf(id));
      if (stored === undefined) throw new NotFound("there is no such job, or it began more than 7 days ago");
      const content = JSON.parse(await vault.open(place(id), stored.sealed)) as Content;
      if ("ended" in content) return await show(hub, id, content);
      const write = (turn: number, changes: Partial<StoredJob>) =>
        transients.replace<StoredJob>(
          { ...stored, leasedUntil: 0, ...changes, turn },
          { field: "turn", seen: turn - 1 },
        );
      const running: Job = { id, status: "running" };
      const now = transients.now();
      const leasedUntil = now + hub.remainingMs() + AFTER_INVOCATION_MS;
      // Asking may finish the task, as ShareFile's copies get their name then: one call at a time.
      const turn = stored.turn + 1;
      if (stored.leasedUntil > now || !(await write(turn, { leasedUntil }))) return running;
      let ended: Content | undefined;
      try {
        ended = await ask(hub, content);
      } catch (error) {
        await write(turn + 1, {}).catch(() => {});
        throw error;
      }
      await write(turn + 1, ended === undefined ? {} : { sealed: await seal(id, ended) });
      return ended !== undefined && "ended" in ended ? await show(hub, id, ended) : running;
    },
  };
}

/** What belongs to the call after the vendor's part. */
async function finish(
  hub: HubContext,
  { did, item, path }: Purpose,
  { reference }: { readonly reference?: string },
): Promise<Ended> {
  if (did === "delete") {
    await hub.kept?.forget(item);
    return {};
  }
  const copy = await found(hub, { ...present({ reference, path }) });
  if (copy === undefined) return present({ reference });
  await copyDetails(hub, item, copy).catch(() => {});
  return { reference: copy.reference };
}

async function show(hub: HubContext, id: string, { path, ended }: Purpose & { ended: Ended }): Promise<Job> {
  const { error, reference } = ended;
  if (error !== undefined) return { id, status: "failed", error };
  const result = reference === undefined ? undefined : await found(hub, { reference, ...present({ path }) });
  return { id, status: "completed", ...present({ result }) };
}

/** The copy. @returns undefined: it is no longer there */
async function found(
  hub: HubContext,
  { reference, path }: { readonly reference?: string; readonly path?: string },
): Promise<DocumentsItem | undefined> {
  try {
    if (reference !== undefined) {
      const item = await hub.vendor.get(hub.call, reference);
      return { ...item, ...present({ path: item.path ?? path }) };
    }
    return path === undefined ? undefined : await hub.paths.item({ path });
  } catch (error) {
    if (error instanceof LinkspanError && error.status === 404) return undefined;
    throw error;
  }
}

/** Whether the task has ended without success; else the vendor could not be asked. */
function hasFailed(error: unknown): error is LinkspanError {
  if (error instanceof TaskFailed) return true;
  return error instanceof LinkspanError && [400, 404, 409, 413, 507].includes(error.status);
}

/**
 * Makes a job of a call that ended while the vendor's task still runs. A task that is only a part of the call (a copy beside
 * the item that it replaces, one file of a folder) makes none.
 * @throws `error`, if it makes no job
 */
export async function startJob(hub: HubContext, error: unknown, purpose: Purpose): Promise<StartedJob> {
  const { path } = purpose;
  if (!(error instanceof StillRunning) || hub.jobs === undefined) throw error;
  const isWhole =
    path === undefined ||
    (error.path !== undefined && comparable(hub.vendor, error.path) === comparable(hub.vendor, path));
  if (!isWhole) throw error;
  return { jobId: await hub.jobs.make(purpose, error.task.pending) };
}
