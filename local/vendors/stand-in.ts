import type { Clock } from "../clock.ts";

/** An OAuth app registered at a stand-in, as one would at the vendor's developer console. */
export interface StandInApp {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Compared exactly. */
  readonly redirectUris: readonly string[];
  /** What the consent page calls it. */
  readonly name?: string;
}

/** What a request was for; faults can be aimed at one of these. */
export type EndpointKind = "authorization" | "token" | "revocation" | "api" | "page";

/** One request that a stand-in saw. Token values are never kept, only their SHA-256 (base64url, first 12 characters). */
export interface SeenRequest {
  readonly method: string;
  readonly host: string;
  /** Raw path, without the query. */
  readonly path: string;
  /** Raw query without `?`; values that are secrets are replaced by their hash. */
  readonly query: string;
  /** 0 as long as no answer was sent, and for good where a fault broke the connection before one. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
  readonly endpoint: EndpointKind;
  /** ISO 8601, by the stand-in's clock. */
  readonly at: string;
  /** Login of the account whose token or code was presented, where one was recognised. */
  readonly account?: string;
  /** `grant_type` of a token request. */
  readonly grantType?: string;
}

/** How the next answers are to go wrong. */
export interface StandInFault {
  /** Applies to requests whose path begins so; default all. */
  readonly path?: string;
  /** Applies to requests of this kind only; default all kinds. */
  readonly endpoint?: EndpointKind;
  /** How many requests; default 1. */
  readonly count?: number;
  /** Answer with this status (and body, content type, headers) instead of doing anything. Without `body`: the vendor's own for this status. */
  readonly status?: number;
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Wait so long, in real milliseconds, before the answer's first byte. */
  readonly delayMs?: number;
  /** `before`: break the connection without acting; `after`: act, then break it without an answer; `middle`: break after half of the body; `never`: accept and never answer. */
  readonly reset?: "before" | "after" | "middle" | "never";
  /** Send the body in pieces of so many bytes, with a pause of real milliseconds after each. */
  readonly slowBody?: { readonly bytesPerChunk: number; readonly pauseMs: number };
  /** Send so many bytes of the body, and the rest only after `releaseHeldBodies()` (60 s at most, then the connection breaks). */
  readonly holdBody?: { readonly afterBytes: number };
}

/** An account of a stand-in. */
export interface StandInAccount {
  /** What its person types at the login page. */
  readonly login: string;
  readonly name: string;
  readonly email: string;
}

/** A file or folder, as tests and the console look at a tree from outside the vendor's API. */
export interface StandInEntry {
  /** From the root, with `/` before each name. */
  readonly path: string;
  readonly directory: boolean;
  readonly size: number;
}

/** A vendor stand-in: a server of its own, with its own accounts, OAuth and file tree. */
export interface StandIn {
  /** Connector key that it stands in for. */
  readonly connector: string;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** The vendor hosts that it answers for: `api.dropboxapi.com`, … */
  readonly hosts: readonly string[];
  /** A page for people, on its own server: the app's registration, its accounts, recent requests, and buttons for the controls. */
  readonly consoleUrl: string;
  readonly app: StandInApp;
  /** Registers a redirect URI more. */
  allowRedirect(uri: string): void;
  /** Adds an account with an empty tree; `login` is what its person types at the login page. */
  addAccount(account: StandInAccount): void;
  readonly accounts: readonly StandInAccount[];
  /** Puts a file into an account's tree, parent folders included, beside the vendor's API. */
  addFile(login: string, path: string, content: string | Uint8Array): void;
  /** Puts a file of any size there whose bytes are made as they are read (`generatedBytes` in content.ts): no memory. */
  addGeneratedFile(login: string, path: string, size: number): void;
  /** The account's whole tree, sorted by path. */
  entries(login: string): readonly StandInEntry[];
  // ---- controls (also by HTTP, loopback only, below /_control)
  /** Ends the access tokens of an account (or all): they answer 401 from now on. */
  expireAccessTokens(login?: string): void;
  /** Ends the grants of an account (or all): refresh tokens answer invalid_grant. */
  revokeGrants(login?: string): void;
  /** Lifetime of access tokens issued from now on, in seconds. */
  setAccessTokenLifetime(seconds: number): void;
  fail(fault: StandInFault): void;
  clearFaults(): void;
  /** Lets bodies go on that a `holdBody` fault stopped. */
  releaseHeldBodies(): void;
  /** Requests seen since the start or the last clear, oldest first, at most 1000. */
  requests(): readonly SeenRequest[];
  clearRequests(): void;
  /** How many token requests of a kind were seen since the start or the last clear. */
  tokenRequests(grantType: "authorization_code" | "refresh_token"): number;
  /** How many grants live, and access tokens that are valid now: for tests that nothing living is left behind. */
  living(login?: string): { grants: number; accessTokens: number };
  /** Ends all sockets at once, and keeps what is to be kept. */
  close(): Promise<void>;
}

export interface StandInOptions {
  readonly clock: Clock;
  readonly app: StandInApp;
  /** 0: any free port. */
  readonly port?: number;
  /** Where accounts, files and grants are kept over a restart. Default: nowhere, all of it is in memory. */
  readonly dataFolder?: string;
}
