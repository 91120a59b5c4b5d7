import * as v from "valibot";
import { InvalidRequest, LinkspanError } from "../core/errors.ts";
import { budgets } from "../core/instances/budgets.ts";
import { JsonTooDeep, MAX_JSON_NESTING, parseJson } from "../core/parse-json.ts";
import type { HttpRequest } from "./request.ts";

/**
 * The JSON body; `undefined`: the body is empty, blank or `null`.
 * @throws {InvalidRequest} the body is not JSON, or is nested too deep
 * @throws {LinkspanError} 413: the body is larger than any call needs
 */
function jsonBody(request: HttpRequest): unknown {
  if (request.body.length > budgets.body) {
    throw new LinkspanError(413, "body_too_large", `the body is too large: at most ${budgets.body} bytes`, {
      detail: { field: "body" },
    });
  }
  const text = request.body.toString("utf8").trim();
  if (text === "") return undefined;
  try {
    return parseJson(text) ?? undefined;
  } catch (error) {
    if (error instanceof JsonTooDeep) {
      throw new InvalidRequest(
        `the body nests lists and objects more than ${MAX_JSON_NESTING} deep`,
        "body",
        "too_deep",
      );
    }
    throw new InvalidRequest("the body is not valid JSON", "body");
  }
}

/**
 * The JSON body, checked against a schema. Unknown fields are ignored; null and empty strings count as absent.
 * @throws {InvalidRequest} naming the field, as a path: `providerData.code`
 * @throws {LinkspanError} 413 `body_too_large`
 */
export function parseBody<const S extends v.GenericSchema>(
  request: HttpRequest,
  schema: S,
): v.InferOutput<S> {
  const body = jsonBody(request) ?? {};
  // Checked here, because `v.object` accepts an array as an object without fields.
  if (!isObject(body)) throw new InvalidRequest("the body is not right: it must be a JSON object", "body");
  return checked(schema, withoutEmpty(body, ""));
}

/** Checks a value against a schema, and returns the schema's output. @throws {InvalidRequest} naming the field */
export function checked<const S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { message: whatIsExpected });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue) ?? "body";
  const missing = issue.received === "undefined";
  throw new InvalidRequest(
    missing ? `${field} is missing` : `${field} is not right: ${issue.message}`,
    field,
  );
}

/** A JSON object, not an array. */
export const anObject = v.custom<Record<string, unknown>>(isObject, "it must be an object");

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  Array: "a list",
  Object: "an object",
};

/** Replaces valibot's message, which repeats the value: the value may be a secret in the wrong place. */
function whatIsExpected({ expected }: v.BaseIssue<unknown>): string {
  const types = expected?.replace(/[()]/g, "").split(" | ");
  return types === undefined
    ? "it is not what it must be"
    : `it must be ${types.map((type) => TYPES[type] ?? type).join(" or ")}`;
}

/**
 * Leaves out null and empty texts.
 * @throws {InvalidRequest} a text holds half of a surrogate pair: no vendor and no store can keep it
 */
function withoutEmpty(value: unknown, field: string): unknown {
  if (typeof value === "string" && !value.isWellFormed())
    throw new InvalidRequest(`${field} is not right: it holds half of a surrogate pair`, field);
  if (Array.isArray(value)) return value.map((each, index) => withoutEmpty(each, `${field}.${index}`));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null && each !== "")
      .map(([name, each]) => [name, withoutEmpty(each, field === "" ? name : `${field}.${name}`)]),
  );
}
