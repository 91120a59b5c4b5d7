import type { TransientItem, TransientStore } from "../transients.ts";
import type { ClientPauses } from "./grant-parts.ts";
import type { Timing } from "./timing.ts";

interface Pause extends TransientItem {
  /** Store time from which one worker may probe. */
  readonly probeAt: number;
}

const DAY = 86_400_000;

/**
 * Remembers in the transients table which clients their vendors refuse (`paused#<connector and client, hashed>`). That is the
 * operator's mistake: no grant is lost by it, and the vendor is asked once in an interval, not once for each grant.
 */
export function clientPauses(transients: TransientStore, timing: Timing): ClientPauses {
  const idOf = (refreshGroup: string): string => `paused#${refreshGroup}`;
  const pauseUntil = (id: string, now: number): Pause => ({
    id,
    probeAt: now + timing.pausedClientMs,
    expiresAt: now + DAY,
  });
  return {
    async check(refreshGroup, now) {
      const id = idOf(refreshGroup);
      const pause = await transients.get<Pause>(id);
      if (pause === undefined) return { kind: "open" };
      if (pause.probeAt > now) return { kind: "until", until: pause.probeAt };
      const next = pauseUntil(id, now);
      const mine = await transients.replace<Pause>(next, { field: "probeAt", seen: pause.probeAt });
      return mine ? { kind: "probe" } : { kind: "until", until: next.probeAt };
    },
    async pause(refreshGroup, now) {
      await transients.put(pauseUntil(idOf(refreshGroup), now));
    },
    async resume(refreshGroup) {
      await transients.remove(idOf(refreshGroup));
    },
  };
}
