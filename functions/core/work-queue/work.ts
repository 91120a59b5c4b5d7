import type { InstanceEvent } from "../grant/instance-event.ts";
import type { RefreshWork } from "../grant/schedule/refresh-due.ts";
import type { PendingKey } from "../instances/pending-sign-in.ts";
import type { SuspensionWork } from "../tenants/mark-instances.ts";

/**
 * What there is for the worker to do, by its kind: ids and what happened to them, never a secret. For a kind that is added
 * here, the compiler asks how its message is read (message.ts), who works on it (functions/worker/dispatch.ts), and what
 * its dead letters show (bin/admin/dead-letters-command.ts).
 */
interface WorkByKind {
  refresh: RefreshWork;
  delete: DeletionWork;
  /** A pending sign-in that is claimed, ending or at its end. */
  pending: PendingKey;
  /** A record in the rescue bucket. */
  rescue: { readonly key: string };
  suspension: SuspensionWork;
  event: { readonly event: InstanceEvent };
}

export type WorkKind = keyof WorkByKind;

/** A union, told apart by `kind`; or one member of it. */
export type Work<Kind extends WorkKind = WorkKind> = {
  [Each in Kind]: { readonly kind: Each } & WorkByKind[Each];
}[Kind];

/** An instance that is marked for deletion. */
export interface DeletionWork {
  readonly instanceId: number;
  /** As it was when it was marked. */
  readonly version?: number;
}

/** Work, and how the queue is to deal with it. */
export type QueuedWork = Work & {
  /** Keeps one vendor's backlog from delaying others. */
  readonly group: string;
  /** How long the message stays hidden: 900 s at most. */
  readonly delaySeconds?: number;
};

export interface WorkQueue {
  /**
   * Sends in batches.
   * @returns for each, whether it was sent
   */
  send(work: readonly QueuedWork[]): Promise<readonly boolean[]>;
}
