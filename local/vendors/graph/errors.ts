import { randomUUID } from "node:crypto";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import { type Problem, Refused } from "../kit/calls.ts";

/** https://learn.microsoft.com/en-us/graph/errors (2026-11-27) */
function errorAnswer(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Answer {
  const id = randomUUID();
  const innerError = {
    date: new Date().toISOString().slice(0, 19),
    "request-id": id,
    "client-request-id": id,
  };
  return jsonAnswer(status, { error: { code, message, innerError } }, { "request-id": id, ...headers });
}

export function refused(status: number, code: string, message: string): Refused {
  return new Refused(errorAnswer(status, code, message));
}

export const notFound = () => refused(404, "itemNotFound", "The resource could not be found.");

const unauthorized = (message: string) =>
  errorAnswer(401, "InvalidAuthenticationToken", message, { "WWW-Authenticate": 'Bearer realm=""' });

const STATUS_CODES: Readonly<Record<number, string>> = {
  400: "invalidRequest",
  403: "accessDenied",
  404: "itemNotFound",
  409: "nameAlreadyExists",
  412: "resourceModified",
  429: "activityLimitReached",
  503: "serviceNotAvailable",
  507: "quotaLimitReached",
};

export function statusAnswer(status: number): Answer {
  if (status === 401) return unauthorized("Access token has expired or is not yet valid.");
  const wait: Record<string, string> = status === 429 || status === 503 ? { "Retry-After": "1" } : {};
  return errorAnswer(status, STATUS_CODES[status] ?? "generalException", `HTTP ${status}`, wait);
}

export function refuse(problem: Problem): Answer {
  switch (problem.kind) {
    case "no_token":
      return unauthorized("Access token is empty.");
    case "bad_token":
    case "expired_token":
      return unauthorized("Access token has expired or is not yet valid.");
    case "missing_scope":
    case "is_root":
    case "refused":
      return errorAnswer(403, "accessDenied", "The caller does not have permission to perform the action.");
    case "unknown_call":
      return errorAnswer(400, "BadRequest", "Resource not found for the segment.");
    case "wrong_method":
      return errorAnswer(405, "invalidRequest", "The HTTP method is not allowed on the resource.");
    case "not_json":
    case "media_type":
      return errorAnswer(400, "BadRequest", "Unable to read JSON request payload.");
    case "invalid_input":
      return errorAnswer(
        400,
        "invalidRequest",
        `${problem.in} ${problem.field}: ${problem.reason}, ${problem.text}`,
      );
    case "name_taken":
      return errorAnswer(409, "nameAlreadyExists", "The specified item name already exists.");
    case "bad_name":
      return errorAnswer(400, "invalidRequest", problem.rule);
    case "no_space":
      return errorAnswer(507, "quotaLimitReached", "The user has reached their quota limit.");
    case "not_a_folder":
    case "not_a_file":
    case "into_itself":
      return errorAnswer(400, "invalidRequest", problem.kind.replaceAll("_", " "));
    default:
      return errorAnswer(400, "invalidRequest", "The request is malformed or incorrect.");
  }
}
