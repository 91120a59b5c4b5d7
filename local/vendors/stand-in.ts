import type { Clock } from "../clock.ts";
import type { SwitchBoard } from "./kit/switches.ts";

/** An OAuth app that is registered at a stand-in, as at the vendor's developer console. */
export interface StandInApp {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Compared exactly. */
  readonly redirectUris: readonly string[];
  /** The app's name on the consent page. */
  readonly name?: string;
}

/** The kind of endpoint that a request was sent to; a fault may apply to one kind. */
export type EndpointKind = "authorization" | "token" | "revocation" | "api" | "page";

/**
 * One request that a stand-in received. Token values are never stored, only their SHA-256 (base64url, first
 * 12 characters).
 */
export interface SeenRequest {
  readonly method: string;
  readonly host: string;
  /** Raw path, without the query. */
  readonly path: string;
  /** Raw query without `?`; secret values are replaced by their hash. */
  readonly query: string;
  /** 0 until an answer is sent; it stays 0 if a fault broke the connection before the answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
  readonly endpoint: EndpointKind;
  /** ISO 8601, by the stand-in's clock. */
  readonly at: string;
  /** Login of the account whose token or code the request had, if the stand-in recognised it. */
  readonly account?: string;
  /** `grant_type` of a token request. */
  readonly grantType?: string;
}

/** How the next answers shall fail. */
export interface StandInFault {
  /** Applies to requests whose path starts with this text; default all. */
  readonly path?: string;
  /** Applies to requests with this method only; default all methods. */
  readonly method?: string;
  /** Applies to requests of this kind only; default all kinds. */
  readonly endpoint?: EndpointKind;
  /** Number of requests; default 1. */
  readonly count?: number;
  /**
   * Answers with this status (and body, content type, headers) and does not act. Without `body`: the
   * vendor's own answer for this status.
   */
  readonly status?: number;
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Real milliseconds to wait before the request is handled. */
  readonly delayMs?: number;
  /**
   * `before`: breaks the connection without acting; `after`: acts, then breaks the connection without an
   * answer; `middle`: breaks it after half of the body; `never`: accepts the request and never answers.
   */
  readonly reset?: "before" | "after" | "middle" | "never";
  /**
   * Sends the body in pieces of `bytesPerChunk` bytes, with a pause of `pauseMs` real milliseconds after
   * each piece.
   */
  readonly slowBody?: { readonly bytesPerChunk: number; readonly pauseMs: number };
  /**
   * Sends `afterBytes` bytes of the body, and the rest after `releaseHeldBodies()`. Without a release
   * within 60 s the connection breaks.
   */
  readonly holdBody?: { readonly afterBytes: number };
}

/** An account of a stand-in. */
export interface StandInAccount {
  /** The text that the person types on the login page. */
  readonly login: string;
  readonly name: string;
  readonly email: string;
}

/** A file or folder of a tree, for tests and the console, which read the tree without the vendor's API. */
export interface StandInEntry {
  /** Path from the root, with `/` before each name. */
  readonly path: string;
  readonly directory: boolean;
  readonly size: number;
}

/**
 * What a vendor refuses for one file alone: `copy`: copying it; `downloads`: its bytes were downloaded too often; `export`: it is too
 * large to be exported; `malware`: it is marked, and is downloaded only by its owner, who acknowledges this.
 */
export type StandInRestriction = "copy" | "downloads" | "export" | "malware";

/**
 * Items that not every vendor has, put into an account without the vendor's API; each call returns the vendor's id. A restart
 * loses what other people share, and shared drives.
 */
export interface StandInPlaces {
  /** A file that another person shares with the account, in none of its folders. */
  addShared(login: string, name: string, content: string): string;
  /** A folder of another person, with one file in it. */
  addSharedFolder?(login: string, name: string, file: string): { folder: string; file: string };
  /** A shared drive with one file in it. */
  addSharedDrive?(login: string, name: string, file: string): { drive: string; file: string };
  /** Makes the account a member of a team, whose space has this folder beside the account's own; with one file in it. */
  addTeamSpace?(login: string, folder: string, file: string): { folder: string; file: string };
  /** A document of the vendor's own editors in the account's root folder: it has no bytes, and is exported. */
  addDocument?(login: string, name: string, text: string): string;
  /** In the account's root folder, to a file or folder. */
  addShortcut?(login: string, name: string, targetId: string): string;
  /** From now on, a search of all shared drives leaves them out, and says that it is incomplete. */
  leaveDrivesOut?(login: string, leaves: boolean): void;
  /** A restart loses the restriction. */
  restrict?(login: string, id: string, restriction: StandInRestriction): void;
}

/** A vendor stand-in: a server with its own accounts, OAuth and file trees. */
export interface StandIn {
  /** Key of the connector whose vendor it stands in for. */
  readonly connector: string;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** The vendor hosts that it answers for: `api.dropboxapi.com`, … */
  readonly hosts: readonly string[];
  /** A page for people, on its own server: the app's registration, its accounts, recent requests, and buttons for the controls. */
  readonly consoleUrl: string;
  readonly app: StandInApp;
  /** Registers one more redirect URI. */
  allowRedirect(uri: string): void;
  /** Adds an account with an empty tree. */
  addAccount(account: StandInAccount): void;
  readonly accounts: readonly StandInAccount[];
  /** Puts a file and its parent folders into an account's tree, without the vendor's API. */
  addFile(login: string, path: string, content: string | Uint8Array): void;
  /**
   * Puts a file of any size into an account's tree. Its bytes are generated when they are read
   * (`generatedBytes` in content.ts), so it needs no memory.
   */
  addGeneratedFile(login: string, path: string, size: number): void;
  readonly places: StandInPlaces;
  /** The account's whole tree, sorted by path. */
  entries(login: string): readonly StandInEntry[];
  // ---- controls (also over HTTP, loopback only, below /_control)
  /** Ends the access tokens of an account (or of all): API calls with them answer 401 from now on. */
  expireAccessTokens(login?: string): void;
  /** Ends the grants of an account (or of all): refreshes answer invalid_grant. */
  revokeGrants(login?: string): void;
  /** Lifetime of access tokens issued from now on, in seconds. */
  setAccessTokenLifetime(seconds: number): void;
  fail(fault: StandInFault): void;
  /** The fault with which the vendor gives up a list's cursor that is still in use. Absent: it never does. */
  readonly lostCursor?: StandInFault;
  /** What the vendor does only sometimes: short pages, rate limits, slow operations, a late search, refused items. */
  readonly switches: SwitchBoard;
  clearFaults(): void;
  /** Continues the bodies that a `holdBody` fault stopped. */
  releaseHeldBodies(): void;
  /** Requests since the start or the last clear, oldest first, at most 1000. */
  requests(): readonly SeenRequest[];
  clearRequests(): void;
  /** Number of token requests of a grant type since the start or the last clear. */
  tokenRequests(grantType: "authorization_code" | "refresh_token"): number;
  /**
   * Number of living grants with a refresh token, and of access tokens that are valid now: for tests that
   * no grant is left behind.
   */
  living(login?: string): { grants: number; accessTokens: number };
  /**
   * The same server and accounts for another connector of the vendor, with its own app: a connector for teams has the hosts of
   * the one for users. Closing it does nothing. Absent: the vendor has one connector.
   */
  share?(connector: string, app: StandInApp): StandIn;
  /** Breaks all connections, and stores the state. */
  close(): Promise<void>;
}

export interface StandInOptions {
  readonly clock: Clock;
  readonly app: StandInApp;
  /** 0: any free port. */
  readonly port?: number;
  /**
   * Folder in which accounts, files and grants survive a restart. Default: everything is only in memory.
   */
  readonly dataFolder?: string;
  /** The demo app's address, to which the console links. */
  readonly home?: string;
}
