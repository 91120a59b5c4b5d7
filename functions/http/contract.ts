import type * as v from "valibot";
import type { ErrorCode } from "../core/error-codes.ts";
import { present } from "../core/present.ts";
import type { Parameters, Values } from "./parameter.ts";
import type { HttpRequest, HttpResponse } from "./request.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "ANY";

/**
 * The credentials that a call takes:
 * - `none`;
 * - `user`: `User …, Organization …`, or `Bearer <user secret>`;
 * - `userAndOrganization`: `User …, Organization …` alone;
 * - `optionalUser`: as `user`, or nothing;
 * - `instance`: an instance token, with or without the user's secrets;
 * - `instanceOfUser`: the user's secrets for the instance of the path, or that instance's token;
 * - `newestTokenOrUser`: the same, but no token that a rotation has replaced;
 * - `userOfInstance`: the user's secrets, with or without the instance's token;
 * - `userOrInstance`: the user's secrets, or an instance token for its own instance;
 * - `browser`: the cookie of a connect session;
 * - `vendorPlace`: an instance token at any place where the vendor takes its own credential (the proxy).
 */
export type Auth =
  | "none"
  | "user"
  | "userAndOrganization"
  | "optionalUser"
  | "instance"
  | "instanceOfUser"
  | "newestTokenOrUser"
  | "userOfInstance"
  | "userOrInstance"
  | "browser"
  | "vendorPlace";

/** The possible answer with one status: `json` by its schema, or other media types. */
export interface Answer {
  readonly description: string;
  readonly json?: v.GenericSchema;
  readonly mediaTypes?: readonly string[];
  /** Headers for callers: name -> meaning. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly example?: unknown;
}

/** One call of the API: its input, its answers and its documentation. */
export interface Contract {
  readonly method: Method;
  /**
   * All paths of the call, the usual one first: `/instances/{id}/token`. `{rest+}` at the end matches the
   * remainder of the path.
   */
  readonly paths: readonly [string, ...string[]];
  /** One line, for lists of calls. */
  readonly summary: string;
  readonly description?: string;
  /** Heading of the call in the documentation. */
  readonly group: string;
  readonly auth: Auth;
  readonly query?: Parameters;
  readonly body?: Body;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Error codes in addition to `commonErrors`, which every call may answer. */
  readonly errors?: readonly ErrorCode[];
  /** Action name of the call in the audit trail; absent: the call changes nothing. */
  readonly audit?: string;
  /**
   * False: this GET has an effect that a HEAD, which link scanners send, must not have. Absent: a GET answers
   * HEAD, too.
   */
  readonly head?: false;
  /** Another call replaces this one. */
  readonly deprecated?: true;
}

/** A JSON body by its schema, or bytes that the handler reads. */
export type Body =
  | { readonly json: v.GenericSchema; readonly example?: unknown }
  | { readonly mediaTypes: readonly string[]; readonly description: string };

/** The contracts of one function, by name: stable in metrics and documentation, lower case with dots. */
export type Contracts = Readonly<Record<string, Contract>>;

/** The input of a call, read and checked. */
export interface Input<C extends Contract, Caller = undefined> {
  readonly caller: Caller;
  readonly query: Values<C["query"]>;
  readonly body: C["body"] extends { readonly json: infer S extends v.GenericSchema }
    ? v.InferOutput<S>
    : undefined;
}

/** The JSON that a handler may answer with. */
type JsonOf<C extends Contract> = {
  [Status in keyof C["answers"]]: C["answers"][Status] extends {
    readonly json: infer S extends v.GenericSchema;
  }
    ? v.InferOutput<S>
    : never;
}[keyof C["answers"]];

export type Handle<C extends Contract, Caller = undefined> = (
  request: HttpRequest,
  input: Input<C, Caller>,
) => Promise<HttpResponse<JsonOf<C>>>;

/**
 * Functions that find the caller, one for each kind of credentials. For a kind that is missing here, the
 * handler finds the caller.
 */
export type Callers = Readonly<
  Partial<Record<Auth, (request: HttpRequest, route: Route) => Promise<unknown>>>
>;

type CallerOf<C extends Contract, Who> = C["auth"] extends keyof Who
  ? Who[C["auth"]] extends (...all: never) => Promise<infer Caller>
    ? Caller
    : undefined
  : undefined;

/** One path of one call, with its handler. */
export interface Route extends Omit<Contract, "paths"> {
  readonly path: string;
  readonly name: string;
  /** Finds the caller. @throws {LinkspanError} 401, 403, 404 */
  readonly whoCalls?: (request: HttpRequest, route: Route) => Promise<unknown>;
  readonly handle: (request: HttpRequest, input: Input<Contract, unknown>) => Promise<HttpResponse>;
}

/** Checks that a value holds contracts, and keeps its exact type. */
export function contracts<const C extends Contracts>(all: C): C {
  return all;
}

/**
 * The routes of a function: each contract with the handler of its name.
 * @param callers functions that find the caller, before query and body are read
 */
export function implement<const C extends Contracts, const Who extends Callers>(
  all: C,
  callers: Who,
  handlers: { readonly [Name in keyof C]: Handle<C[Name], CallerOf<C[Name], Who>> },
): Route[] {
  return Object.entries(all).flatMap(([name, { paths, ...contract }]) => {
    const whoCalls = callers[contract.auth];
    const handle = handlers[name] as unknown as Route["handle"];
    return paths.map((path) => ({
      ...contract,
      path,
      name,
      handle,
      ...(whoCalls === undefined ? {} : { whoCalls }),
    }));
  });
}

/** The answer of a successful call: 200 with JSON. */
export function ok<const S extends v.GenericSchema>(
  description: string,
  json: S,
  example?: unknown,
  headers?: Readonly<Record<string, string>>,
) {
  return { 200: { description, json, ...present({ example, headers }) } } as const;
}

/** Errors of any call that uses an instance's connection to its vendor. */
export const connectionErrors = [
  "unauthorized",
  "instance_disabled",
  "needs_reauthentication",
  "token_unavailable",
  "vendor_rate_limited",
  "vendor_answer_too_large",
  "vendor_unreachable",
  "vendor_unavailable",
  "vendor_timeout",
  "vendor_address_refused",
  "vendor_endpoint_unknown",
  "unusable_access_token",
  "unknown_app",
  "invalid_client",
  "unknown_instance",
  "key_service_unavailable",
  "not_found",
] as const satisfies readonly ErrorCode[];

/** Errors of reading a vendor's metadata document, for a connector that uses one. */
export const discoveryErrors = [
  "vendor_unreachable",
  "vendor_address_refused",
  "vendor_answer_too_large",
  "vendor_metadata_unusable",
] as const satisfies readonly ErrorCode[];

/** Errors of any call: thrown before its handler runs, or by a dependency of the handler. */
export const commonErrors = [
  "invalid_request",
  "unknown_path",
  "method_not_allowed",
  "payload_too_large",
  "refused_by_firewall",
  "too_many_requests",
  "tenant_limit_reached",
  "internal_error",
  "unavailable",
] as const satisfies readonly ErrorCode[];
