import * as v from "valibot";
import { InvalidRequest } from "../core/errors.ts";
import type { HttpRequest } from "./request.ts";

/** The JSON body, or `undefined` for none, `null` and blanks. @throws {InvalidRequest} not JSON */
function jsonBody(request: HttpRequest): unknown {
  const text = request.body.toString("utf8").trim();
  if (text === "") return undefined;
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    throw new InvalidRequest("the body is not valid JSON", "body");
  }
}

/**
 * The JSON body, checked against a schema. Unknown fields are ignored; null and empty strings count as absent.
 * @throws {InvalidRequest} naming the field, as a path: `providerData.code`
 */
export function parseBody<const S extends v.GenericSchema>(
  request: HttpRequest,
  schema: S,
): v.InferOutput<S> {
  return parse(schema, withoutEmpty(jsonBody(request) ?? {}), "body");
}

/** @throws {InvalidRequest} naming the field */
function parse<const S extends v.GenericSchema>(schema: S, value: unknown, root: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue) ?? root;
  const missing = issue.received === "undefined";
  throw new InvalidRequest(
    missing ? `${field} is missing` : `${field} is not right: ${issue.message}`,
    field,
  );
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null && each !== "")
      .map(([name, each]) => [name, withoutEmpty(each)]),
  );
}
