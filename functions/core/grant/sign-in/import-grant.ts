import { boundValues } from "../../endpoint/endpoint.ts";
import { InvalidRequest, Unavailable } from "../../errors.ts";
import { fitGrant } from "../../instances/fit-grant.ts";
import type { Grant } from "../../instances/instance.ts";
import { epochOf, hashOf } from "../../instances/sign-in-epoch.ts";
import type { ClientCredentials, TokenOutcome } from "../../oauth/ports.ts";
import { present } from "../../present.ts";
import { isHeaderText } from "../../vendor-http.ts";
import { noteAccount } from "../consent/account.ts";
import type { Call, ProvisioningDeps } from "../grant-deps.ts";
import { UNUSABLE_TOKEN } from "../refresh/after-failure.ts";
import { endPause } from "../refresh/client-pauses.ts";
import { endRefused } from "../revocation/end-refused.ts";
import { revokeOrphan } from "../revocation/revoke-orphan.ts";
import { grantOf } from "../store/grant-of.ts";
import { earliestNow } from "../timing.ts";
import { type CodeExchange, refusal, valuesOf } from "./exchange-code.ts";
import { freeId, type NewInstance, newInstance, type Provisioned, storeWhatFits } from "./first-exchange.ts";

/** A grant that the app got from the vendor itself. With a refresh token, the access token may be left out. */
export interface ImportedGrant
  extends NewInstance,
    Pick<
      CodeExchange,
      "organizationId" | "userId" | "connector" | "client" | "configuration" | "extra" | "endpoint"
    > {
  readonly accessToken?: string;
  readonly refreshToken?: string;
  /** Remaining lifetime of the access token, if the app sends it. */
  readonly expiresInMs?: number;
}

/**
 * Makes an instance from an imported grant. A refresh token is used at once to prove that it works, and the new
 * grant is stored like that of a first exchange; if the proof fails, nothing is stored. A long-lived token is
 * not proved: the vendor would not renew a young one, and its age is unknown.
 * @throws {InvalidRequest} the vendor does not take the token
 * @throws {VendorError} `grant_not_storable`: the vendor gave more than an item can hold
 */
export async function importInstance(
  deps: ProvisioningDeps,
  request: ImportedGrant,
  call: Call,
): Promise<Provisioned> {
  const { connector, refreshToken } = request;
  const sealer = await deps.vault.prepare(request.organizationId);
  const credentials = await deps.clients.resolve(request.organizationId, connector.key, request.client);
  if (call.remainingMs() < deps.timing.functionTimeMs) {
    throw new Unavailable("too little time is left for an import; send the same request again");
  }
  const { id, reading } = await freeId(deps);
  const answeredMs = deps.monotonic();
  const now = (): number => earliestNow(reading, answeredMs, deps.monotonic());
  const isProven = refreshToken !== undefined && connector.oauth2.longLivedToken === undefined;
  const grant = isProven
    ? await provenGrant(deps, request, credentials, { refreshToken, instanceId: id, sentAt: now() })
    : importedGrant(request, credentials, now());
  if (isProven) call.afterAnswer(endPause(deps, request.organizationId, connector.key, request.client));
  const epoch = epochOf(reading.dateMs, hashOf(connector.key, String(id)));
  const times = {
    epoch,
    now: now(),
    isUnproven: !isProven,
    ...(isProven ? { lastRefreshedAt: grant.obtainedAt } : {}),
  };
  const made = await storeWhatFits(deps, connector, grant, call, {
    make: (each) => newInstance(deps, sealer, id, request, each, credentials.id, times),
    end: async (refused) => {
      // A refresh token that did not change is still the app's own.
      if (refused.refreshToken === refreshToken) return;
      const { organizationId, userId } = request;
      const owner = { id, organizationId, userId, connector: connector.key };
      const at = refused.obtainedAt;
      await endRefused(deps, call, owner, { grant: refused, sealer, of: "create", at, cause: "forced" });
    },
  });
  call.afterAnswer(noteAccount(deps, connector, made.instance, grant));
  return made;
}

/**
 * Without a refresh token the grant cannot be proved: it counts as valid until the vendor refuses it. The age
 * of an imported long-lived token is unknown, so the lifetime that the app sends is ignored, and the expiry is
 * unknown until the first renewal.
 */
function importedGrant(request: ImportedGrant, credentials: ClientCredentials, now: number): Grant {
  const { expiresInMs } = request;
  const isLongLived = request.connector.oauth2.longLivedToken !== undefined;
  const accessToken = request.accessToken ?? request.refreshToken ?? "";
  if (!isHeaderText(accessToken)) {
    throw new InvalidRequest(
      "configuration.oauth.user.token is not right: no HTTP header can carry it (control characters, or letters beyond Latin-1)",
      "configuration.oauth.user.token",
      UNUSABLE_TOKEN,
    );
  }
  return fitGrant(request.connector, {
    accessToken,
    tokenType: "bearer",
    ...(isLongLived ? { refreshToken: accessToken } : {}),
    obtainedAt: now,
    ...(expiresInMs === undefined || isLongLived ? {} : { expiresAt: now + expiresInMs }),
    obtainedBy: "import",
    client: request.client,
    ...present({
      endpoint: boundValues(request.connector, valuesOf(request), credentials.id),
      extra: request.extra,
    }),
  });
}

async function provenGrant(
  deps: ProvisioningDeps,
  request: ImportedGrant,
  credentials: ClientCredentials,
  { refreshToken, instanceId, sentAt }: { refreshToken: string; instanceId: number; sentAt: number },
): Promise<Grant> {
  const { connector, organizationId } = request;
  const outcome: TokenOutcome = await deps.tokens.refresh(connector, credentials, {
    refreshToken,
    values: valuesOf(request),
    timeoutMs: deps.timing.exchangeMs,
    beforeSend: () => {},
  });
  if (outcome.kind !== "granted" && outcome.kind !== "unusable") {
    throw refusal(connector, outcome, "configuration.oauth.user.refresh_token");
  }
  const { client, extra } = request;
  const endpoint = boundValues(connector, valuesOf(request), credentials.id);
  const grant = grantOf(deps, connector, outcome.response, {
    ...present({ extra }),
    refreshToken,
    endpoint,
    client,
    sentAt,
    obtainedBy: "import",
  });
  if (outcome.kind === "granted") return grant;
  // A refresh token that did not change is still the app's own.
  if (grant.refreshToken !== refreshToken)
    await revokeOrphan(deps, { id: instanceId, organizationId, connector: connector.key }, grant);
  throw refusal(connector, outcome);
}
