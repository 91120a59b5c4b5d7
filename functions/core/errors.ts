import type { ErrorCode } from "./error-codes.ts";
import { present } from "./present.ts";

/** The details of an error besides its message. Never a secret, because the caller gets them unchanged. */
export interface ErrorDetail {
  /** Name of the request field that was wrong, for example `providerData.code`. */
  readonly field?: string;
  /** The vendor's own words, secrets cut out. */
  readonly vendor?: unknown;
  readonly [key: string]: unknown;
}

/**
 * The base class of every error that Linkspan throws on purpose. Only `http/answer-errors.ts` converts it into
 * the answer's form.
 */
export class LinkspanError extends Error {
  /** Stable, snake_case; callers may switch on it. */
  readonly code: ErrorCode;
  /** HTTP status of the answer. */
  readonly status: number;
  readonly detail: ErrorDetail | undefined;
  /** Extra response headers, for example `Retry-After` (seconds) or `Allow`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    options: { detail?: ErrorDetail | undefined; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.status = status;
    this.code = code;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }
}

/** 400: something in the request is wrong; `field` names it. */
export class InvalidRequest extends LinkspanError {
  constructor(
    message: string,
    field?: string,
    code: ErrorCode = "invalid_request",
    detail: ErrorDetail = {},
  ) {
    super(400, code, message, {
      detail:
        field === undefined && Object.keys(detail).length === 0
          ? undefined
          : { ...detail, ...present({ field }) },
    });
  }
}

/** 401: Linkspan's own credentials are missing, malformed, unknown or no longer valid. */
export class Unauthorized extends LinkspanError {
  constructor(message: string, code: ErrorCode = "unauthorized", detail?: ErrorDetail) {
    super(401, code, message, { detail });
  }
}

/** 403: known caller, not allowed (a disabled instance, a claim by another end user). */
export class Forbidden extends LinkspanError {
  constructor(message: string, code: ErrorCode = "forbidden", detail?: ErrorDetail) {
    super(403, code, message, { detail });
  }
}

/** 404: it does not exist, or belongs to somebody else. */
export class NotFound extends LinkspanError {
  constructor(message: string, code: ErrorCode = "not_found", detail?: ErrorDetail) {
    super(404, code, message, { detail });
  }
}

/** 405: the path is known, the method is not; `allow` lists those that are. */
export class MethodNotAllowed extends LinkspanError {
  constructor(method: string, allow: readonly string[]) {
    super(405, "method_not_allowed", `${method} is not supported here; use ${allow.join(", ")}`, {
      headers: { Allow: allow.join(", ") },
    });
  }
}

/** 409: it exists already, or it changed meanwhile. */
export class Conflict extends LinkspanError {
  constructor(message: string, code: ErrorCode = "conflict", detail?: ErrorDetail) {
    super(409, code, message, { detail });
  }
}

/** 401: the vendor has ended the grant; only a new sign-in of the user helps. */
export class NeedsReauthentication extends LinkspanError {
  constructor(detail?: ErrorDetail) {
    super(
      401,
      "needs_reauthentication",
      "the vendor has ended this connection; send the user through the authorization URL again (PUT /instances/{id} or a connect session with instanceId)",
      { detail },
    );
  }
}

/** 501: this connector cannot do that. `field` names the parameter or header that asked for it. */
export class NotSupported extends LinkspanError {
  constructor(call: string, connector: string, field?: string) {
    super(501, "not_supported", `${connector} does not support ${call}`, {
      detail: { call, connector, ...present({ field }) },
    });
  }
}

/** The longest wait that we ask of a caller, in seconds, whatever the reason. */
const MAX_RETRY_AFTER_SECONDS = 3_600;

function retryAfter(seconds: number | undefined): Record<string, string> {
  if (seconds === undefined || Number.isNaN(seconds)) return {};
  return { "Retry-After": String(Math.ceil(Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_SECONDS))) };
}

/** A vendor's refusal, mapped to the same status class (5xx becomes 502). */
export class VendorError extends LinkspanError {
  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    options: { vendor?: unknown; retryAfterSeconds?: number | undefined; cause?: unknown } = {},
  ) {
    super(status, code, message, {
      detail: options.vendor === undefined ? undefined : { vendor: options.vendor },
      headers: retryAfter(options.retryAfterSeconds),
      cause: options.cause,
    });
  }
}

/** 503: temporarily not possible; try again after `retryAfterSeconds`. */
export class Unavailable extends LinkspanError {
  constructor(message: string, code: ErrorCode = "unavailable", retryAfterSeconds = 5, cause?: unknown) {
    super(503, code, message, { headers: retryAfter(retryAfterSeconds), cause });
  }
}
