import { LinkspanError } from "../../../errors.ts";
import { VendorUnreachable } from "../../../vendor-http.ts";
import type { CallRequest, VendorCall } from "../../vendor-call.ts";
import { refusalBody } from "../../vendor-failure.ts";

/*
 * https://www.dropbox.com/developers/documentation/http/documentation
 * RPC calls carry JSON to api.dropboxapi.com; calls with bytes carry their JSON in a header to content.dropboxapi.com.
 */
export const API = "https://api.dropboxapi.com/2";
const CONTENT = "https://content.dropboxapi.com/2";

/** Every call is a POST; these change nothing, so they may be sent again. */
const READS: ReadonlySet<string> = new Set([
  "files/download",
  "files/export",
  "files/get_metadata",
  "files/list_folder",
  "files/list_folder/continue",
  "files/list_revisions",
  "files/search_v2",
  "files/search/continue_v2",
  "sharing/list_shared_links",
  "users/get_current_account",
  "users/get_space_usage",
]);

function repeatable(name: string): Pick<CallRequest, "repeatable"> {
  return READS.has(name) ? { repeatable: true } : {};
}

export function rpc<T>(call: VendorCall, name: string, argument: unknown): Promise<T> {
  return call.json<T>({ method: "POST", url: `${API}/${name}`, json: argument, ...repeatable(name) });
}

/** A call whose request or answer has the bytes of a file. */
export function contentCall(
  name: string,
  argument: unknown,
  headers: CallRequest["headers"] = [],
): CallRequest {
  return {
    method: "POST",
    url: `${CONTENT}/${name}`,
    ...repeatable(name),
    headers: [["Dropbox-API-Arg", headerJson(argument)], ...headers],
  };
}

/** JSON for a header: "HTTP header safe JSON", in which every character that is not printable ASCII is escaped. */
function headerJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A union of Dropbox's: its tag, and under the tag's name the value of that member. */
export interface Tagged {
  readonly ".tag"?: string;
  readonly [member: string]: unknown;
}

/** The `error` of the refusal that an error was made from. @returns undefined: it was made from no refusal of Dropbox's */
export function errorOf(thrown: unknown): Tagged | undefined {
  return taggedError(refusalBody(thrown));
}

/** "Endpoint-specific errors": https://www.dropbox.com/developers/documentation/http/documentation#error-handling */
export function taggedError(body: unknown): Tagged | undefined {
  const error = (body as { error?: unknown } | undefined)?.error;
  return typeof error === "object" && error !== null ? (error as Tagged) : undefined;
}

/** Whether a change may have happened although it failed: no answer, or one that tells nothing. */
export function mayHaveHappened(thrown: unknown): boolean {
  if (thrown instanceof VendorUnreachable) return thrown.sent;
  return !(thrown instanceof LinkspanError) || thrown.status >= 500;
}
