import { randomUUID } from "node:crypto";
import type { Connector } from "../../../connectors/define-connector.ts";
import { boundValues, type EndpointValues, endpointValues } from "../../endpoint/endpoint.ts";
import { InvalidRequest, LinkspanError, Unavailable, VendorError } from "../../errors.ts";
import type { Grant, OAuthClient } from "../../instances/instance.ts";
import { epochAfter, epochOf, hashOf } from "../../instances/sign-in-epoch.ts";
import type { ClientCredentials, TokenOutcome, TokenResponse } from "../../oauth/ports.ts";
import { present } from "../../present.ts";
import type { StoreReading } from "../../store-clock.ts";
import type { TransientItem, TransientStore } from "../../transients.ts";
import type { Call, GrantDeps } from "../grant-deps.ts";
import { UNUSABLE_TOKEN } from "../refresh/after-failure.ts";
import { endPause } from "../refresh/client-pauses.ts";
import { revokeOrphan } from "../revocation/revoke-orphan.ts";
import { grantOf } from "../store/grant-of.ts";
import { earliestNow } from "../timing.ts";

/** An authorization code from the vendor's redirect, and what the exchange needs with it. */
export interface CodeExchange {
  readonly organizationId: string;
  readonly userId: string;
  readonly connector: Connector;
  readonly client: OAuthClient;
  readonly code: string;
  readonly redirectUri: string;
  readonly codeVerifier?: string;
  /**
   * An earlier request with this code used up its state and verifier: the code is not sent again, whatever the
   * result of that request.
   */
  readonly repeated?: boolean;
  readonly configuration: Readonly<Record<string, string>>;
  /** The scopes that the authorization URL asked for, if known. */
  readonly askedScopes?: readonly string[];
  /** Values of the callback that the connector keeps (realmId, …). */
  readonly extra?: Readonly<Record<string, string>>;
  /** The vendor's URLs from its metadata document, where the connector has none of its own. */
  readonly endpoint?: EndpointValues;
  /**
   * Epoch of the consumed state (core/instances/sign-in-epoch.ts). Absent if there was no state of ours: the
   * epoch is then derived from the code.
   */
  readonly epoch?: string;
}

/** The instance that a code's grant is for, as read just before. */
export interface CodeTarget {
  readonly instanceId: number;
  /** Reading of the store answer that contained the instance, or showed that there is none. */
  readonly reading: StoreReading;
  /** For a sign-in to an existing instance: the epoch of its current grant. */
  readonly seenEpoch?: string;
}

/** `code#<hash>`: the caller and the instance that a code was used for. */
interface CodeSeen extends TransientItem {
  /** Identifies this request: if the SDK repeats a put whose answer was lost, it finds its own item. */
  readonly attempt: string;
  readonly caller: string;
  readonly instanceId: number;
  /**
   * Set for a sign-in to an existing instance: its epoch shows whether the sign-in was stored, since the instance exists in
   * any case.
   */
  readonly signInEpoch?: string;
}

/**
 * Exchanges a code for a grant, once. A second request with the same code never reaches the vendor, because the
 * vendor would have to end the grant of the first one (RFC 6749 section 4.1.2). Waits up to a minute, so that a
 * late answer of the vendor is not lost.
 * @throws {InvalidRequest} `code_used` (for the same caller with `detail.instanceId`), or why the vendor
 *   refuses the code
 */
export async function exchangeCode(
  deps: GrantDeps,
  transients: TransientStore,
  request: CodeExchange,
  target: CodeTarget,
  call: Pick<Call, "remainingMs" | "afterAnswer">,
): Promise<{ grant: Grant; credentials: ClientCredentials; epoch: string }> {
  const answeredMs = deps.monotonic();
  const { connector, organizationId } = request;
  const credentials = await deps.clients.resolve(organizationId, connector.key, request.client);
  if (call.remainingMs() < deps.timing.functionTimeMs) {
    throw new Unavailable("too little time is left for a sign-in; send the same request again");
  }
  const codeHash = hashOf(connector.key, credentials.id, request.code);
  const epoch = request.epoch ?? epochAfter(target.seenEpoch ?? "", epochOf(target.reading.dateMs, codeHash));
  await reserve(deps, transients, request, codeHash, { ...target, epoch });
  const sentAt = earliestNow(target.reading, answeredMs, deps.monotonic());
  const outcome = await sendCode(deps, request, credentials);
  if (outcome.kind === "granted") {
    call.afterAnswer(endPause(deps, organizationId, connector.key, request.client));
    return { grant: firstGrant(deps, request, credentials, outcome.response, sentAt), credentials, epoch };
  }
  if (outcome.kind === "unusable") {
    const owner = { id: target.instanceId, organizationId, connector: connector.key };
    await revokeOrphan(deps, owner, firstGrant(deps, request, credentials, outcome.response, sentAt));
    throw refusal(connector, outcome);
  }
  // The vendor did not use the code, or will never accept it, so it need not stay reserved for this instance.
  if (outcome.kind !== "unknown") await transients.remove(`code#${codeHash}`).catch(() => {});
  throw refusal(connector, outcome);
}

async function reserve(
  deps: GrantDeps,
  transients: TransientStore,
  request: CodeExchange,
  codeHash: string,
  { instanceId, seenEpoch, epoch }: CodeTarget & { readonly epoch: string },
): Promise<void> {
  const caller = `${request.organizationId}/${request.userId}`;
  const item: CodeSeen = {
    id: `code#${codeHash}`,
    expiresAt: transients.now() + deps.timing.codeMs,
    attempt: randomUUID(),
    caller,
    instanceId,
    ...(seenEpoch === undefined ? {} : { signInEpoch: epoch }),
  };
  if (!request.repeated && (await transients.put(item))) return;
  const seen = await transients.get<CodeSeen>(item.id);
  if (request.repeated && seen === undefined) {
    throw new Unavailable("an earlier request with this code has just failed; send the same request again");
  }
  if (seen?.attempt === item.attempt) return;
  const mine = seen?.caller === caller && (await codeOutcome(deps, seen));
  throw new InvalidRequest(
    mine
      ? codeUsedMessage(seen)
      : "this code was used already; send the user through the authorization URL again",
    "providerData.code",
    "code_used",
    mine ? { instanceId: seen.instanceId } : {},
  );
}

/** Whether the code's grant is stored, or is in the rescue bucket and will be stored soon. */
async function codeOutcome(deps: GrantDeps, { instanceId, signInEpoch }: CodeSeen): Promise<boolean> {
  const { value } = await deps.instances.get(instanceId);
  const lies = async (name: string) =>
    (await deps.rescue.read(`rescue/${instanceId}/${name}`).catch(() => undefined)) !== undefined;
  if (signInEpoch === undefined) return value === undefined ? await lies("new") : value.deleting !== true;
  if (value === undefined || value.deleting === true) return false;
  // The record of a sign-in that a later one overtook only asks to end its grant.
  if (value.epoch >= signInEpoch) return value.epoch === signInEpoch;
  return await lies(`signin-${signInEpoch}`);
}

function codeUsedMessage({ instanceId, signInEpoch }: CodeSeen): string {
  return signInEpoch === undefined
    ? `this code was used already, and made instance ${instanceId}: rotate that instance's token (POST /instances/${instanceId}/token) and continue with it`
    : `this code was used already; the user is signed in to instance ${instanceId}: continue with its token`;
}

async function sendCode(
  deps: GrantDeps,
  request: CodeExchange,
  credentials: ClientCredentials,
): Promise<TokenOutcome> {
  try {
    return await deps.tokens.exchangeCode(request.connector, credentials, {
      code: request.code,
      redirectUri: request.redirectUri,
      ...present({ codeVerifier: request.codeVerifier }),
      values: valuesOf(request),
      timeoutMs: deps.timing.exchangeMs,
    });
  } catch (error) {
    return { kind: "unknown", reason: error instanceof Error ? error.name : "unknown error" };
  }
}

function firstGrant(
  deps: GrantDeps,
  request: CodeExchange,
  credentials: ClientCredentials,
  response: TokenResponse,
  sentAt: number,
): Grant {
  const { connector, client, extra, askedScopes } = request;
  return grantOf(deps, connector, response, {
    ...present({ askedScopes, scope: askedScopes?.join(" "), extra }),
    endpoint: boundValues(connector, valuesOf(request), credentials.id),
    client,
    sentAt,
    obtainedBy: "exchange",
  });
}

/** Values for the URLs of the token request. */
export function valuesOf({
  connector,
  configuration,
  extra,
  endpoint,
}: Pick<CodeExchange, "connector" | "configuration" | "extra" | "endpoint">): EndpointValues {
  return endpointValues(connector, configuration, present({ extra, endpoint }));
}

/**
 * The error for the caller when the token endpoint refuses a first grant. The vendor's words are in
 * `detail.vendor`.
 */
export function refusal(
  connector: Connector,
  outcome: Exclude<TokenOutcome, { kind: "granted" }>,
  field = "providerData.code",
): Error {
  const { name } = connector;
  if (outcome.kind === "never_sent") {
    return new Unavailable(`${name} cannot be reached right now; try again`, "vendor_unreachable", 5);
  }
  if (outcome.kind === "unknown") {
    return new VendorError(
      502,
      "vendor_unreachable",
      `${name}'s token endpoint gave no usable answer; the user must sign in again, since the code may be spent`,
    );
  }
  if (outcome.kind === "unusable") {
    return new VendorError(
      502,
      UNUSABLE_TOKEN,
      `${name} gave an access token that no HTTP header can carry (control characters, or letters beyond Latin-1); nothing was stored. Tell ${name}'s support`,
    );
  }
  return refusedBy(name, outcome, field);
}

/** The error for a refusal to which the vendor gave a reason. */
function refusedBy(
  name: string,
  outcome: Extract<TokenOutcome, { kind: "invalid_grant" | "client_refused" | "refused" }>,
  field: string,
): Error {
  const vendor = {
    error: outcome.error,
    ...present({ error_description: outcome.description }),
  };
  if (outcome.kind === "invalid_grant") {
    return new InvalidRequest(
      `${name} refuses this code or token: it is wrong, old or used`,
      field,
      "invalid_code",
      {
        vendor,
      },
    );
  }
  if (outcome.kind === "client_refused") {
    return new InvalidRequest(
      `${name} refuses the OAuth client: check its id and secret, and that it may use this grant`,
      "configuration.oauth.api.key",
      "invalid_client",
      { vendor },
    );
  }
  if (isNotTheVendors(outcome)) {
    return new Unavailable(
      `a gateway in front of ${name} answered ${outcome.status} in its place; send the same request again`,
      "vendor_unavailable",
      outcome.retryAfterMs === undefined ? 5 : outcome.retryAfterMs / 1000,
    );
  }
  if (outcome.status === 429 || outcome.status >= 500) {
    const seconds = outcome.retryAfterMs === undefined ? undefined : outcome.retryAfterMs / 1000;
    return outcome.status === 429
      ? new VendorError(429, "vendor_rate_limited", `${name} takes no more sign-ins right now`, {
          vendor,
          retryAfterSeconds: seconds ?? 5,
        })
      : new LinkspanError(503, "vendor_unavailable", `${name} takes no sign-ins right now`, {
          detail: { vendor },
          headers: { "Retry-After": String(Math.ceil(seconds ?? 5)) },
        });
  }
  return new InvalidRequest(`${name} refuses the token request`, field, "vendor_refused", { vendor });
}

/** Statuses with which a gateway on the way, or a vendor that was too slow, says that the request was not processed. */
const NOT_LOOKED_AT: readonly number[] = [403, 407, 408, 421, 425, 451];

/**
 * Whether a refusal came from a firewall, a gateway or a busy front server instead of the token endpoint: then
 * the code is still unused. A token endpoint gives the reason in the body (RFC 6749 section 5.2); 408 and 425
 * always mean "not yet".
 */
function isNotTheVendors({ status, error }: { readonly status: number; readonly error: string }): boolean {
  return NOT_LOOKED_AT.includes(status) && (error === `http_${status}` || status === 408 || status === 425);
}
