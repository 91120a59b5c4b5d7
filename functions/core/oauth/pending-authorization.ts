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

/** What is kept of an authorization while its user is at the vendor: `authorization#<hash of our state>`. */
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
  /** The OAuth client that the URL named; its secret is not kept here. */
  readonly clientId: string;
  /** Id of the registered app, if the OAuth client is a registered app. */
  readonly appId?: string;
  readonly redirectUri: string;
  readonly configuration: Readonly<Record<string, string>>;
  /** What the URL asked for. Absent: an earlier version of Linkspan, which did not keep it, made the URL. */
  readonly askedScopes?: readonly string[];
  readonly verifier?: Sealed;
  /** The app's own `state`, given back with the instance. With an OAuth proxy: the app's URL. */
  readonly appState?: string;
  /** The OAuth proxy whose list has the app's URL. */
  readonly proxyId?: number;
  /** The connect session of the hosted flow. */
  readonly sessionId?: string;
  /** Epoch of the instance that is to be signed in to again, as it was when the user set out. */
  readonly seenEpoch?: string;
}

export interface AuthorizationStart
  extends Omit<PendingAuthorization, "id" | "expiresAt" | "verifier" | "connector" | "askedScopes"> {
  readonly connector: Connector;
  readonly scope?: string | undefined;
  /** False: without PKCE, though the vendor has it. */
  readonly pkce?: boolean;
  /** The vendor's URLs by its metadata document. */
  readonly endpoint?: AuthorizationRequest["endpoint"];
}

/**
 * Starts an authorization: a single-use state of 256 random bits, and PKCE where the vendor has it. Neither can be read
 * from the store: the state is kept as its hash, the verifier sealed.
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
  // Ignores a refused put: the id is random, so it only exists if the SDK repeated this put after a lost answer.
  await deps.transients.put(pending);
  return { url, state, expiresAt };
}

export interface ConsumedAuthorization extends Omit<PendingAuthorization, "verifier"> {
  readonly codeVerifier?: string;
  /** Orders this sign-in among others of its instance. */
  readonly epoch: string;
  /**
   * Puts it back as it was: for a vendor that did nothing with the code, so that the same request can be sent again. As long
   * as the code is not spent, its state and verifier are no use to anybody else.
   */
  readonly putBack: () => Promise<void>;
  /** Deletes the state, so that it cannot be used again even with the same code: it came with another element or user. */
  readonly useUp: () => Promise<void>;
}

/**
 * What is kept of an authorization, without using it up.
 * @param stateHash of our state (`hashSecret`)
 * @param answer what came with it, the code or a denial
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
 * Consumes a Linkspan state for one code. Repeating the call with the same code returns it again; another code gets undefined.
 * @param hash of our state (`hashSecret`)
 * @param answer what came with it, the code or a denial
 * @returns undefined: unknown, used for another one, or too old
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
