import { randomUUID } from "node:crypto";
import { Conflict, Forbidden, InvalidRequest, NotFound } from "../core/errors.ts";
import { claimSignIn } from "../core/grant/pending/claim-sign-in.ts";
import { refusePending } from "../core/grant/pending/refuse-pending.ts";
import { newInstanceToken } from "../core/instances/instance-token.ts";
import { hashSecret, sameHash } from "../core/secret-hash.ts";
import type { User } from "../core/tenants/ports.ts";
import { type HttpRequest, type HttpResponse, json } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import type { InstanceAnswer } from "./answers.ts";
import type { ClaimBody } from "./bodies.ts";
import { updateInstance } from "./change-instance.ts";
import { claimOldSession } from "./claim-old-session.ts";
import { type ConnectSession, findSession } from "./connect-session.ts";
import type { ConnectionHandle } from "./contracts.ts";
import type { ConnectionDeps } from "./deps.ts";
import { instanceRepresentation } from "./instance-representation.ts";
import { missingScopesOf } from "./missing-scopes.ts";
import { instanceOfUser } from "./own-instance.ts";

/** A session whose user has signed in, with its pending sign-in. */
type ConnectedSession = ConnectSession & { readonly pending: NonNullable<ConnectSession["pending"]> };

/**
 * POST /connect/sessions/{id}/claim: turns the pending sign-in into an instance, only for the end user who
 * began the session. An attacker may trick a user into finishing the attacker's sign-in, and must not get
 * access to the user's account. So if another end user claims the session, the grant is revoked, and an
 * existing instance of the session stays unchanged.
 */
export function claimSession(deps: () => ConnectionDeps): ConnectionHandle<"connect.sessions.claim"> {
  return async (request, { caller: { user }, body }) => {
    const session = await findSession(deps().transients, decodeSegment(request, "id"));
    if (
      session === undefined ||
      session.organizationId !== user.organizationId ||
      session.userId !== user.id
    ) {
      throw new NotFound("there is no such connect session, or it has ended", "unknown_session");
    }
    const { pending } = session;
    const instanceId = pending?.instanceId ?? session.instanceId;
    if (instanceId !== undefined) request.logContext.instanceId = instanceId;
    const claim = pending?.claim ?? session.claim;
    if (session.status === "open" || instanceId === undefined || claim === undefined) {
      throw new Conflict("the user has not connected an account in this session yet", "not_connected");
    }
    if (!sameHash(claim, hashSecret(body.claim))) {
      throw new InvalidRequest("claim is not the claim of this session", "claim", "invalid_claim");
    }
    const isBeginner = sameHash(session.endUser, hashSecret(body.endUser));
    if (pending === undefined)
      return await claimOldSession(deps(), request, user, { ...session, instanceId }, isBeginner);
    const connected: ConnectedSession = { ...session, pending };
    if (!isBeginner) throw await refusal(deps(), connected);
    return await take(deps(), request, user, connected, body);
  };
}

async function take(
  deps: ConnectionDeps,
  request: HttpRequest,
  user: User,
  session: ConnectedSession,
  body: ClaimBody,
): Promise<HttpResponse<InstanceAnswer>> {
  if (session.status !== "connected") throw over(session);
  const { grants, transients } = deps;
  const { acceptUnknownAccount = false, acceptOtherAccount = false } = body;
  const claim = { pending: pendingKey(session), isNew: !session.reauthenticates };
  await claimSignIn(grants, { ...claim, acceptUnknownAccount, acceptOtherAccount }, request);
  // The grant is live now. If several claims run at once, only the claim whose write succeeds answers with
  // the instance.
  const claimedBy = randomUUID();
  const claimed: ConnectSession = { ...session, status: "claimed", claimedBy };
  if (!(await transients.replace(claimed, { field: "status", seen: "connected" }))) {
    const now = await transients.get<ConnectSession>(session.id);
    if (now?.claimedBy !== claimedBy) throw over(session, now);
  }
  const found = await instanceOfUser(deps, user, session.pending.instanceId);
  const headers = { "Cache-Control": "no-store" };
  const missing = await missingScopesOf(deps, found.instance);
  // The user has signed in again: id and token stay the same, and the app has the token already.
  if (session.reauthenticates)
    return json({ ...instanceRepresentation(found.instance, user), ...missing }, headers);
  const { token, hash } = newInstanceToken(found.instance.id);
  const instance = await updateInstance(deps, found, { tokenHashes: [{ hash }] });
  return json({ ...instanceRepresentation(instance, user, token), ...missing }, headers);
}

/**
 * Revokes the pending sign-in when another end user claims it. May run again, because an earlier run may have
 * been cut off.
 */
async function refusal(
  { grants, transients }: ConnectionDeps,
  session: ConnectedSession,
): Promise<Forbidden | Conflict> {
  if (session.status === "claimed") return over(session);
  if (!(await refusePending(grants, pendingKey(session), !session.reauthenticates)))
    return over({ ...session, status: "claimed" });
  await transients.replace<ConnectSession>(
    { ...session, status: "refused" },
    { field: "status", seen: "connected" },
  );
  return new Forbidden(`another end user than the one who began this session; ${FATE}`, "end_user_mismatch", {
    field: "endUser",
  });
}

const FATE = "the grant of this sign-in was revoked, and nothing else was changed";

function pendingKey({ sessionId, pending: { instanceId, epoch } }: ConnectedSession) {
  return { instanceId, sessionId, epoch };
}

/** @param now the session's newest state, if it has changed since it was read */
function over(session: ConnectedSession, now: Pick<ConnectSession, "status"> = session): Conflict {
  const { instanceId } = session.pending;
  if (now.status === "refused") {
    return new Conflict(`this session was claimed for another end user before; ${FATE}`, "claim_refused");
  }
  const next = session.reauthenticates
    ? `continue with the token of instance ${instanceId}`
    : `if that answer was lost, rotate the token of instance ${instanceId}`;
  return new Conflict(`this session was claimed already; ${next}`, "already_claimed", { instanceId });
}
