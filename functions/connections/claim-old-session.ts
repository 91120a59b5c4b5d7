import { randomUUID } from "node:crypto";
import { Conflict, Forbidden } from "../core/errors.ts";
import { setEnabled } from "../core/grant/enable.ts";
import { markForDeletion } from "../core/grant/revocation/delete-instance.ts";
import { newInstanceToken } from "../core/instances/instance-token.ts";
import type { User } from "../core/tenants/ports.ts";
import { type HttpRequest, type HttpResponse, json } from "../http/request.ts";
import type { InstanceAnswer } from "./answers.ts";
import { updateInstance } from "./change-instance.ts";
import type { ConnectSession } from "./connect-session.ts";
import type { ConnectionDeps } from "./deps.ts";
import { instanceRepresentation } from "./instance-representation.ts";
import { missingScopesOf } from "./missing-scopes.ts";
import { instanceOfUser } from "./own-instance.ts";

/**
 * A session that an older version of the code connected: its instance works before the claim. Such sessions
 * exist only in the half hour after a deployment.
 */
type OldSession = ConnectSession & { readonly instanceId: number };

/**
 * Claims an old session, once. If another end user claims it, deletes its new instance, or disables an
 * existing instance that the user signed in to again, because that instance may have a stranger's grant now.
 */
export async function claimOldSession(
  deps: ConnectionDeps,
  request: HttpRequest,
  user: User,
  session: OldSession,
  isBeginner: boolean,
): Promise<HttpResponse<InstanceAnswer>> {
  const { grants, transients } = deps;
  const { instanceId } = session;
  const claimedBy = randomUUID();
  const ended: ConnectSession = { ...session, status: isBeginner ? "claimed" : "refused", claimedBy };
  if (!(await transients.replace(ended, { field: "status", seen: "connected" }))) {
    const now = await transients.get<ConnectSession>(session.id);
    // An earlier refusal may have ended before it deleted or disabled the instance, so a repeated claim does that again.
    const isOwn = now?.claimedBy === claimedBy;
    if (!isOwn && (isBeginner || now?.status !== "refused")) throw over(now ?? session, instanceId);
  }
  if (!isBeginner) throw await refusal(grants, session, request);
  const found = await instanceOfUser(deps, user, instanceId);
  const headers = { "Cache-Control": "no-store" };
  const missing = await missingScopesOf(deps, found.instance);
  if (session.reauthenticates)
    return json({ ...instanceRepresentation(found.instance, user), ...missing }, headers);
  const { token, hash } = newInstanceToken(instanceId);
  const instance = await updateInstance(deps, found, { tokenHashes: [{ hash }] });
  return json({ ...instanceRepresentation(instance, user, token), ...missing }, headers);
}

async function refusal(
  grants: ConnectionDeps["grants"],
  { reauthenticates, instanceId }: OldSession,
  call: Pick<HttpRequest, "afterAnswer">,
): Promise<Forbidden> {
  if (reauthenticates) await setEnabled(grants, instanceId, false, call);
  else await markForDeletion(grants, instanceId);
  return new Forbidden(
    `another end user than the one who began this session; ${fate(reauthenticates)}`,
    "end_user_mismatch",
    { field: "endUser", ...(reauthenticates ? { instanceId } : {}) },
  );
}

function over({ status, reauthenticates }: ConnectSession, instanceId: number): Conflict {
  if (status === "refused") {
    return new Conflict(
      `this session was claimed for another end user before; ${fate(reauthenticates)}`,
      "claim_refused",
      reauthenticates ? { instanceId } : {},
    );
  }
  const next = reauthenticates
    ? `continue with the token of instance ${instanceId}`
    : `if that answer was lost, rotate the token of instance ${instanceId}`;
  return new Conflict(`this session was claimed already; ${next}`, "already_claimed", { instanceId });
}

function fate(reauthenticates: boolean): string {
  return reauthenticates
    ? "the connection was disabled, because it may have another person's account now"
    : "the connection was deleted";
}
