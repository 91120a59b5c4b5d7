import type { Grants } from "../authorization/grants.ts";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import { bearerOf, type VendorRequest } from "../http/request.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import type { ItemAction, SwitchBoard } from "../kit/switches.ts";
import type { DriveAccount } from "./drive-account.ts";
import type { DriveAccounts } from "./drive-accounts.ts";
import { DriveError, insufficientScope, invalidCredentials, invalidValue, noCredentials } from "./errors.ts";
import { applyFields, checkFields, parseFields } from "./field-mask.ts";

/** The caller's account, the request and its path variables. */
export interface Caller {
  readonly account: DriveAccount;
  readonly request: VendorRequest;
  /** The variables of the path, decoded. */
  readonly id: string;
  readonly inner: string;
  /** Origin of the links that a person opens. */
  readonly publicOrigin: string;
}

export interface DriveCall {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** `/drive/v3/files/{id}/permissions/{inner}` */
  readonly path: string;
  readonly access: "read" | "write";
  run(caller: Caller): Answer | Promise<Answer>;
}

const SCOPE = "https://www.googleapis.com/auth/drive";
const READ_SCOPES = ["", ".file", ".readonly", ".metadata", ".metadata.readonly"].map((end) => SCOPE + end);
const WRITE_SCOPES = ["", ".file"].map((end) => SCOPE + end);

/** Makes the server's endpoints from calls: routing, authentication and errors are the same for all. */
export function driveEndpoints(
  calls: readonly DriveCall[],
  grants: Grants,
  accounts: DriveAccounts,
  { publicOrigin, switches }: { publicOrigin: string; switches: SwitchBoard },
): Endpoint[] {
  const handle = async (request: VendorRequest): Promise<Answer> => {
    try {
      const { call, id, inner } = route(calls, request);
      const account = authenticate(request, call, grants, accounts);
      refuseItem(account, id, actionOf(call, request), switches);
      return await call.run({ account, request, id, inner, publicOrigin });
    } catch (error) {
      if (error instanceof DriveError) return error.toAnswer();
      throw error;
    }
  };
  return ["/drive/v3/", "/upload/drive/v3/"].map((path) => ({
    hosts: ["www.googleapis.com"],
    path,
    kind: "api" as const,
    handle,
  }));
}

/** @throws {DriveError} a switch refuses the action for items of this name */
function refuseItem(account: DriveAccount, id: string, action: ItemAction, switches: SwitchBoard): void {
  const node = account.tree.get(id);
  if (node === undefined || !switches.isRefused(node.name, action)) return;
  if (action === "copy")
    throw new DriveError(403, "cannotCopyFile", "This file cannot be copied by the user.");
  throw new DriveError(
    403,
    "insufficientFilePermissions",
    "The user does not have sufficient permissions for this file.",
  );
}

function actionOf({ method, path }: DriveCall, { query }: VendorRequest): ItemAction {
  if (method === "GET") return "read";
  if (method === "DELETE") return "delete";
  if (path.endsWith("/copy")) return "copy";
  return query.has("addParents") ? "move" : "write";
}

function route(
  calls: readonly DriveCall[],
  request: VendorRequest,
): { call: DriveCall; id: string; inner: string } {
  const method = request.method === "HEAD" ? "GET" : request.method;
  for (const call of calls) {
    const found = call.method === method ? match(call.path, request.path) : undefined;
    if (found !== undefined) return { call, id: found.id ?? "", inner: found.inner ?? "" };
  }
  throw new DriveError(404, "notFound", "Not Found");
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return undefined;
  const variables: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined) {
      if (part !== value) return undefined;
    } else {
      if (value === "") return undefined;
      variables[name] = decoded(value);
    }
  }
  return variables;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new DriveError(400, "badRequest", "Bad Request");
  }
}

function authenticate(
  request: VendorRequest,
  call: DriveCall,
  grants: Grants,
  accounts: DriveAccounts,
): DriveAccount {
  const token = bearerOf(request);
  if (token === undefined) throw noCredentials();
  const known = grants.check(token);
  const account = known.state === "valid" ? accounts.find(known.grant.login) : undefined;
  if (known.state !== "valid" || account === undefined) throw invalidCredentials();
  request.note({ account: account.login });
  const scopes = call.access === "read" ? READ_SCOPES : WRITE_SCOPES;
  if (!scopes.some((scope) => known.grant.scopes.includes(scope))) throw insufficientScope();
  return account;
}

/** A JSON answer with only the `fields` that the request asks for. */
export function maskedAnswer(
  request: VendorRequest,
  value: unknown,
  defaults: string,
  known: ReadonlySet<string>,
): Answer {
  const mask = parseFields(request.query.get("fields") || defaults);
  checkFields(mask, known);
  return jsonAnswer(200, applyFields(value, mask), { "Content-Type": "application/json; charset=UTF-8" });
}

/** Returns the body as an object. @throws {DriveError} parseError */
export async function jsonBody(request: VendorRequest): Promise<Record<string, unknown>> {
  return objectOf((await request.body()).toString("utf8"));
}

export function objectOf(text: string): Record<string, unknown> {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // The throw below also handles this error.
  }
  throw new DriveError(400, "parseError", "Parse Error");
}

/** @throws {DriveError} the value is not a whole number from 1 to `max` */
export function numberParameter(request: VendorRequest, name: string, fallback: number, max: number): number {
  const text = request.query.get(name);
  if (text === null || text === "") return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) throw invalidValue(name);
  return value;
}
