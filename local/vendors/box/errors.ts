import { randomBytes } from "node:crypto";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import type { KitNode } from "../kit/account.ts";
import { type Problem, Refused } from "../kit/calls.ts";
import { type BoxItem, mini } from "./items.ts";

const HELP = "http://developers.box.com/docs/#errors";

/** https://developer.box.com/reference/resources/client-error (2026-11-27). */
function errorAnswer(status: number, code: string, message: string, context?: unknown): Answer {
  return jsonAnswer(
    status,
    {
      type: "error",
      status,
      code,
      ...(context === undefined ? {} : { context_info: context }),
      help_url: HELP,
      message,
      request_id: randomBytes(8).toString("hex"),
    },
    status === 429 ? { "Retry-After": "1" } : {},
  );
}

export function refused(status: number, code: string, message: string): Refused {
  return new Refused(errorAnswer(status, code, message));
}

export function invalid(name: string, message: string): Refused {
  const context = { errors: [{ reason: "invalid_parameter", name, message }] };
  return new Refused(errorAnswer(400, "bad_request", "Bad Request", context));
}

export const notFound = () => refused(404, "not_found", "Not Found");

const forbidden = (message: string) => errorAnswer(403, "access_denied_insufficient_permissions", message);

/** RFC 6750 section 3: a 401 of Box has no body. */
function unauthorized(error: string): Answer {
  return { status: 401, headers: { "WWW-Authenticate": `Bearer realm="Service"${error}` } };
}

const STATUS_CODES: Readonly<Record<number, string>> = {
  400: "bad_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "method_not_allowed",
  409: "conflict",
  412: "precondition_failed",
  429: "rate_limit_exceeded",
  500: "internal_server_error",
  502: "bad_gateway",
  503: "unavailable",
};

export function statusAnswer(status: number): Answer {
  if (status === 401) return unauthorized(', error="invalid_token"');
  return errorAnswer(status, STATUS_CODES[status] ?? "internal_server_error", `HTTP ${status}`);
}

/** Codes: https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors (2026-11-27). */
export function refuse(problem: Problem): Answer {
  switch (problem.kind) {
    case "no_token":
      return unauthorized("");
    case "bad_token":
    case "expired_token":
      return unauthorized(
        ', error="invalid_token", error_description="The access token provided is invalid."',
      );
    case "missing_scope":
      return errorAnswer(
        403,
        "insufficient_scope",
        "The request requires higher privileges than provided by the access token.",
      );
    case "unknown_call":
      return errorAnswer(404, "not_found", "Not Found");
    case "wrong_method":
      return errorAnswer(405, "method_not_allowed", "Method Not Allowed");
    case "not_json":
      return errorAnswer(400, "bad_request", "Could not parse JSON");
    case "media_type":
      return errorAnswer(415, "unsupported_media_type", "Unsupported Media Type");
    case "invalid_input": {
      const reason = problem.reason === "missing" ? "missing_parameter" : "invalid_parameter";
      const message = `${problem.in} ${problem.field}: ${problem.reason}, ${problem.text}`;
      return errorAnswer(400, "bad_request", "Bad Request", {
        errors: [{ reason, name: problem.field, message }],
      });
    }
    case "name_taken": {
      const by = mini(problem.by as KitNode<BoxItem>);
      // A list for folders, one object for files, as the SDKs and rclone (backend/box/api/types.go) read them.
      const conflicts = by.type === "folder" ? [by] : by;
      return errorAnswer(409, "item_name_in_use", "Item with the same name already exists", { conflicts });
    }
    case "bad_name":
      return errorAnswer(400, problem.rule, "Item name invalid");
    case "no_space":
      return errorAnswer(403, "storage_limit_exceeded", "Account storage limit reached");
    case "not_a_folder":
    case "not_a_file":
      return errorAnswer(404, "not_found", "Not Found");
    case "into_itself":
      return errorAnswer(400, "cyclical_folder_structure", "Folder move creates cyclical folder structure");
    case "is_root":
      return forbidden("Access denied - insufficient permission");
    case "refused":
      return problem.action === "copy" || problem.action === "read"
        ? forbidden("Access denied - insufficient permission")
        : errorAnswer(403, "access_denied_item_locked", "Access denied - item locked");
  }
}
