import { type Answer, jsonAnswer } from "../http/answer.ts";
import { type Problem, Refused } from "../kit/calls.ts";

// The body of each refusal: https://api.sharefile.com/guides/troubleshooting (2026-11-27); `reason` is an ExceptionReason
// of the official SDK (ODataRequestException.cs, ExceptionReason.cs), `code` a name of .NET's HttpStatusCode.

const NAMES: Readonly<Record<number, readonly [code: string, reason: string]>> = {
  400: ["BadRequest", "BadRequest"],
  401: ["Unauthorized", "NotAuthenticated"],
  403: ["Forbidden", "Forbidden"],
  404: ["NotFound", "NotFound"],
  405: ["MethodNotAllowed", "NotAllowed"],
  409: ["Conflict", "Conflict"],
  415: ["UnsupportedMediaType", "BadRequest"],
  429: ["TooManyRequests", "Throttled"],
  503: ["ServiceUnavailable", "ServiceUnavailable"],
};

export function errorAnswer(status: number, text: string, ownReason?: string): Answer {
  const [code, reason] = NAMES[status] ?? [String(status), "Unspecified"];
  return jsonAnswer(status, { code, message: { lang: "en-US", value: text }, reason: ownReason ?? reason });
}

export function refused(status: number, text: string, reason?: string): Refused {
  return new Refused(errorAnswer(status, text, reason));
}

export function notFound(): Refused {
  return refused(404, "The requested item could not be found.");
}

const PROBLEMS: Readonly<Record<Problem["kind"], readonly [status: number, text: string, reason?: string]>> =
  {
    no_token: [401, "The access token is missing."],
    bad_token: [401, "The access token is not valid."],
    expired_token: [401, "The access token has expired."],
    missing_scope: [403, "You do not have permission for this operation.", "NotAuthorized"],
    refused: [403, "You do not have permission for this operation.", "NotAuthorized"],
    unknown_call: [404, "Resource not found."],
    wrong_method: [405, "The method is not allowed."],
    media_type: [415, "The body must be application/json."],
    not_json: [400, "The body is not valid JSON."],
    invalid_input: [400, "The request is not valid"],
    name_taken: [409, "An item with this name already exists in the folder."],
    bad_name: [400, "The name is not valid"],
    no_space: [403, "The account has no space left.", "QuotaExceeded"],
    not_a_folder: [400, "The item is not a folder.", "InvalidTarget"],
    not_a_file: [400, "The item is not a file."],
    into_itself: [400, "A folder cannot be moved or copied into itself.", "InvalidTarget"],
    is_root: [403, "The home folder cannot be changed.", "NotAllowed"],
  };

export function refuse(problem: Problem): Answer {
  const [status, text, reason] = PROBLEMS[problem.kind];
  const more =
    problem.kind === "invalid_input"
      ? `: ${problem.in} ${problem.field} is ${problem.reason} (${problem.text})`
      : problem.kind === "bad_name"
        ? `: ${problem.rule}`
        : "";
  return errorAnswer(status, text + more, reason);
}
