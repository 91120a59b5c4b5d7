import { type Answer, jsonAnswer } from "../http/answer.ts";

/** An error in the shape of https://developers.google.com/workspace/drive/api/guides/handle-errors */
export class DriveError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly options: ErrorPlace;
  constructor(code: number, reason: string, message: string, options: ErrorPlace = {}) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.options = options;
  }

  toAnswer(): Answer {
    const { domain = "global", parameter, header, detail = this.message, status, headers } = this.options;
    const place =
      parameter !== undefined
        ? { locationType: "parameter", location: parameter }
        : header !== undefined
          ? { locationType: "header", location: header }
          : {};
    const errors = [{ message: detail, domain, reason: this.reason, ...place }];
    const error = {
      code: this.code,
      message: this.message,
      errors,
      ...(status === undefined ? {} : { status }),
    };
    return jsonAnswer(
      this.code,
      { error },
      { "Content-Type": "application/json; charset=UTF-8", ...headers },
    );
  }
}

interface ErrorPlace {
  readonly domain?: string;
  readonly parameter?: string;
  readonly header?: string;
  /** Message inside `errors`, if it differs. */
  readonly detail?: string;
  readonly status?: string;
  readonly headers?: Record<string, string>;
}

export function fileNotFound(id: string): DriveError {
  return new DriveError(404, "notFound", `File not found: ${id}.`, { parameter: "fileId" });
}

export function driveNotFound(id: string): DriveError {
  return new DriveError(404, "notFound", `Shared drive not found: ${id}`, { parameter: "driveId" });
}

export function invalidValue(parameter: string): DriveError {
  return new DriveError(400, "invalid", "Invalid Value", { parameter });
}

export function invalidCredentials(): DriveError {
  return new DriveError(
    401,
    "authError",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    {
      header: "Authorization",
      detail: "Invalid Credentials",
      status: "UNAUTHENTICATED",
      headers: { "WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"' },
    },
  );
}

export function noCredentials(): DriveError {
  return new DriveError(
    403,
    "forbidden",
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
    { status: "PERMISSION_DENIED" },
  );
}

export function insufficientScope(): DriveError {
  return new DriveError(403, "insufficientPermissions", "Request had insufficient authentication scopes.", {
    detail: "Insufficient Permission",
    status: "PERMISSION_DENIED",
  });
}

/** The vendor's answer for a status that a test asks for. */
export function statusAnswer(status: number): Answer {
  if (status === 401) return invalidCredentials().toAnswer();
  if (status === 403) {
    return new DriveError(403, "userRateLimitExceeded", "User Rate Limit Exceeded", {
      domain: "usageLimits",
    }).toAnswer();
  }
  if (status === 404) return fileNotFound("").toAnswer();
  if (status === 429) {
    return new DriveError(429, "rateLimitExceeded", "Rate Limit Exceeded", {
      domain: "usageLimits",
    }).toAnswer();
  }
  if (status >= 500) return new DriveError(status, "backendError", "Backend Error").toAnswer();
  return new DriveError(status, "badRequest", "Bad Request").toAnswer();
}
