import type { InstanceEvent } from "../grant/instance-event.ts";
import type { RefreshWork } from "../grant/schedule/refresh-due.ts";
import type { PendingKey } from "../instances/pending-sign-in.ts";
import type { SuspensionWork } from "../tenants/mark-instances.ts";

/**
 * The worker's kinds of work: ids and events, never a secret. For each kind in this list, the compiler requires
 * a reader of its message (message.ts), a handler (functions/worker/dispatch.ts), and what its dead letters
 * show (bin/admin/dead-letters-command.ts).
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

/** A union, distinguished by `kind`; or one member of it. */
export type Work<Kind extends WorkKind = WorkKind> = {
  [Each in Kind]: { readonly kind: Each } & WorkByKind[Each];
}[Kind];

/** An instance that is marked for deletion. */
export interface DeletionWork {
  readonly instanceId: number;
  /** The version when the instance was marked. */
  readonly version?: number;
}

/** Work, and the queue's settings for its message. */
export type QueuedWork = Work & {
  /** Keeps one vendor's backlog from delaying others. */
  readonly group: string;
  /** How long the message stays hidden; at most 900 s. */
  readonly delaySeconds?: number;
};

export interface WorkQueue {
  /**
   * Sends in batches.
   * @returns for each message, whether it was sent
   */
  send(work: readonly QueuedWork[]): Promise<readonly boolean[]>;
}
