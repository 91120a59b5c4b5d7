import * as v from "valibot";
import type { Grant, Grants } from "../authorization/grants.ts";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import { bearerOf, type VendorRequest } from "../http/request.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import type { EndpointKind } from "../stand-in.ts";
import type { KitAccount } from "./account.ts";
import { matchPath, type PathTemplate, pathTemplate } from "./path-template.ts";
import { type TreeProblem, TreeRefused } from "./tree-refused.ts";

/** Everything that a vendor's API refuses. The vendor's code turns each into the vendor's own answer. */
export type Problem =
  | TreeProblem
  | { readonly kind: "no_token" | "bad_token" | "expired_token" | "unknown_call" }
  | { readonly kind: "missing_scope"; readonly scopes: readonly string[] }
  | { readonly kind: "wrong_method"; readonly allowed: readonly string[] }
  /** A body that is not JSON, or has another content type. */
  | { readonly kind: "not_json" | "media_type" }
  | {
      readonly kind: "invalid_input";
      readonly in: "query" | "body";
      /** `parent.id` */
      readonly field: string;
      readonly reason: "unknown" | "missing" | "invalid";
      readonly text: string;
    };

/** Thrown by a vendor's calls: an answer that ends the call. */
export class Refused extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(`HTTP ${answer.status}`);
    this.answer = answer;
  }
}

/** The account whose token the request has, and the request. */
export interface Caller<Own> {
  readonly account: KitAccount<Own>;
  readonly grant: Grant;
  readonly request: VendorRequest;
  /** The variables of the path template, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** One call of a vendor's API; make it with `call`. */
export interface ApiCall<Own> {
  readonly method: string;
  readonly template: PathTemplate;
  readonly hosts: readonly string[] | undefined;
  readonly scopes: readonly string[];
  readonly query: v.GenericSchema;
  readonly body: v.GenericSchema | undefined;
  run(caller: Caller<Own>, query: unknown, body: unknown): unknown;
}

const NO_QUERY = v.strictObject({});

/**
 * A call of the API.
 * @param route method, host if it is not the API's usual one, and path template: `GET /2.0/files/{id}`,
 *   `POST upload.box.com /api/2.0/files/content`
 * @param spec `scopes`: the token must have one of them; none: every token is accepted. `query` and `body`:
 *   schemas (strict ones, so that unknown fields are refused); without `query` no parameter is accepted;
 *   without `body` the body is not read
 * @param run returns an `Answer`, or a value that is answered as JSON with status 200
 */
export function call<
  Own,
  const Query extends v.GenericSchema = typeof NO_QUERY,
  const Body extends v.GenericSchema = v.GenericSchema<undefined>,
>(
  route: string,
  spec: { readonly scopes?: readonly string[]; readonly query?: Query; readonly body?: Body },
  run: (
    caller: Caller<Own>,
    input: { readonly query: v.InferOutput<Query>; readonly body: v.InferOutput<Body> },
  ) => unknown,
): ApiCall<Own> {
  const words = route.split(" ");
  const [method = "GET", path = "/"] = [words[0], words.at(-1)];
  return {
    method,
    template: pathTemplate(path),
    hosts: words.length > 2 ? words.slice(1, -1) : undefined,
    scopes: spec.scopes ?? [],
    query: spec.query ?? NO_QUERY,
    body: spec.body,
    run: (caller, query, body) =>
      run(caller, { query: query as v.InferOutput<Query>, body: body as v.InferOutput<Body> }),
  };
}

export interface ApiRules<Own> {
  readonly hosts: readonly string[];
  readonly calls: readonly ApiCall<Own>[];
  readonly grants: Grants;
  find(login: string): KitAccount<Own> | undefined;
  /** Called before each call: work that is due. */
  settle(): void;
  /** The access token of a request; absent: `Authorization: Bearer …`. */
  tokenOf?(request: VendorRequest): string | undefined;
  refuse(problem: Problem, request: VendorRequest): Answer;
}

/** The endpoint for all calls: routing, token, input and errors are the same for all. */
export function apiEndpoint<Own>(rules: ApiRules<Own>): Endpoint {
  return {
    hosts: [...new Set([...rules.hosts, ...rules.calls.flatMap((each) => each.hosts ?? [])])],
    path: "/",
    kind: "api",
    async handle(request) {
      try {
        return await serve(rules, request);
      } catch (error) {
        if (error instanceof Refused) return error.answer;
        if (error instanceof TreeRefused) return rules.refuse(error.problem, request);
        throw error;
      }
    },
  };
}

async function serve<Own>(rules: ApiRules<Own>, request: VendorRequest): Promise<Answer> {
  rules.settle();
  const refuse = (problem: Problem) => new Refused(rules.refuse(problem, request));
  const method = request.method === "HEAD" ? "GET" : request.method;
  const fitting = rules.calls
    .filter(({ hosts }) => isAt(hosts ?? rules.hosts, request.host))
    .map((each) => ({ each, parameters: matchPath(each.template, request.path) }))
    .filter(({ parameters }) => parameters !== undefined);
  const found = fitting.find(({ each }) => each.method === method);
  if (found === undefined) {
    const allowed = fitting.map(({ each }) => each.method);
    throw refuse(allowed.length === 0 ? { kind: "unknown_call" } : { kind: "wrong_method", allowed });
  }
  const { each, parameters = {} } = found;
  const token = (rules.tokenOf ?? bearerOf)(request);
  if (token === undefined) throw refuse({ kind: "no_token" });
  const known = rules.grants.check(token);
  const account = known.state === "valid" ? rules.find(known.grant.login) : undefined;
  if (known.state !== "valid" || account === undefined) {
    throw refuse({ kind: known.state === "expired" ? "expired_token" : "bad_token" });
  }
  request.note({ account: account.login });
  if (each.scopes.length > 0 && !each.scopes.some((scope) => known.grant.scopes.includes(scope))) {
    throw refuse({ kind: "missing_scope", scopes: each.scopes });
  }
  const query = parse(each.query, Object.fromEntries(request.query), "query", refuse);
  const body = each.body && parse(each.body, await jsonBody(request, refuse), "body", refuse);
  const result = await each.run({ account, grant: known.grant, request, parameters }, query, body);
  return isAnswer(result) ? result : jsonAnswer(200, result ?? null);
}

/** On the loopback address, which tests use without a Host header, the path alone decides. */
function isAt(hosts: readonly string[], host: string): boolean {
  return (
    host === "127.0.0.1" ||
    host === "localhost" ||
    hosts.some((each) => (each.startsWith("*.") ? host.endsWith(each.slice(1)) : each === host))
  );
}

async function jsonBody(request: VendorRequest, refuse: (problem: Problem) => Refused): Promise<unknown> {
  const text = (await request.body()).toString("utf8");
  if (text === "") return {};
  if (!/^application\/([\w.-]+\+)?json\b/i.test(request.header("content-type") ?? "")) {
    throw refuse({ kind: "media_type" });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw refuse({ kind: "not_json" });
  }
}

function parse(
  schema: v.GenericSchema,
  input: unknown,
  where: "query" | "body",
  refuse: (problem: Problem) => Refused,
): unknown {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = issue.path?.map((part) => String(part.key)).join(".") ?? "";
  const isMissing = issue.received === "undefined";
  const reason = issue.expected === "never" ? "unknown" : isMissing ? "missing" : "invalid";
  throw refuse({ kind: "invalid_input", in: where, field, reason, text: issue.message });
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && "status" in value && typeof value.status === "number";
}

/** A page or link without a token: a public link, a pre-signed download, the state of an operation. */
export function open(
  route: string,
  kind: EndpointKind,
  run: (request: VendorRequest, parameters: Readonly<Record<string, string>>) => Answer | Promise<Answer>,
): Endpoint {
  const [method = "GET", ...rest] = route.split(" ");
  const path = rest.at(-1) ?? "/";
  const template = pathTemplate(path);
  return {
    hosts: rest.slice(0, -1),
    path,
    kind,
    isFor: (request) => request.method === method || (method === "GET" && request.method === "HEAD"),
    async handle(request) {
      try {
        return await run(request, matchPath(template, request.path) ?? {});
      } catch (error) {
        if (error instanceof Refused) return error.answer;
        throw error;
      }
    },
  };
}

/** A whole number in a query parameter. */
export function integerText(least: number, most: number) {
  return v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number), v.minValue(least), v.maxValue(most));
}
