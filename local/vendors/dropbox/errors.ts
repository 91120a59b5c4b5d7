import type { files } from "dropbox";
import { type Answer, jsonAnswer, textAnswer } from "../http/answer.ts";

/** An error that an endpoint documents: 409 with a tagged union. */
export class EndpointError extends Error {
  readonly error: Tagged;
  constructor(error: Tagged) {
    super(summaryOf(error));
    this.error = error;
  }
}

/** A request that does not fit the endpoint: 400 in plain text. */
export class BadInput extends Error {}

export interface Tagged {
  readonly ".tag": string;
}

/** https://www.dropbox.com/developers/documentation/http/documentation#error-handling */
export function endpointErrorAnswer(error: EndpointError): Answer {
  return jsonAnswer(409, { error_summary: `${error.message}/${dots()}`, error: error.error });
}

export function badInputAnswer(call: string, text: string): Answer {
  return textAnswer(400, `Error in call to API function "${call}": ${text}`);
}

/** `invalid_access_token`, `expired_access_token`, `missing_scope` … */
export function unauthorizedAnswer(error: Tagged): Answer {
  return jsonAnswer(401, { error_summary: `${error[".tag"]}/${dots()}`, error });
}

/** The vendor's answer for a status that a test asks for. */
export function statusAnswer(status: number): Answer {
  if (status === 401) return unauthorizedAnswer({ ".tag": "expired_access_token" });
  if (status === 429) {
    const error = { reason: { ".tag": "too_many_requests" }, retry_after: 1 };
    return jsonAnswer(429, { error_summary: `too_many_requests/${dots()}`, error }, { "Retry-After": "1" });
  }
  if (status === 409) return endpointErrorAnswer(new EndpointError({ ".tag": "other" }));
  return textAnswer(status, status >= 500 ? "Internal Server Error" : "Bad Request");
}

type LookupTag = files.LookupError[".tag"];
export const lookup = (tag: LookupTag): files.LookupError => ({ ".tag": tag }) as files.LookupError;

/** Sent without the value that the SDK's types require (the value is documented as nullable). */
export const MALFORMED_PATH = { ".tag": "malformed_path" } as files.WriteError;

export function pathError(tag: LookupTag): EndpointError {
  return new EndpointError({ ".tag": "path", path: lookup(tag) } as Tagged);
}

export function conflict(tag: files.WriteConflictError[".tag"]): files.WriteError {
  return { ".tag": "conflict", conflict: { ".tag": tag } as files.WriteConflictError };
}

/**
 * Tags of unions from the outer to the inner one, joined by slashes. A struct inside (`metadata`) also has
 * a tag, but this tag is its type.
 */
function summaryOf(error: Tagged): string {
  const inner =
    (error as unknown as Record<string, unknown>)[error[".tag"]] ?? (error as { reason?: unknown }).reason;
  return isTagged(inner) && error[".tag"] !== "metadata"
    ? `${error[".tag"]}/${summaryOf(inner)}`
    : error[".tag"];
}

function isTagged(value: unknown): value is Tagged {
  return typeof value === "object" && value !== null && typeof (value as Tagged)[".tag"] === "string";
}

let summaries = 0;
/**
 * The documentation warns that a summary may end in any text: clients must not compare the whole summary.
 */
function dots(): string {
  summaries += 1;
  return ".".repeat(summaries % 4);
}
