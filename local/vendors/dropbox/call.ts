import * as v from "valibot";
import type { Grants } from "../authorization/grants.ts";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import { bearerOf, type VendorRequest } from "../http/request.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import { memberIdOf } from "./account-ids.ts";
import type { DropboxAccount } from "./dropbox-account.ts";
import type { DropboxAccounts } from "./dropbox-accounts.ts";
import {
  BadInput,
  badInputAnswer,
  EndpointError,
  endpointErrorAnswer,
  type Tagged,
  unauthorizedAnswer,
} from "./errors.ts";

import { absolute, relative, rootOf, WrongRoot, wrongRootAnswer } from "./path-root.ts";

/** The caller's account and the request. */
export interface Caller {
  readonly account: DropboxAccount;
  readonly request: VendorRequest;
}

/** One endpoint of the API, in one of the three styles of the documentation. */
export interface ApiCall {
  readonly style: "rpc" | "upload" | "download";
  /** A call for a team's token. Absent: for a user's token, or a team's that names a member. */
  readonly auth?: "team";
  /** Absent: every valid token is accepted. */
  readonly scope?: string;
  run(caller: Caller, input: unknown): Answer | Promise<Answer>;
}

export type ApiCalls = Readonly<Record<string, ApiCall>>;

const HOSTS = {
  rpc: "api.dropboxapi.com",
  upload: "content.dropboxapi.com",
  download: "content.dropboxapi.com",
};

/** An RPC endpoint: JSON in, JSON out. */
export function rpc<const Schema extends v.GenericSchema>(
  scope: string,
  schema: Schema,
  run: (caller: Caller, input: v.InferOutput<Schema>) => unknown,
): ApiCall {
  return {
    style: "rpc",
    scope,
    run: async (caller, input) =>
      jsonAnswer(200, (await run(caller, parse(schema, input, "request body"))) ?? null),
  };
}

/** A content endpoint: arguments in `Dropbox-API-Arg`. */
export function content<const Schema extends v.GenericSchema>(
  style: "upload" | "download",
  scope: string,
  schema: Schema,
  run: (caller: Caller, input: v.InferOutput<Schema>) => Answer | Promise<Answer>,
): ApiCall {
  return {
    style,
    scope,
    run: (caller, input) => run(caller, parse(schema, input, 'HTTP header "Dropbox-API-Arg"')),
  };
}

/**
 * An endpoint of notify.dropboxapi.com that uses no credential and refuses one (text:
 * https://github.com/dropbox/dropbox-sdk-java/issues/35).
 */
export function bareEndpoint<const Schema extends v.GenericSchema>(
  name: string,
  schema: Schema,
  run: (input: v.InferOutput<Schema>) => unknown,
): Endpoint {
  return {
    hosts: ["notify.dropboxapi.com"],
    path: `/2/${name}`,
    kind: "api",
    handle: (request) =>
      answering(name, async () => {
        if (request.method !== "POST") return badMethod(name, request.method);
        if (request.header("authorization") !== undefined) {
          throw new BadInput(
            "Your request includes an Authorization header, but this function does not use it.",
          );
        }
        return jsonAnswer(200, await run(parse(schema, await bodyArgument(request), "request body")));
      }),
  };
}

/** Makes the server's endpoints from calls: authentication, arguments and errors are the same for all. */
export function apiEndpoints(
  calls: ApiCalls,
  grants: Grants,
  accounts: DropboxAccounts,
  isTeamApp: (clientId: string) => boolean,
): Endpoint[] {
  return Object.entries(calls).map(([name, call]) => ({
    hosts: [HOSTS[call.style]],
    path: `/2/${name}`,
    kind: name === "auth/token/revoke" ? "revocation" : "api",
    handle: (request) => answering(name, () => serve(name, call, request, { grants, accounts, isTeamApp })),
  }));
}

/** Turns refusals into the vendor's answers. */
async function answering(name: string, act: () => Promise<Answer>): Promise<Answer> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof EndpointError) return endpointErrorAnswer(error);
    if (error instanceof BadInput) return badInputAnswer(name, error.message);
    if (error instanceof WrongRoot) return wrongRootAnswer(error);
    throw error;
  }
}

function badMethod(name: string, method: string): Answer {
  return badInputAnswer(name, `Your request used an unsupported HTTP method: ${method}.`);
}

async function serve(
  name: string,
  call: ApiCall,
  request: VendorRequest,
  {
    grants,
    accounts,
    isTeamApp,
  }: { grants: Grants; accounts: DropboxAccounts; isTeamApp: (clientId: string) => boolean },
): Promise<Answer> {
  // Content-download endpoints also accept GET (HTTP documentation, "Content-download endpoints").
  if (request.method !== "POST" && !(call.style === "download" && /^(GET|HEAD)$/.test(request.method))) {
    return badMethod(name, request.method);
  }
  const token = bearerOf(request);
  if (token === undefined) {
    const header = request.header("authorization");
    return badInputAnswer(
      name,
      header === undefined
        ? 'Must provide HTTP header "Authorization" or URL parameter "authorization".'
        : 'Invalid authorization value in HTTP header "Authorization". Expecting "Bearer <your access token>".',
    );
  }
  const known = grants.check(token);
  if (known.state === "expired") return unauthorizedAnswer({ ".tag": "expired_access_token" });
  const account = known.state === "valid" ? accounts.find(known.grant.login) : undefined;
  if (known.state !== "valid" || account === undefined) {
    return unauthorizedAnswer({ ".tag": "invalid_access_token" });
  }
  request.note({ account: account.login });
  if (call.scope !== undefined && !known.grant.scopes.includes(call.scope)) {
    const missing = { ".tag": "missing_scope", required_scope: call.scope };
    return unauthorizedAnswer(missing);
  }
  const acting = isTeamApp(known.grant.clientId)
    ? memberOf(call, request, known.grant.scopes, accounts, account)
    : userOf(call, account);
  if ("status" in acting) return acting;
  const base = rootOf(request, acting);
  const argument = call.style === "rpc" ? await bodyArgument(request) : headerArgument(call, request);
  return relative(await call.run({ account: acting, request }, absolute(name, argument, base)), base);
}

/** @throws {BadInput} text: https://github.com/dropbox/dropbox-sdk-dotnet/issues/22 */
function userOf(call: ApiCall, account: DropboxAccount): DropboxAccount {
  if (call.auth !== "team") return account;
  throw new BadInput(
    "This is a DfB team management function.  The OAuth 2 access token you provided is for a specific Dropbox user account and does not work with this function.",
  );
}

/**
 * The member for whom a team's token acts; in calls about the team, the admin.
 * @throws {BadInput} text: https://github.com/watermint/toolbox/issues/18
 */
function memberOf(
  call: ApiCall,
  request: VendorRequest,
  scopes: readonly string[],
  accounts: DropboxAccounts,
  admin: DropboxAccount,
): DropboxAccount | Answer {
  if (call.auth === "team") return admin;
  if (!scopes.includes("team_data.member"))
    return unauthorizedAnswer({ ".tag": "missing_scope", required_scope: "team_data.member" } as Tagged);
  const selected = request.header("dropbox-api-select-user");
  if (selected === undefined) {
    throw new BadInput(
      'This API function operates on a single Dropbox account, but the OAuth 2 access token you provided is for an entire Dropbox Business team.  Since your API app key has team member file access permissions, you can operate on a team member\'s Dropbox by providing the "Dropbox-API-Select-User" HTTP header or "select_user" URL parameter to specify the exact user <https://www.dropbox.com/developers/documentation/http/teams>.',
    );
  }
  const member = [...accounts.all()].find(({ login }) => memberIdOf(login) === selected);
  return member ?? unauthorizedAnswer({ ".tag": "invalid_select_user" });
}

async function bodyArgument(request: VendorRequest): Promise<unknown> {
  const text = (await request.body()).toString("utf8");
  const type = request.header("content-type");
  if (text === "") return null;
  if (!/^(application\/json(; *charset=utf-8)?|text\/plain; *charset=dropbox-cors-hack)$/i.test(type ?? "")) {
    throw new BadInput(
      `Bad HTTP "Content-Type" header: "${type ?? ""}". Expecting one of "application/json", "application/json; charset=utf-8", "text/plain; charset=dropbox-cors-hack".`,
    );
  }
  return decode(text, "request body");
}

function headerArgument(call: ApiCall, request: VendorRequest): unknown {
  const type = request.header("content-type");
  const allowed =
    call.style === "upload"
      ? /^(application\/octet-stream|text\/plain; *charset=dropbox-cors-hack)$/i
      : /^(|text\/plain(; *charset=utf-8)?|application\/octet-stream)$/i;
  if (!allowed.test(type ?? "")) {
    throw new BadInput(
      `Bad HTTP "Content-Type" header: "${type ?? ""}". Expecting one of "application/octet-stream", "text/plain; charset=dropbox-cors-hack".`,
    );
  }
  const header = request.header("dropbox-api-arg") ?? request.query.get("arg");
  if (header === null)
    throw new BadInput('Must provide HTTP header "Dropbox-API-Arg" or URL parameter "arg".');
  // "JSON encoding": characters from 0x7f on must be escaped in a header.
  if (/[^\x20-\x7e]/.test(header) && request.header("dropbox-api-arg") !== undefined) {
    throw new BadInput('HTTP header "Dropbox-API-Arg": could not decode input as JSON');
  }
  return decode(header, 'HTTP header "Dropbox-API-Arg"');
}

function decode(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadInput(`${where}: could not decode input as JSON`);
  }
}

/** @throws {BadInput} with the API's own text */
function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
  where: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = issue.path?.map((part) => String(part.key)).join(".") ?? "";
  if (issue.expected === "never") throw new BadInput(`${where}: unknown field '${field}'`);
  if (issue.received === "undefined") throw new BadInput(`${where}: missing required field '${field}'`);
  throw new BadInput(
    `${where}: ${field === "" ? "" : `${field}: `}expected ${issue.expected}, got ${issue.received}`,
  );
}
