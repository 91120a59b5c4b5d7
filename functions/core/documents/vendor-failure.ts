import { cutSecrets } from "../cut-secrets.ts";
import type { ErrorCode } from "../error-codes.ts";
import { InvalidRequest, LinkspanError, VendorError } from "../errors.ts";
import { present } from "../present.ts";
import { retryAfterMs } from "../retry-after.ts";
import type { VendorResponse } from "../vendor-http.ts";

/** The reasons of a vendor's refusal that we know; for any other, the HTTP status decides. */
export type Refusal =
  | "not_found"
  | "conflict"
  | "invalid"
  | "not_a_file"
  | "not_a_folder"
  | "forbidden"
  | "storage_full"
  | "rate_limited"
  | "download_quota_exceeded"
  | "export_too_large"
  | "marked_as_malware"
  | "api_not_enabled"
  | "missing_scope"
  | "too_many_items"
  | "not_ready"
  | "cursor_expired";

/** A refusal whose message says more than the reason alone: which scope is missing, which member is unknown. */
export interface SaidRefusal {
  readonly reason: Refusal;
  readonly says: string;
}

const meanings: Readonly<Record<Refusal, { status: number; message: string }>> = {
  not_found: { status: 404, message: "there is no such file or folder" },
  conflict: { status: 409, message: "something of that name exists there already" },
  invalid: { status: 400, message: "the vendor did not accept the request" },
  not_a_file: { status: 400, message: "this is a folder, not a file" },
  not_a_folder: { status: 400, message: "this is a file, not a folder" },
  forbidden: { status: 403, message: "the vendor does not allow this" },
  storage_full: { status: 409, message: "the account's storage is full" },
  rate_limited: { status: 429, message: "the vendor limits the rate of calls; wait before the next" },
  download_quota_exceeded: {
    status: 403,
    message: "this file was downloaded too often, so the vendor gives it to nobody for some hours",
  },
  export_too_large: { status: 403, message: "this document is too large for the vendor to export" },
  marked_as_malware: {
    status: 403,
    message:
      "the vendor has marked this file as malware or spam; acknowledgeAbuse=true downloads it all the same, if the user owns it",
  },
  api_not_enabled: {
    status: 403,
    message: "the vendor's API is not enabled for the OAuth app: enable it at the vendor's console",
  },
  missing_scope: {
    status: 403,
    message: "the connection was made without a scope that this call needs: connect again with that scope",
  },
  too_many_items: {
    status: 400,
    message: "the vendor does not change so many files at once: act on the folders below, one at a time",
  },
  not_ready: { status: 503, message: "the vendor has not prepared this file yet: try again later" },
  cursor_expired: { status: 400, message: "nextPage is too old for the vendor; begin the list again" },
};

/** A folder instead of a file, or a file instead of a folder. */
export function wrongKind(found: "file" | "folder"): InvalidRequest {
  const refusal = found === "folder" ? "not_a_file" : "not_a_folder";
  return new InvalidRequest(meanings[refusal].message, undefined, refusal);
}

/**
 * The reason of a vendor's refusal.
 * @param headers lower-case names
 * @returns undefined: the HTTP status decides
 */
export type ReadRefusal = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>>,
) => Refusal | SaidRefusal | undefined;

/** The vendor gives no more parts for this cursor. */
export class CursorExpired extends LinkspanError {
  constructor(vendor?: unknown) {
    const { status, message } = meanings.cursor_expired;
    super(status, "invalid_request", message, { detail: { field: "nextPage", ...present({ vendor }) } });
  }
}

/** The vendor's own answers, by our errors: not part of the error, so that nothing logs or sends them uncut. */
const answers = new WeakMap<LinkspanError, unknown>();

/** The parsed body of the refusal that an error was made from, for the vendor's own module. */
export function refusalBody(error: unknown): unknown {
  return error instanceof LinkspanError ? answers.get(error) : undefined;
}

/**
 * How long a caller shall wait, in seconds, if a vendor limits the rate of calls and names no time. Google's quotas are by the
 * minute, and its page names no Retry-After: https://developers.google.com/workspace/drive/api/guides/limits (2026-11-27).
 */
const DEFAULT_WAIT_SECONDS = 10;

/** Longest text of a vendor that is copied into an error. */
const MAX_TEXT = 1000;

/** Most bytes that are read of a refusal. */
export const MAX_REFUSAL_BYTES = 64 * 1024;

/**
 * Converts a vendor's refusal to our error: the same status class, the vendor's own words in `detail.vendor`,
 * secrets cut out.
 * @param body the parsed JSON, or the text
 * @param secrets token values that the vendor may repeat
 */
export function vendorFailure(
  response: Pick<VendorResponse, "status" | "headers">,
  body: unknown,
  refusal: Refusal | SaidRefusal | undefined,
  secrets: readonly string[],
): LinkspanError {
  const error = failureOf(response, body, refusal, secrets);
  answers.set(error, body);
  return error;
}

function failureOf(
  response: Pick<VendorResponse, "status" | "headers">,
  body: unknown,
  refusal: Refusal | SaidRefusal | undefined,
  secrets: readonly string[],
): LinkspanError {
  const vendor = { status: response.status, answer: withoutSecrets(body, secrets) };
  const waitMs = retryAfterMs(response.headers);
  const retryAfterSeconds = waitMs === undefined ? undefined : waitMs / 1000;
  if (refusal !== undefined) {
    const reason = typeof refusal === "string" ? refusal : refusal.reason;
    if (reason === "cursor_expired") return new CursorExpired(vendor);
    const { status } = meanings[reason];
    const message = typeof refusal === "string" ? meanings[reason].message : refusal.says;
    const code = codeOf(reason);
    const waitSeconds =
      retryAfterSeconds ??
      (reason === "rate_limited" || reason === "not_ready" ? DEFAULT_WAIT_SECONDS : undefined);
    return new VendorError(status, code, message, { vendor, retryAfterSeconds: waitSeconds });
  }
  const { status } = response;
  if (status === 401) {
    return new VendorError(401, "vendor_unauthorized", "the vendor refused the connection's token", {
      vendor,
    });
  }
  if (status === 403)
    return new VendorError(403, "forbidden", meanings.forbidden.message, { vendor, retryAfterSeconds });
  if (status === 404) return new VendorError(404, "not_found", meanings.not_found.message, { vendor });
  if (status === 429) {
    return new VendorError(429, "rate_limited", meanings.rate_limited.message, {
      vendor,
      retryAfterSeconds: retryAfterSeconds ?? DEFAULT_WAIT_SECONDS,
    });
  }
  if (status >= 500) {
    return new VendorError(502, "vendor_error", `the vendor answered ${status}`, {
      vendor,
      retryAfterSeconds,
    });
  }
  if (status === 416) {
    const range = response.headers["content-range"];
    return new LinkspanError(416, "range_not_satisfiable", "the range is outside of the file", {
      detail: { vendor },
      headers: range === undefined ? {} : { "Content-Range": range },
    });
  }
  if (status >= 400) {
    return new VendorError(status, "vendor_refused", `the vendor refused the request with ${status}`, {
      vendor,
      retryAfterSeconds,
    });
  }
  return badAnswer(`an unexpected status, ${status}`);
}

function codeOf(reason: Exclude<Refusal, "cursor_expired">): ErrorCode {
  if (reason === "invalid") return "vendor_refused";
  return reason === "not_ready" ? "unavailable" : reason;
}

/** 502: the answer does not match the vendor's documentation. */
export function badAnswer(what: string, cause?: unknown): VendorError {
  return new VendorError(502, "vendor_bad_answer", `the vendor's answer cannot be used: ${what}`, { cause });
}

/** Copies a vendor's words, bounded, without anything that looks like a credential. */
export function withoutSecrets(value: unknown, secrets: readonly string[], depth = 0): unknown {
  if (typeof value === "string") return cutText(value, secrets).slice(0, MAX_TEXT);
  if (typeof value !== "object" || value === null) return value;
  if (depth > 5) return "…";
  if (Array.isArray(value)) return value.slice(0, 20).map((each) => withoutSecrets(each, secrets, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, 50)
      .map(([name, each]) => [
        cutText(name, secrets).slice(0, 100),
        /token|secret|password|authorization|cookie/i.test(name) && typeof each === "string"
          ? "********"
          : withoutSecrets(each, secrets, depth + 1),
      ]),
  );
}

function cutText(text: string, secrets: readonly string[]): string {
  return cutSecrets(text, secrets)
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, "$1 ********")
    .replace(/\b(\w*(?:token|secret|password))(["']?\s*[=:]\s*["']?)[^\s"'&,;}]+/gi, "$1$2********")
    .replace(/\b(?:sl\.|ya29\.|1\/\/)[\w.-]{10,}/g, "********");
}
