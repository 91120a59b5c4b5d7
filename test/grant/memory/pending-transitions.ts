import type { PendingSignIn } from "../../../functions/core/instances/pending-sign-in.ts";
import type { PendingSignIns } from "../../../functions/core/instances/pending-store.ts";
import type { Transition } from "./transition.ts";

type Writes = Pick<PendingSignIns, "noteAccount" | "markClaimed" | "markEnding" | "setDueAt">;
type Arguments<Name extends keyof Writes> = Writes[Name] extends (key: never, ...rest: infer Rest) => unknown
  ? Rest
  : never;

const notEnding = ({ endingSince }: PendingSignIn): boolean => endingSince === undefined;

/** Every conditional write of a pending sign-in, as functions/core/instances/pending-store.ts has them. */
export const pendingTransitions = {
  noteAccount: (noted) => ({ conditions: { notEnding }, set: noted }),
  markClaimed: ({ at, ...rest }) => ({
    conditions: { notEnding },
    set: rest,
    setOnce: { claimedAt: at },
    remove: ["dueSince"],
  }),
  markEnding: (now, claimedToo) => ({
    conditions: { unclaimed: ({ claimedAt }) => claimedToo === true || claimedAt === undefined },
    set: { dueAt: now },
    setOnce: { endingSince: now },
    remove: ["dueSince", "consentKey"],
  }),
  setDueAt: (to) => ({ conditions: {}, set: { dueAt: to }, remove: ["dueSince"] }),
} as const satisfies { [Name in keyof Writes]: (...rest: Arguments<Name>) => Transition<PendingSignIn> };
