import type { Connector } from "../../connectors/define-connector.ts";
import type { Sealed } from "../instances/instance.ts";
import { epochAfter, epochOf } from "../instances/sign-in-epoch.ts";
import { hashSecret } from "../secret-hash.ts";
import type { TransientItem, TransientStore } from "../transients.ts";
import type { SealedPlace, Vault } from "../vault/ports.ts";
import {
  type AuthorizationRequest,
  askedScopes,
  authorizationUrl,
  codeChallenge,
  newCodeVerifier,
  newState,
} from "./authorization-request.ts";

/** Long enough for users to find their password or phone, or ask a colleague. */
const LIFETIME_MS = 30 * 60_000;

/** The stored data of an authorization while its user is at the vendor: `authorization#<hash of our state>`. */
export interface PendingAuthorization extends TransientItem {
  /**
   * Who takes the code: the app (POST /instances), our own callback (the hosted flow), or the app after our callback has
   * forwarded the code to it (an OAuth proxy).
   */
  readonly flow: "direct" | "hosted" | "proxied";
  readonly organizationId: string;
  readonly userId: string;
  /** Connector key. */
  readonly connector: string;
  /** The OAuth client in the URL; its secret is not stored here. */
  readonly clientId: string;
  /** Id of the registered app, if the OAuth client is a registered app. */
  readonly appId?: string;
  readonly redirectUri: string;
  readonly configuration: Readonly<Record<string, string>>;
  /**
   * The scopes that the URL asked for. Absent: the URL is from an earlier version of Linkspan, which did not
   * store them.
   */
  readonly askedScopes?: readonly string[];
  readonly verifier?: Sealed;
  /** The app's own `state`, returned with the instance. With an OAuth proxy: the app's URL. */
  readonly appState?: string;
  /** The OAuth proxy whose list has the app's URL. */
  readonly proxyId?: number;
  /** The connect session of the hosted flow. */
  readonly sessionId?: string;
  /** Epoch of the existing instance when the user started. */
  readonly seenEpoch?: string;
}

export interface AuthorizationStart
  extends Omit<PendingAuthorization, "id" | "expiresAt" | "verifier" | "connector" | "askedScopes"> {
  readonly connector: Connector;
  readonly scope?: string | undefined;
  /** False: without PKCE, although the vendor supports it. */
  readonly pkce?: boolean;
  /** The vendor's URLs from its metadata document. */
  readonly endpoint?: AuthorizationRequest["endpoint"];
}

/**
 * Starts an authorization: a single-use state of 256 random bits, and PKCE where the vendor supports it.
 * Neither can be read from the store: the state is stored as its hash, the verifier sealed.
 */
export async function beginAuthorization(
  deps: {
    readonly transients: Pick<TransientStore, "put" | "now">;
    readonly vault: Pick<Vault, "seal">;
  },
  { connector, scope, pkce, endpoint, ...start }: AuthorizationStart,
): Promise<{ url: string; state: string; expiresAt: number }> {
  const state = newState();
  const hash = hashSecret(state);
  const verifier = pkce !== false && connector.oauth2.pkce !== undefined ? newCodeVerifier() : undefined;
  const url = authorizationUrl(connector, {
    clientId: start.clientId,
    redirectUri: start.redirectUri,
    scope,
    state,
    codeChallenge: verifier === undefined ? undefined : codeChallenge(verifier),
    configuration: start.configuration,
    endpoint,
  });
  const expiresAt = deps.transients.now() + LIFETIME_MS;
  const pending: PendingAuthorization = {
    ...start,
    connector: connector.key,
    askedScopes: askedScopes(connector, scope),
    id: `authorization#${hash}`,
    expiresAt,
    ...(verifier === undefined
      ? {}
      : { verifier: await deps.vault.seal(verifierPlace(start.organizationId, hash), verifier) }),
  };
  // Ignores a refused put: the id is random, so an item with this id exists only if the SDK repeated this put
  // after a lost answer.
  await deps.transients.put(pending);
  return { url, state, expiresAt };
}

export interface ConsumedAuthorization extends Omit<PendingAuthorization, "verifier"> {
  readonly codeVerifier?: string;
  /** Orders this sign-in among others of its instance. */
  readonly epoch: string;
  /**
   * Stores the authorization again unchanged: for a vendor that did not use the code, so that the same request
   * can be sent again. While the code is not used, its state and verifier are of no use to anybody else.
   */
  readonly putBack: () => Promise<void>;
  /**
   * Deletes the state, so that it cannot be used again even with the same code: it came for another connector
   * or user.
   */
  readonly useUp: () => Promise<void>;
}

/**
 * The stored data of an authorization, without using it up.
 * @param stateHash of our state (`hashSecret`)
 * @param answer the code or the denial that came with the state
 * @returns undefined: unknown, used for another answer, or too old
 */
export async function findAuthorization(
  { transients }: { readonly transients: Pick<TransientStore, "get"> },
  stateHash: string,
  answer: string,
): Promise<Omit<PendingAuthorization, "verifier"> | undefined> {
  return await transients.get<PendingAuthorization>(`authorization#${stateHash}`, hashSecret(answer));
}

/**
 * Consumes a Linkspan state for one code. Repeating the call with the same code returns the data again; another
 * code gets undefined.
 * @param hash of our state (`hashSecret`)
 * @param answer the code or the denial that came with the state
 * @returns undefined: unknown, used for another answer, or too old
 */
export async function consumeAuthorization(
  deps: { readonly transients: TransientStore; readonly vault: Pick<Vault, "open"> },
  hash: string,
  answer: string,
): Promise<ConsumedAuthorization | undefined> {
  const pending = await deps.transients.consume<PendingAuthorization>(
    `authorization#${hash}`,
    hashSecret(answer),
  );
  if (pending === undefined) return undefined;
  const consumed = epochOf(deps.transients.now(), hash);
  const { verifier, ...rest } = pending;
  const epoch = rest.seenEpoch === undefined ? consumed : epochAfter(rest.seenEpoch, consumed);
  const putBack = async () => {
    await deps.transients.put(pending);
  };
  const useUp = () => deps.transients.remove(pending.id);
  if (verifier === undefined) return { ...rest, epoch, putBack, useUp };
  try {
    const place = verifierPlace(pending.organizationId, hash);
    return { ...rest, epoch, putBack, useUp, codeVerifier: await deps.vault.open(place, verifier) };
  } catch (error) {
    await putBack().catch(() => {});
    throw error;
  }
}

function verifierPlace(organizationId: string, stateHash: string): SealedPlace {
  return { organizationId, item: `authorization/${stateHash}`, field: "code-verifier" };
}
