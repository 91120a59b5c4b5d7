import type { Instance } from "../../../functions/core/instances/instance.ts";
import type {
  DueIndex,
  DueItem,
  InstancePage,
  InstanceStore,
  InstanceSummary,
  InstanceSuspension,
} from "../../../functions/core/instances/instance-store.ts";
import type { PendingKey, PendingSignIn } from "../../../functions/core/instances/pending-sign-in.ts";
import type {
  PendingLists,
  PendingRemoval,
  PendingSignIns,
} from "../../../functions/core/instances/pending-store.ts";
import type { StoreReading } from "../../../functions/core/store-clock.ts";
import { giveLeaseBack, instanceTransitions } from "./instance-transitions.ts";
import { noDetails } from "./no-details.ts";
import { pendingTransitions } from "./pending-transitions.ts";
import { changed, isAllowed, type Transition } from "./transition.ts";

export interface MemoryOptions {
  /** What a read returns as the store's time. */
  readonly reading: () => StoreReading;
  /** Partitions of the due index; when absent, items have no shard. */
  readonly shards?: number;
  /** Called before each call, with its name; may throw. */
  readonly called?: (call: string) => void;
  /** Called before an instance is written; may throw. */
  readonly writes?: (instance: Instance) => void;
}

/**
 * The instances table in memory, for tests of code that uses the table. It passes the same tests as the table in DynamoDB
 * (instance-table.test.ts, pending-table.test.ts).
 */
export class MemoryTables {
  readonly items = new Map<number, Instance>();
  /** Keys are `<instance>/<session>/<epoch>`. */
  readonly pendings = new Map<string, PendingSignIn>();
  readonly #options: MemoryOptions;

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  readonly instances: InstanceStore & InstanceSuspension = this.#instanceStore();
  readonly pendingSignIns: PendingSignIns & PendingRemoval & PendingLists = this.#pendingStore();
  readonly due: DueIndex = this.#dueIndex();

  #called(call: string): void {
    this.#options.called?.(call);
  }

  #shown(instance: Instance): Instance {
    const { shards } = this.#options;
    return shards === undefined || instance.dueAt === undefined
      ? instance
      : { ...instance, refreshShard: instance.id % shards };
  }

  #apply(id: number, transition: Transition<Instance>): boolean {
    const instance = this.items.get(id);
    if (instance === undefined || !isAllowed(instance, transition)) return false;
    const after = changed(instance, transition);
    this.#options.writes?.(after);
    this.items.set(id, after);
    return true;
  }

  #instanceStore(): InstanceStore & InstanceSuspension {
    const write =
      <Name extends keyof typeof instanceTransitions>(name: Name) =>
      async (id: number, ...rest: Parameters<(typeof instanceTransitions)[Name]>): Promise<boolean> => {
        this.#called(name);
        const make = instanceTransitions[name] as (...rest: unknown[]) => Transition<Instance>;
        return this.#apply(id, make(...rest));
      };
    return {
      ...noDetails,
      takeLease: write("takeLease"),
      commit: write("commit"),
      markDead: write("markDead"),
      emptyDead: write("emptyDead"),
      signIn: write("signIn"),
      forgetReplaced: write("forgetReplaced"),
      markDeleting: write("markDeleting"),
      setEnabled: write("setEnabled"),
      update: write("update"),
      noteAccount: write("noteAccount"),
      touch: write("touch"),
      setDueAt: write("setDueAt"),
      claimDeletion: write("claimDeletion"),
      setDeletionDueAt: write("setDeletionDueAt"),
      reseal: write("reseal"),
      resealConfiguration: write("resealConfiguration"),
      sealClear: write("sealClear"),
      resealReplaced: write("resealReplaced"),
      markSuspended: write("markSuspended"),
      release: async (id, fence, change) => {
        this.#called("release");
        if (this.#apply(id, instanceTransitions.release(fence, change))) return true;
        this.#apply(id, giveLeaseBack(fence));
        return false;
      },
      get: async (id) => {
        this.#called("get");
        const value = this.items.get(id);
        return { value: value && this.#shown(value), reading: this.#options.reading() };
      },
      create: async (instance) => {
        this.#called("create");
        this.#options.writes?.(instance);
        if (this.items.has(instance.id)) return false;
        this.items.set(instance.id, instance);
        return true;
      },
      remove: async (id) => {
        this.#called("remove");
        return this.items.get(id)?.deleting === true && this.items.delete(id);
      },
      hasSibling: async (id, consentKey, unprovenKey, pending) => {
        this.#called("hasSibling");
        const keys = [consentKey, unprovenKey];
        const isOn = (key: string | undefined): boolean => key !== undefined && keys.includes(key);
        // When a pending sign-in asks, the instance of the same id and its other pending sign-ins count; otherwise nothing of
        // that id counts.
        const instance = [...this.items.values()].some(
          (each) =>
            isOn(each.consentKey) && each.deleting !== true && (each.id !== id || pending !== undefined),
        );
        const isSame = (each: PendingSignIn): boolean =>
          pending === undefined || (each.sessionId === pending.sessionId && each.epoch === pending.epoch);
        return (
          instance ||
          [...this.pendings.values()].some(
            (each) => isOn(each.consentKey) && (each.instanceId !== id || !isSame(each)),
          )
        );
      },
      listByOwner: async (organizationId, userId, paging) =>
        this.#page(
          (each) =>
            each.organizationId === organizationId && each.userId === userId && each.deleting !== true,
          paging,
        ),
      listByOrganization: async (organizationId, paging) =>
        this.#page((each) => each.organizationId === organizationId, paging),
      getMany: async (ids) =>
        ids.flatMap((id) => {
          const found = this.items.get(id);
          return found === undefined ? [] : [this.#shown(found)];
        }),
    };
  }

  /** A page of the instances, newest first. */
  #page(
    isListed: (instance: Instance) => boolean,
    { after, limit = 200 }: { readonly after?: string; readonly limit?: number } = {},
  ): InstancePage {
    const sort = ({ createdAt, id }: Instance): string => `${String(createdAt).padStart(15, "0")}#${id}`;
    const all = [...this.items.values()]
      .filter((each) => isListed(each) && (after === undefined || sort(each) < after))
      .sort((one, other) => (sort(one) < sort(other) ? 1 : -1));
    const shown = all.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: shown.map(
        ({ id, userId, connector, name, tags, createdAt }): InstanceSummary => ({
          id,
          userId,
          connector,
          name,
          tags,
          createdAt,
        }),
      ),
      ...(all.length > limit && last !== undefined ? { next: sort(last) } : {}),
    };
  }

  #pendingStore(): PendingSignIns & PendingRemoval & PendingLists {
    const write = async (
      call: string,
      key: PendingKey,
      transition: Transition<PendingSignIn>,
    ): Promise<boolean> => {
      this.#called(call);
      return this.#applyPending(key, transition);
    };
    return {
      get: async (key) => {
        this.#called("getPending");
        return { value: this.pendings.get(nameOf(key)), reading: this.#options.reading() };
      },
      ofInstance: async (instanceId) => {
        this.#called("pendingsOf");
        return [...this.pendings.values()].filter((each) => each.instanceId === instanceId);
      },
      put: async (pending) => {
        this.#called("putPending");
        if (this.pendings.has(nameOf(pending))) return false;
        this.pendings.set(nameOf(pending), { ...pending, dueAt: pending.dueAt ?? pending.endsAt });
        return true;
      },
      noteAccount: (key, noted) => write("notePending", key, pendingTransitions.noteAccount(noted)),
      markClaimed: (key, claim) => write("markClaimed", key, pendingTransitions.markClaimed(claim)),
      markEnding: (key, now, claimedToo) =>
        write("markEnding", key, pendingTransitions.markEnding(now, claimedToo)),
      setDueAt: (key, to) => write("pushPending", key, pendingTransitions.setDueAt(to)),
      remove: async (key) => {
        this.#called("removePending");
        this.pendings.delete(nameOf(key));
      },
      listPendings: async (organizationId) => ({
        items: [...this.pendings.values()]
          .filter((each) => each.organizationId === organizationId)
          .map(({ instanceId, sessionId, epoch }) => ({ instanceId, sessionId, epoch })),
      }),
    };
  }

  #applyPending(key: PendingKey, transition: Transition<PendingSignIn>): boolean {
    const pending = this.pendings.get(nameOf(key));
    if (pending === undefined || !isAllowed(pending, transition)) return false;
    this.pendings.set(nameOf(key), changed(pending, transition));
    return true;
  }

  #dueIndex(): DueIndex {
    const pushed = <Item extends { readonly dueAt?: number }>(seen: number, to: number): Transition<Item> =>
      ({
        conditions: { seen: ({ dueAt }: Item) => dueAt === seen },
        set: { dueAt: to },
        setOnce: { dueSince: seen },
      }) as Transition<Item>;
    return {
      due: async (shard, now, limit, after) => {
        const { shards = 1 } = this.#options;
        const instances = [...this.items.values()].map((each): Partial<DueItem> => ({ ...each }));
        const pendings = [...this.pendings.values()].map(
          ({ instanceId, sessionId, epoch, ...each }): Partial<DueItem> => ({
            ...each,
            id: instanceId,
            pending: { sessionId, epoch },
          }),
        );
        const from = Number(after ?? 0);
        const all = [...instances, ...pendings]
          .flatMap(({ id = 0, dueAt, dueSince, refreshGroup = "", pending }): DueItem[] =>
            dueAt === undefined || id % shards !== shard || dueAt > now
              ? []
              : [
                  {
                    id,
                    dueAt,
                    refreshGroup,
                    ...(dueSince === undefined ? {} : { dueSince }),
                    ...(pending === undefined ? {} : { pending }),
                  },
                ],
          )
          .sort((one, other) => one.dueAt - other.dueAt);
        const end = from + limit;
        return { items: all.slice(from, end), ...(all.length > end ? { next: String(end) } : {}) };
      },
      setDueAt: async (id, seen, to) => this.#apply(id, pushed<Instance>(seen, to)),
      setPendingDueAt: async (key, seen, to) => this.#applyPending(key, pushed<PendingSignIn>(seen, to)),
    };
  }

  /** The number of a connector's instances. */
  async count(connector: string): Promise<number> {
    return [...this.items.values()].filter((each) => each.connector === connector).length;
  }
}

function nameOf({ instanceId, sessionId, epoch }: PendingKey): string {
  return `${instanceId}/${sessionId}/${epoch}`;
}
