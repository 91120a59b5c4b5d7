import { randomBytes } from "node:crypto";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import { type Problem, Refused } from "../kit/calls.ts";
import { type BoxNode, mini } from "./items.ts";

/** https://developer.box.com/reference/resources/client-error (2026-11-27). */
function errorAnswer(status: number, code: string, message = code, context?: object): Answer {
  const request_id = randomBytes(8).toString("hex");
  const help_url = "http://developers.box.com/docs/#errors";
  const body = { type: "error", status, code, context_info: context, help_url, message, request_id };
  return jsonAnswer(status, body, status === 429 ? { "Retry-After": "1" } : {});
}

export function refused(status: number, code: string, message?: string): Refused {
  return new Refused(errorAnswer(status, code, message));
}

export function invalid(name: string, reason = "invalid_parameter", message = `Invalid ${name}`): Refused {
  return new Refused(errorAnswer(400, "bad_request", "Bad Request", { errors: [{ reason, name, message }] }));
}

export const notFound = () => refused(404, "not_found", "Not Found");

/** A list for folders and for the check before an upload, else one object, as rclone (backend/box/api/types.go) reads it. */
export function nameTaken(by: BoxNode, isList = by.directory): Answer {
  const conflicts = isList ? [mini(by)] : mini(by);
  return errorAnswer(409, "item_name_in_use", "Item with the same name already exists", { conflicts });
}

/** A 401 of Box has no body; the header is RFC 6750 section 3. */
function unauthorized(error: string): Answer {
  return { status: 401, headers: { "WWW-Authenticate": `Bearer realm="Service"${error}` } };
}

const BAD_TOKEN = unauthorized(
  ', error="invalid_token", error_description="The access token provided is invalid."',
);

const STATUS_CODES: Readonly<Record<number, string>> = {
  403: "forbidden",
  404: "not_found",
  412: "precondition_failed",
  429: "rate_limit_exceeded",
  502: "bad_gateway",
  503: "unavailable",
};

export function statusAnswer(status: number): Answer {
  const usual = status < 500 ? "bad_request" : "internal_server_error";
  return status === 401 ? BAD_TOKEN : errorAnswer(status, STATUS_CODES[status] ?? usual);
}

/** Codes: https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors (2026-11-27). */
const CODES = {
  missing_scope: [403, "insufficient_scope"],
  unknown_call: [404, "not_found"],
  wrong_method: [405, "method_not_allowed"],
  not_json: [400, "bad_request"],
  media_type: [415, "unsupported_media_type"],
  no_space: [403, "storage_limit_exceeded"],
  not_a_folder: [404, "not_found"],
  not_a_file: [404, "not_found"],
  into_itself: [400, "cyclical_folder_structure"],
  is_root: [403, "access_denied_insufficient_permissions"],
  refused: [403, "access_denied_insufficient_permissions"],
} as const satisfies Partial<Record<Problem["kind"], readonly [number, string]>>;

export function refuse(problem: Problem): Answer {
  switch (problem.kind) {
    case "no_token":
      return unauthorized("");
    case "bad_token":
    case "expired_token":
      return BAD_TOKEN;
    case "invalid_input": {
      const reason = problem.reason === "missing" ? "missing_parameter" : "invalid_parameter";
      return invalid(problem.field, reason, `${problem.in}: ${problem.reason}, ${problem.text}`).answer;
    }
    case "name_taken":
      return nameTaken(problem.by as BoxNode);
    case "bad_name":
      return errorAnswer(400, problem.rule);
    default:
      return errorAnswer(CODES[problem.kind][0], CODES[problem.kind][1]);
  }
}
