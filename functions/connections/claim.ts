import * as v from "valibot";
import { Conflict, Forbidden, InvalidRequest, NotFound } from "../core/errors.ts";
import { setEnabled } from "../core/grant/enable.ts";
import { markForDeletion } from "../core/grant/revocation/delete-instance.ts";
import { newInstanceToken, sameHash } from "../core/grant/sign-in/instance-token.ts";
import { hashSecret } from "../core/tenants/secrets.ts";
import { authorizePlatform } from "../http/authorize.ts";
import { type HttpHandler, type HttpRequest, json } from "../http/request.ts";
import { parseBody } from "../http/request-body.ts";
import { decodeSegment } from "../http/route-table.ts";
import { write } from "./change-instance.ts";
import { type ConnectSession, findSession, sessionItem } from "./connect-session.ts";
import { instanceRepresentation } from "./instance-representation.ts";
import { missingScopesOf } from "./missing-scopes.ts";
import { instanceOfUser } from "./own-instance.ts";
import type { ConnectionParts } from "./parts.ts";

const ClaimBody = v.object({
  claim: v.string(),
  endUser: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
});

/**
 * POST /connect/sessions/{id}/claim: once, and only for the end user who began: somebody who was tricked into finishing
 * another one's flow must not hand their account over. Then the instance is deleted; or, where it was there before the
 * session and was only signed in to again, disabled: the grant that it has now may be a stranger's, but the connection is not
 * for a claim to end.
 */
export function claimSession(parts: () => ConnectionParts): HttpHandler {
  return async (request) => {
    const { tenants, transients, grants } = parts();
    const { user } = await authorizePlatform(request, tenants);
    const sessionId = decodeSegment(request, "id");
    const { claim, endUser } = parseBody(request, ClaimBody);
    const session = await findSession(transients, sessionId);
    if (
      session === undefined ||
      session.organizationId !== user.organizationId ||
      session.userId !== user.id
    ) {
      throw new NotFound("there is no such connect session, or it is over", "unknown_session");
    }
    const { instanceId } = session;
    if (instanceId !== undefined) request.facts.instanceId = instanceId;
    if (session.status === "open" || instanceId === undefined || session.claim === undefined) {
      throw new Conflict("the user has not connected an account in this session yet", "not_connected");
    }
    if (!sameHash(session.claim, hashSecret(claim))) {
      throw new InvalidRequest("claim is not the one that this session gave", "claim", "invalid_claim");
    }
    const isBeginner = sameHash(session.endUser, hashSecret(endUser));
    const ends = isBeginner ? "claimed" : "refused";
    const first = await transients.replace<ConnectSession>(
      { ...session, status: ends },
      { field: "status", seen: "connected" },
    );
    if (!first) {
      const now = await transients.get<ConnectSession>(sessionItem(sessionId));
      // A refusal may have been cut off before it had done what it says: the same claim does it again.
      if (isBeginner || now?.status !== "refused") throw over(now ?? session, instanceId);
    }
    if (!isBeginner) throw await refusal(grants, session, instanceId, request);
    const found = await instanceOfUser(parts(), user, instanceId);
    const headers = { "Cache-Control": "no-store" };
    // Signed in again: id and token stay, and the app has the token.
    const missing = await missingScopesOf(parts(), found.instance);
    if (session.reauthenticates)
      return json({ ...instanceRepresentation(found.instance, user), ...missing }, headers);
    // The token that was made with the instance was never shown to anybody.
    const { token, hash } = newInstanceToken(instanceId);
    const instance = await write(parts(), found, { tokenHashes: [{ hash }] });
    return json({ ...instanceRepresentation(instance, user, token), ...missing }, headers);
  };
}

/** Takes away what a claim for another end user must not get. */
async function refusal(
  grants: ConnectionParts["grants"],
  { reauthenticates }: ConnectSession,
  instanceId: number,
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
    ? `go on with the token of instance ${instanceId}`
    : `if that answer was lost, rotate the token of instance ${instanceId}`;
  return new Conflict(`this session was claimed already; ${next}`, "already_claimed", { instanceId });
}

function fate(reauthenticates: boolean): string {
  return reauthenticates
    ? "the connection was disabled, since it may have another person's account now"
    : "the connection was deleted";
}
