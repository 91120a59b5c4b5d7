import type { TransientItem, TransientStore } from "../../transients.ts";
import type { RefusedGrants } from "../grant-deps.ts";
import type { Timing } from "../timing.ts";

/** `refused#<connector>`: grants that are about to be given up. */
interface Noticed extends TransientItem {
  /** Number of writes; the next write's condition. */
  readonly revision: number;
  readonly grants: readonly { readonly instanceId: number; readonly at: number }[];
}

/** `grants#<connector>`: number of the connector's grants; counted once a day. */
interface Counted extends TransientItem {
  readonly count: number;
}

/** At most one in this many of a connector's grants is given up in a day. */
const SHARE = 5;
/** At most this many grants are given up at once, so that the item stays small. */
const MOST_NOTICED = 1_000;
/**
 * Tries of one write when several processes write the same item. After that the write fails, and the grant's
 * next refresh tries again.
 */
const MOST_TRIES = 5;

/**
 * Stores the noted grants in the transients table. A single refused grant may always be given up, because it
 * does not show an incident of the vendor.
 * @param count returns the number of a connector's grants
 * @param held reports to the operator that grants of this connector are not given up
 */
export function refusedGrants(deps: {
  readonly transients: TransientStore;
  readonly timing: Timing;
  readonly count: (connector: string) => Promise<number>;
  readonly held: (connector: string, told: { readonly refused: number; readonly grants: number }) => void;
}): RefusedGrants {
  const { transients, timing } = deps;
  const keptMs = 2 * timing.refusedNoticeMs + timing.refusedDayMs;

  async function countOf(connector: string, now: number): Promise<number> {
    const id = `grants#${connector}`;
    const known = await transients.get<Counted>(id);
    if (known !== undefined) return known.count;
    const count = await deps.count(connector);
    await transients.put<Counted>({ id, count, expiresAt: now + timing.refusedDayMs });
    return count;
  }

  return {
    async notice(connector, instanceId, now) {
      const id = `refused#${connector}`;
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const seen = await transients.get<Noticed>(id);
        const others = (seen?.grants ?? []).filter(
          (each) => each.instanceId !== instanceId && now - each.at < keptMs,
        );
        // The list is full: this grant is not added, and `mayEnd` refuses a grant that is not in the list.
        if (others.length >= MOST_NOTICED) return;
        const item: Noticed = {
          id,
          revision: (seen?.revision ?? 0) + 1,
          expiresAt: now + keptMs,
          grants: [...others, { instanceId, at: now }],
        };
        const written =
          seen === undefined
            ? await transients.put(item)
            : await transients.replace(item, { field: "revision", seen: seen.revision });
        if (written) return;
      }
      throw new Error(`too many processes note the refused grants of ${connector} at once`);
    },

    async mayEnd(connector, instanceId, noticedAt, now) {
      const noticed = await transients.get<Noticed>(`refused#${connector}`);
      const near = (noticed?.grants ?? []).filter(({ at }) => Math.abs(at - noticedAt) < timing.refusedDayMs);
      // `false`: the item has expired or is full, so the number is unknown.
      const isKnown = near.some((each) => each.instanceId === instanceId);
      if (isKnown && near.length <= 1) return true;
      const grants = await countOf(connector, now);
      if (isKnown && near.length * SHARE <= grants && near.length < MOST_NOTICED) return true;
      deps.held(connector, { refused: near.length, grants });
      return false;
    },
  };
}
