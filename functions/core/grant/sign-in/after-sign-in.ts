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
 * The steps after a sign-in is written: send the event, note the account, revoke the replaced grants, end older
 * pending sign-ins. Every process that writes the sign-in, or finds that it is written, runs them. Never
 * throws.
 * @returns the instance after these steps
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
    call.afterAnswer(noteAccount(deps, connector, instance, grant));
  }
  call.afterAnswer(endOvertaken(deps, instance, signIn.at));
  if (!(await endReplaced(deps, instance)) || due === undefined) return instance;
  return await backToSchedule(deps, instance, due.regular);
}

/**
 * Sets the due time by the token alone, because no replaced grant is left. If this write fails, the worker
 * looks at the instance once without need.
 */
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
