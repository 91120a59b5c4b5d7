import type { Connector } from "../connectors/define-connector.ts";
import { credentialHeader, withCredential } from "./endpoint/credential.ts";
import { type Endpoint, endpointOf, endpointValues, hasFixedEndpoint } from "./endpoint/endpoint.ts";
import { VendorError } from "./errors.ts";
import type { Call, GrantDeps, InstanceRead } from "./grant/grant-deps.ts";
import {
  type AccessToken,
  currentAccessToken,
  tokenAfterUnauthorized,
} from "./grant/refresh/access-token.ts";
import { UNUSABLE_TOKEN } from "./grant/refresh/after-failure.ts";
import { grantedScopes } from "./grant/scopes.ts";
import { latestNow } from "./grant/timing.ts";
import { isHeaderText, type VendorHttp, type VendorRequest, type VendorResponse } from "./vendor-http.ts";

/** A request to the vendor without the values that the session adds: the credential and the allowed hosts. */
export type SessionRequest = Omit<
  VendorRequest,
  "allowedHosts" | "credentialHeaders" | "beforeSend" | "lenient"
> & {
  /** Sends no credential, and only to the connector's `api.presignedHosts`. Default false. */
  readonly presigned?: boolean;
};

/** Sends requests to one instance's vendor during one call. */
export interface VendorSession {
  /**
   * The endpoint of the instance's vendor.
   * @throws as `send`, if the endpoint depends on the grant
   * @throws as `endpointOf`
   */
  endpoint(): Promise<Endpoint>;
  /**
   * Sends with the instance's access token. After a vendor's 401, repeats the request once, byte for byte, with
   * another token if there is one; otherwise the 401 is the answer. A token that is a few seconds old is tried
   * again after a short wait, because not all of a vendor's servers know it at once.
   * @throws {NeedsReauthentication} the vendor has ended the grant
   * @throws {Unavailable} no valid token within the time that a caller waits
   * @throws {VendorUnreachable} no usable answer
   */
  send(request: SessionRequest): Promise<VendorResponse>;
  /**
   * Values that the vendor returned when the user signed in.
   * @throws as `send`
   */
  told(): Promise<Readonly<Record<string, string>>>;
  /**
   * The scopes that the grant allows.
   * @returns undefined: unknown
   * @throws as `send`
   */
  grantedScopes(): Promise<readonly string[] | undefined>;
  /** The token values used so far, to be cut out of the vendor's texts. */
  secrets(): readonly string[];
  /** Milliseconds until the invocation ends. */
  remainingMs(): number;
}

export interface VendorSessionOptions {
  readonly grants: GrantDeps;
  readonly http: VendorHttp;
  /** The instance as the authorization of this same call read it. */
  readonly read: InstanceRead;
  readonly call: Call;
  readonly connector: Connector;
}

export function vendorSession(options: VendorSessionOptions): VendorSession {
  return new InstanceSession(options);
}

class InstanceSession implements VendorSession {
  readonly #options: VendorSessionOptions;
  readonly #used: string[] = [];
  /** One look-up for all requests of a call, even if they start together. */
  #current: Promise<AccessToken> | undefined;
  /** New tokens, by the version that the vendor refused. */
  readonly #replacing = new Map<number, Promise<AccessToken | undefined>>();

  constructor(options: VendorSessionOptions) {
    this.#options = options;
  }

  async endpoint(): Promise<Endpoint> {
    return this.#endpointWith(hasFixedEndpoint(this.#options.connector) ? {} : await this.#token());
  }

  async told(): Promise<Readonly<Record<string, string>>> {
    return (await this.#token()).extra ?? {};
  }

  async grantedScopes(): Promise<readonly string[] | undefined> {
    const { scope } = await this.#token();
    return scope === undefined ? undefined : grantedScopes(this.#options.connector, { scope });
  }

  async send({ presigned, ...request }: SessionRequest): Promise<VendorResponse> {
    const { grants, http, connector } = this.#options;
    if (presigned) {
      const allowedHosts = connector.api.presignedHosts ?? [];
      return await http.send({ ...request, allowedHosts, followRedirects: false });
    }
    if (connector.api.withoutCredential?.includes(new URL(request.url).pathname)) {
      return await this.#sendBare(request);
    }
    const patienceEnds = grants.monotonic() + grants.timing.callerPatienceMs;
    const first = await this.#token();
    if (!isHeaderText(first.value.trim())) {
      return await this.#sendWith(request, await this.#usable(first.version));
    }
    const response = await this.#sendWith(request, first);
    if (response.status !== 401) return response;
    const next = await this.#another(first.version).catch((error: unknown) => {
      response.body.destroy();
      throw error;
    });
    if (next === undefined) return await this.#onceMore(request, response, first, patienceEnds);
    response.body.destroy();
    this.#current = Promise.resolve(next);
    const replayed = await this.#sendWith(request, next);
    return replayed.status === 401 ? await this.#onceMore(request, replayed, next, patienceEnds) : replayed;
  }

  secrets(): readonly string[] {
    return this.#used;
  }

  remainingMs(): number {
    return this.#options.call.remainingMs();
  }

  async #token(): Promise<AccessToken> {
    const { grants, read, call } = this.#options;
    this.#current ??= currentAccessToken(grants, read, call);
    const asked = this.#current;
    const known = await asked;
    if (known.expiresAt === undefined || this.#now() < known.expiresAt) return known;
    // The token expired during the call.
    if (this.#current === asked) this.#current = currentAccessToken(grants, read, call);
    return await this.#current;
  }

  #another(version: number): Promise<AccessToken | undefined> {
    const known = this.#replacing.get(version);
    if (known !== undefined) return known;
    const { grants, read, call } = this.#options;
    const asked = tokenAfterUnauthorized(grants, read.instance.id, version, call);
    this.#replacing.set(version, asked);
    return asked;
  }

  #endpointWith(won: Pick<AccessToken, "endpoint" | "extra">): Endpoint {
    const { connector, read } = this.#options;
    return endpointOf(connector, endpointValues(connector, read.instance.configuration, won));
  }

  #sendWith(request: SessionRequest, access: AccessToken): Promise<VendorResponse> {
    const { http, connector } = this.#options;
    const { api } = connector;
    // Tokens stored by older versions may end with a line break.
    const bare = access.value.trim();
    if (!this.#used.includes(bare)) this.#used.push(bare);
    const { headers, allowedHosts } = this.#endpointWith(access);
    const sent = new Set(request.headers.map(([name]) => name.toLowerCase()));
    const missing = headers.filter(([name]) => !sent.has(name.toLowerCase()));
    const addressed = { url: request.url, headers: [...missing, ...request.headers] };
    const carrier = credentialHeader(api.credential);
    return http.send({
      ...request,
      ...withCredential(api.credential, bare, addressed),
      allowedHosts: [...allowedHosts, ...(request.followRedirects ? (api.downloadHosts ?? []) : [])],
      credentialHeaders: ["authorization", ...(carrier === undefined ? [] : [carrier])],
    });
  }

  /** Sends a call that takes no credential, to the same hosts as every other call, and without what stands in its place. */
  async #sendBare(request: SessionRequest): Promise<VendorResponse> {
    const { http, connector } = this.#options;
    const carrier = credentialHeader(connector.api.credential);
    const { allowedHosts } = await this.endpoint();
    return http.send({
      ...request,
      headers: request.headers.filter(([name]) => name.toLowerCase() !== carrier),
      allowedHosts,
      followRedirects: false,
    });
  }

  /**
   * Replaces a stored token that no header can carry; older versions of Linkspan stored such tokens.
   */
  async #usable(version: number): Promise<AccessToken> {
    const next = await this.#another(version);
    if (next !== undefined && isHeaderText(next.value.trim())) {
      this.#current = Promise.resolve(next);
      return next;
    }
    throw new VendorError(
      502,
      UNUSABLE_TOKEN,
      `${this.#options.connector.name} gave an access token that no HTTP header can carry; send the user through the authorization URL again`,
    );
  }

  /**
   * Repeats the request with the same token after a wait, if the token is so new that some of the vendor's servers may not
   * know it yet.
   */
  async #onceMore(
    request: SessionRequest,
    refused: VendorResponse,
    access: AccessToken,
    patienceEnds: number,
  ): Promise<VendorResponse> {
    const { grants } = this.#options;
    const { freshTokenMs, freshTokenWaitMs } = grants.timing;
    const age = this.#now() - (access.obtainedAt ?? 0);
    if (age >= freshTokenMs || grants.monotonic() + freshTokenWaitMs > patienceEnds) return refused;
    refused.body.destroy();
    await grants.sleep(freshTokenWaitMs);
    return await this.#sendWith(request, access);
  }

  /** Store time, calculated from the read of the instance. */
  #now(): number {
    const { grants, read } = this.#options;
    return latestNow(read.reading, grants.monotonic());
  }
}
