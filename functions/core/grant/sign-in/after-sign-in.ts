import type { Grant, Instance } from "../../instances/instance.ts";
import { present } from "../../present.ts";
import { connectorOf } from "../connector-of.ts";
import { noteAccount } from "../consent/account.ts";
import type { Call, SignInDeps } from "../grant-deps.ts";
import { tellMissingScopes } from "../scopes.ts";
import { endOvertaken } from "../store/end-soon.ts";
import { endReplaced } from "./replaced-grants.ts";
import { type SignInRecord, type SignInResult, tellSignIn } from "./write-sign-in.ts";

/**
 * What a sign-in that is written asks for yet: it is told, its account noted, and what it replaced ends; so do the older pending
 * sign-ins of its instance. By whoever wrote it, or found it written. Never throws.
 * @returns the instance as it is then
 */
export async function afterSignIn(
  deps: SignInDeps,
  { instance, due }: Extract<SignInResult, { kind: "written" }>,
  signIn: Pick<SignInRecord, "epoch" | "at">,
  grant: Grant,
  call: Pick<Call, "afterAnswer">,
): Promise<Instance> {
  tellSignIn(deps, call, instance, signIn);
  const connector = connectorOf(deps, instance.connector);
  tellMissingScopes(deps, call, connector, instance, grant, signIn.at);
  if (instance.account === undefined) {
    call.afterAnswer(noteAccount(deps, connector, instance, grant, signIn.at));
  }
  call.afterAnswer(endOvertaken(deps, instance, signIn.at));
  if (!(await endReplaced(deps, instance)) || due === undefined) return instance;
  return await backToSchedule(deps, instance, due.regular);
}

/** Nothing is left to end: it is due by its token alone. Where that is not written, the worker comes by once in vain. */
async function backToSchedule(
  deps: Pick<SignInDeps, "instances">,
  instance: Instance,
  regular: number | undefined,
): Promise<Instance> {
  const { replacedGrants, dueAt: soon, ...rest } = instance;
  const { id, epoch } = instance;
  if (soon !== undefined && soon !== regular)
    await deps.instances.setDueAt(id, soon, regular, undefined, epoch).catch(() => false);
  return { ...rest, ...present({ dueAt: regular }) };
}
