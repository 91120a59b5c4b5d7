import * as v from "valibot";
import { ElementReference, InstanceBody } from "./instance-body.ts";

// Bodies of the calls, except those of an instance (instance-body.ts).

const MAX_GRACE_SECONDS = 7 * 86_400;
export const Rotation = v.object({
  graceSeconds: v.optional(
    v.pipe(
      v.number(),
      v.check(
        (seconds) => Number.isInteger(seconds) && seconds >= 0 && seconds <= MAX_GRACE_SECONDS,
        `a whole number from 0 to ${MAX_GRACE_SECONDS}`,
      ),
    ),
  ),
});

export const ClaimBody = v.object({
  claim: v.string(),
  endUser: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  /**
   * When the user signs in again: accept the sign-in even if Linkspan cannot find out whether the account is
   * the same.
   */
  acceptUnknownAccount: v.optional(v.boolean()),
  /** When the user signs in again: accept the sign-in even if the account is a different one. */
  acceptOtherAccount: v.optional(v.boolean()),
});
export type ClaimBody = v.InferOutput<typeof ClaimBody>;

export const SessionBody = v.object({
  ...v.omit(InstanceBody, ["element", "providerData", "externalAuthentication", "acceptOtherAccount"])
    .entries,
  element: v.optional(ElementReference),
  elements: v.optional(
    v.pipe(v.array(ElementReference), v.minLength(1, "at least one"), v.maxLength(50, "at most 50")),
  ),
  returnUrl: v.pipe(v.string(), v.maxLength(2_000, "at most 2000 characters")),
  endUser: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  instanceId: v.optional(
    v.pipe(
      v.union([v.number(), v.string()]),
      v.transform(Number),
      v.safeInteger("it must be a whole number"),
      v.minValue(1, "it must be a whole number"),
    ),
  ),
});

export type SessionBody = v.InferOutput<typeof SessionBody>;

/** Body of a call that changes one configuration value. */
export const PropertyBody = v.object({ propertyValue: v.union([v.string(), v.number(), v.boolean()]) });
