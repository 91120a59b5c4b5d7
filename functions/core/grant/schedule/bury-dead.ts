import type { Instance } from "../../instances/instance.ts";
import { present } from "../../present.ts";
import type { GrantDeps } from "../grant-deps.ts";
import { openUnlessBroken } from "../revocation/revoke-orphan.ts";
import { deathOf, emptiesAt, withoutTokens } from "../store/death.ts";
import { dueWithCleanup } from "../store/due.ts";
import { sealGrant } from "../store/sealed-grant.ts";

/**
 * Removes the tokens of an instance that needs a new sign-in from the table after 30 days. The instance and its
 * status stay, and so does the OAuth client, for a new sign-in.
 * @returns the next due time (undefined: none); `written`: the write has set it already
 */
export async function buryDead(
  deps: Pick<GrantDeps, "instances" | "vault" | "timing">,
  instance: Instance,
  now: number,
): Promise<{ readonly due: number | undefined } | "written"> {
  const at = emptiesAt(instance, deps.timing);
  if (at === undefined || at > now) return { due: at };
  const { id, version, fence } = instance;
  const death = deathOf(instance);
  if (death?.at === undefined) return { due: undefined };
  const old = await openUnlessBroken(deps, instance, version, instance.grant);
  // No key opens the tokens any more: they are lost already.
  if (old === undefined) return { due: undefined };
  const due = dueWithCleanup(instance, undefined, now, deps.timing);
  const sealer = await deps.vault.prepare(instance.organizationId);
  await deps.instances.emptyDead(
    id,
    { version, fence },
    {
      grant: await sealGrant(sealer, instance, version, withoutTokens(old)),
      death: { version, at: death.at, reason: death.reason, emptied: true },
      ...present({ dueAt: due }),
    },
  );
  return "written";
}
