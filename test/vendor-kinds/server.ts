import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { vendorKindHosts } from "./connectors.ts";

const SECOND = 1000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

/** How the vendor of one kind behaves; a test can change each rule. */
export interface VendorRules {
  /** Lifetime of an access token; absent: it never expires. */
  lifetimeMs?: number;
  /** The form of `expires_in`. */
  tells: "seconds" | "milliseconds" | "text" | "nothing";
  refresh: "none" | "keeps" | "rotates" | "itself";
  /** Lifetime of a refresh token without use. */
  idleMs?: number;
}

const RULES = {
  eternal: { tells: "nothing", refresh: "none" },
  shortlived: { lifetimeMs: HOUR, tells: "seconds", refresh: "none" },
  milliseconds: { lifetimeMs: HOUR, tells: "milliseconds", refresh: "keeps" },
  text: { lifetimeMs: HOUR, tells: "text", refresh: "keeps" },
  unknown: { lifetimeMs: HOUR, tells: "nothing", refresh: "keeps" },
  idle: { lifetimeMs: HOUR, tells: "seconds", refresh: "keeps", idleMs: 30 * DAY },
  rotating: { lifetimeMs: HOUR, tells: "seconds", refresh: "rotates" },
  query: { lifetimeMs: HOUR, tells: "seconds", refresh: "keeps" },
  json: { lifetimeMs: HOUR, tells: "seconds", refresh: "keeps" },
  placed: { lifetimeMs: HOUR, tells: "seconds", refresh: "rotates" },
  discovered: { lifetimeMs: HOUR, tells: "seconds", refresh: "rotates" },
  longlived: { lifetimeMs: 60 * DAY, tells: "seconds", refresh: "itself" },
} as const satisfies Readonly<Record<string, VendorRules>>;

/** The client that all these vendors know. */
export const vendorClient = { id: "kinds-client", secret: "kinds+secret/=" };

export type VendorKind = keyof typeof RULES;

/** One request to a token endpoint, as it arrived. */
export interface SeenTokenRequest {
  readonly kind: VendorKind;
  readonly host: string;
  readonly method: string;
  readonly path: string;
  /** The fields from the query, the form or the JSON body. */
  readonly fields: Readonly<Record<string, string>>;
}

interface Consent {
  readonly kind: VendorKind;
  ended: boolean;
}

interface AccessToken {
  readonly consent: Consent;
  readonly obtainedAt: number;
  readonly endsAt: number;
  readonly isShort?: true;
}

interface RefreshToken {
  readonly consent: Consent;
  usedAt: number;
  spent: boolean;
}

type Answer = { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> };

/** Graph's errors: https://developers.facebook.com/docs/graph-api/guides/error-handling */
const graphError = (message: string, code = 190): Answer => ({
  status: 400,
  body: { error: { message, type: "OAuthException", code, fbtrace_id: "A1b2" } },
});

/**
 * The vendors of `connectors.ts` on one real HTTP server, distinguished by the Host header: a consent page that always
 * allows, token endpoints, and an API with one call (`GET /me`) that checks the bearer token. It uses the test's clock.
 */
export class VendorKindsServer {
  readonly rules: Record<VendorKind, VendorRules> = structuredClone(RULES);
  readonly tokenRequests: SeenTokenRequest[] = [];
  /** Status of each call of the API. */
  readonly apiCalls: { readonly kind: VendorKind; readonly status: number }[] = [];
  /** Replaces a token endpoint's answer; with `undefined` the endpoint answers itself. */
  intervene: (request: SeenTokenRequest) => Answer | undefined = () => undefined;
  /** What the metadata document says beside what is true. */
  metadata: Readonly<Record<string, unknown>> = {};
  /** Paths of metadata documents that were asked for. */
  readonly documentReads: string[] = [];
  readonly #codes = new Map<string, Consent>();
  readonly #access = new Map<string, AccessToken>();
  readonly #refresh = new Map<string, RefreshToken>();
  readonly #server: Server;
  readonly #now: () => number;

  private constructor(server: Server, now: () => number) {
    this.#server = server;
    this.#now = now;
  }

  static async start(now: () => number = Date.now): Promise<VendorKindsServer> {
    const server = createServer();
    const vendors = new VendorKindsServer(server, now);
    server.on("request", (request, response) => void vendors.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return vendors;
  }

  /** The origin for each host, in the form of vendors.json. */
  get hosts(): Readonly<Record<string, string>> {
    const origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return Object.fromEntries(vendorKindHosts.map((host) => [host, origin]));
  }

  /** A new code, as after a user's consent on the vendor's page. */
  code(kind: VendorKind): string {
    const code = secret("code");
    this.#codes.set(code, { kind, ended: false });
    return code;
  }

  /** Ends all consents of the users of a vendor. */
  endConsents(kind: VendorKind): void {
    for (const { consent } of [...this.#access.values(), ...this.#refresh.values()]) {
      if (consent.kind === kind) consent.ended = true;
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", headers } = request;
    const url = new URL(request.url ?? "/", "http://vendor.example");
    const redirectUri = url.searchParams.get("redirect_uri") ?? "";
    // A browser comes by this server's own address: the vendor's key ends its redirect URI.
    const kind = kindOf(headers.host ?? "") ?? kindOf(redirectUri.split("/").at(-1) ?? "");
    if (kind === undefined) return void response.writeHead(404).end();
    if (url.pathname === "/authorize") {
      const back = new URL(redirectUri);
      back.searchParams.set("code", this.code(kind));
      back.searchParams.set("state", url.searchParams.get("state") ?? "");
      if (kind === "discovered") back.searchParams.set("iss", ISSUER);
      return void response.writeHead(302, { Location: back.href }).end();
    }
    let answer: Answer;
    if (url.pathname.startsWith("/.well-known/")) {
      this.documentReads.push(url.pathname);
      answer = this.#document(url.pathname, headers.host ?? "");
    } else if (url.pathname === "/me") {
      answer = kind === "placed" ? this.#placed(url, headers) : this.#me(kind, headers.authorization);
      this.apiCalls.push({ kind, status: answer.status });
    } else {
      const body = Buffer.concat(chunks).toString("utf8");
      const fields = fieldsOf(url.searchParams, body, headers["content-type"] ?? "");
      const seen = { kind, host: headers.host ?? "", method, path: url.pathname, fields };
      this.tokenRequests.push(seen);
      answer = this.intervene(seen) ?? this.#token(seen, url.search !== "");
    }
    response.writeHead(answer.status, { "Content-Type": "application/json", ...answer.headers });
    response.end(JSON.stringify(answer.body));
  }

  #document(path: string, host: string): Answer {
    // As servers do that know OpenID Connect alone.
    const isThere = path === "/.well-known/openid-configuration" && host === new URL(ISSUER).host;
    if (!isThere) return { status: 404, body: { error: "not here" } };
    const login = "https://login.discovered.vendor.example";
    const body = {
      issuer: ISSUER,
      authorization_endpoint: `${login}/authorize`,
      token_endpoint: `${login}/token`,
      revocation_endpoint: `${login}/revoke`,
      authorization_response_iss_parameter_supported: true,
      ...this.metadata,
    };
    return { status: 200, body };
  }

  #placed({ searchParams }: URL, headers: IncomingMessage["headers"]): Answer {
    if (headers.host !== "eu1.placed.vendor.example") return { status: 421, body: { error: "not here" } };
    if (headers["x-client"] !== vendorClient.id)
      return { status: 400, body: { error: "X-Client is missing" } };
    return this.#me("placed", `Bearer ${searchParams.get("access_token")}`);
  }

  #me(kind: VendorKind, authorization = ""): Answer {
    const token = this.#access.get(authorization.replace(/^Bearer /, ""));
    if (token === undefined || !this.#lives(token) || token.consent.kind !== kind) {
      return { status: 401, body: { error: "the access token is dead" } };
    }
    return { status: 200, body: { id: `${kind}-user` } };
  }

  #lives({ consent, endsAt }: AccessToken): boolean {
    return !consent.ended && this.#now() < endsAt;
  }

  #token(seen: SeenTokenRequest, hasQuery: boolean): Answer {
    const { kind, method, path, fields } = seen;
    if (kind === "longlived" && path !== "/token") return this.#longLived(seen);
    if ((kind === "placed" || kind === "discovered") && path === "/revoke") return this.#revoke(seen);
    const wanted = kind === "query" ? "GET" : "POST";
    if (path !== "/token" || method !== wanted || hasQuery !== (wanted === "GET")) {
      return { status: 404, body: { error: "invalid_request" } };
    }
    const client = kind === "json" ? fields.client_key : fields.client_id;
    if (client !== vendorClient.id || fields.client_secret !== vendorClient.secret) {
      return { status: 401, body: { error: "invalid_client" } };
    }
    const answer = fields.grant_type === "authorization_code" ? this.#exchange(seen) : this.#renew(seen);
    if (kind !== "json") return answer;
    return answer.status === 200
      ? { status: 200, body: { ok: true, data: answer.body } }
      : { status: 200, body: { ok: false, reason: "dead" } };
  }

  #revoke({ host, fields }: SeenTokenRequest): Answer {
    const token = this.#refresh.get(fields.token ?? "");
    const isHere = host === "acme.placed.vendor.example" || host === "login.discovered.vendor.example";
    if (!isHere || token === undefined) return { status: 404, body: {} };
    token.consent.ended = true;
    return { status: 200, body: {} };
  }

  #exchange({ kind, fields }: SeenTokenRequest): Answer {
    const consent = this.#codes.get(fields.code ?? "");
    this.#codes.delete(fields.code ?? "");
    if (consent?.kind !== kind) return { status: 400, body: { error: "invalid_grant" } };
    if (kind === "longlived") {
      const token = this.#newAccess(consent, HOUR, true);
      return { status: 200, body: { access_token: token, user_id: LARGE_ID } };
    }
    return this.#grant(consent, this.rules[kind].refresh === "none" ? undefined : this.#newRefresh(consent));
  }

  #renew({ kind, fields }: SeenTokenRequest): Answer {
    const rules = this.rules[kind];
    const token = this.#refresh.get(fields.refresh_token ?? "");
    const now = this.#now();
    const isIdle = token !== undefined && rules.idleMs !== undefined && now - token.usedAt >= rules.idleMs;
    if (token?.consent.kind !== kind || token.consent.ended || isIdle) {
      return { status: 400, body: { error: "invalid_grant" } };
    }
    if (token.spent) {
      // A token that is used twice may have been stolen: RFC 9700 section 4.14.2.
      token.consent.ended = true;
      return { status: 400, body: { error: "invalid_grant" } };
    }
    token.usedAt = now;
    token.spent = rules.refresh === "rotates";
    return this.#grant(token.consent, token.spent ? this.#newRefresh(token.consent) : undefined);
  }

  /** https://developers.facebook.com/docs/threads/get-started/long-lived-tokens */
  #longLived({ method, path, fields }: SeenTokenRequest): Answer {
    const isExchange = path === "/access_token" && fields.grant_type === "th_exchange_token";
    const isRenewal = path === "/refresh_access_token" && fields.grant_type === "th_refresh_token";
    if (method !== "GET" || !(isExchange || isRenewal)) return graphError("Unsupported request", 100);
    if (isExchange && fields.client_secret !== vendorClient.secret)
      return graphError("Error validating client secret", 1);
    const token = this.#access.get(fields.access_token ?? "");
    if (token === undefined || !this.#lives(token)) {
      return graphError(`Error validating access token: Session has expired: ${fields.access_token}`);
    }
    if ((token.isShort === true) !== isExchange) return graphError("Unsupported token", 100);
    if (isRenewal && this.#now() - token.obtainedAt < DAY) return graphError("The token is too young", 100);
    const lifetimeMs = this.rules.longlived.lifetimeMs ?? Number.POSITIVE_INFINITY;
    const next = this.#newAccess(token.consent, lifetimeMs);
    return {
      status: 200,
      body: { access_token: next, token_type: "bearer", expires_in: lifetimeMs / SECOND },
    };
  }

  #grant(consent: Consent, refreshToken: string | undefined): Answer {
    const { lifetimeMs, tells } = this.rules[consent.kind];
    const token = this.#newAccess(consent, lifetimeMs ?? Number.POSITIVE_INFINITY);
    const told = { seconds: 1 / SECOND, milliseconds: 1, text: 1 / SECOND, nothing: undefined }[tells];
    const expiresIn = told === undefined || lifetimeMs === undefined ? undefined : lifetimeMs * told;
    return {
      status: 200,
      body: {
        access_token: token,
        token_type: "bearer",
        ...(expiresIn === undefined ? {} : { expires_in: tells === "text" ? String(expiresIn) : expiresIn }),
        ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
        ...(consent.kind === "placed" ? { api_host: "https://eu1.placed.vendor.example" } : {}),
      },
    };
  }

  #newAccess(consent: Consent, lifetimeMs: number, isShort = false): string {
    const token = secret("access");
    const obtainedAt = this.#now();
    this.#access.set(token, {
      consent,
      obtainedAt,
      endsAt: obtainedAt + lifetimeMs,
      ...(isShort ? { isShort } : {}),
    });
    return token;
  }

  #newRefresh(consent: Consent): string {
    const token = secret("refresh");
    this.#refresh.set(token, { consent, usedAt: this.#now(), spent: false });
    return token;
  }
}

const ISSUER = "https://cloud.discovered.vendor.example";

/** An id beyond 2^53. JSON.stringify cannot write such a number, so tests use a text. */
const LARGE_ID = "17841405793187218";

/** Contains characters that are encoded differently in a query and in a form. */
const secret = (what: string): string => `${what}+${randomBytes(15).toString("base64")}/=`;

function kindOf(host: string): VendorKind | undefined {
  const label = host
    .replace(/:\d+$/, "")
    .replace(/\.vendor\.example$/, "")
    .replace(/^(?:graph|acme|eu1|cloud|login)\./, "");
  return label in RULES ? (label as VendorKind) : undefined;
}

function fieldsOf(query: URLSearchParams, body: string, contentType: string): Record<string, string> {
  if (body === "") return Object.fromEntries(query);
  return contentType.startsWith("application/json")
    ? (JSON.parse(body) as Record<string, string>)
    : Object.fromEntries(new URLSearchParams(body));
}
