import type { FunctionAnswer } from "../lambda/invocation.ts";
import { GatewayError } from "./gateway-response.ts";
import type { HeaderList } from "./header-rules.ts";

/** A function's answer as HTTP. */
export interface IntegrationAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  /** The caller must read it to its end, or call `return`. */
  readonly body: AsyncIterableIterator<Uint8Array>;
}

const delimiter = Buffer.alloc(8);
const maxPreludeBytes = 16 * 1024;

/**
 * Reads the answer of a Lambda proxy integration.
 * @throws {GatewayError} the answer is not in the format that the integration's mode demands
 * @throws {FunctionFailure} a stream broke before its prelude was complete
 */
export async function integrationAnswer(
  answer: FunctionAnswer,
  mode: "STREAM" | "BUFFERED",
): Promise<IntegrationAnswer> {
  if (mode === "STREAM") {
    // A handler that does not stream sends no prelude.
    if (answer.kind === "buffered") throw malformed("the integration streams but its function does not");
    return streamed(answer.body);
  }
  if (answer.kind === "streamed") {
    await answer.body.next();
    await answer.body.return?.();
    throw malformed("the function streams but its integration does not");
  }
  return buffered(answer.payload);
}

function malformed(why: string): GatewayError {
  return new GatewayError("INTEGRATION_FAILURE", undefined, { cause: new Error(why) });
}

/**
 * The format: JSON of at most 16 KB, eight NUL bytes, then the body in pieces.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html#response-transfer-mode-lambda-format
 */
async function streamed(body: AsyncIterableIterator<Buffer>): Promise<IntegrationAnswer> {
  let begun = Buffer.alloc(0);
  let end = -1;
  try {
    while (end < 0) {
      const { done, value } = await body.next();
      if (done) throw malformed("the answer ended before its delimiter");
      begun = Buffer.concat([begun, value]);
      end = begun.indexOf(delimiter);
      if (end > maxPreludeBytes || (end < 0 && begun.length > maxPreludeBytes + delimiter.length))
        throw malformed("no delimiter in the first 16 KB");
    }
    const head = readHead(begun.subarray(0, end).toString("utf8"), [
      "statusCode",
      "headers",
      "multiValueHeaders",
      "cookies",
    ]);
    return { ...head, body: joined(begun.subarray(end + delimiter.length), body) };
  } catch (error) {
    await body.return?.();
    throw error;
  }
}

async function* joined(
  first: Buffer,
  rest: AsyncIterableIterator<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    if (first.length > 0) yield first;
    yield* rest;
  } finally {
    await rest.return?.();
  }
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format */
function buffered(payload: Buffer): IntegrationAnswer {
  const text = payload.toString("utf8");
  const head = readHead(
    text,
    ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"],
    true,
  );
  const { body, isBase64Encoded } = JSON.parse(text) as { body?: unknown; isBase64Encoded?: unknown };
  if (body !== undefined && body !== null && typeof body !== "string")
    throw malformed("the body is not text");
  const bytes = Buffer.from(body ?? "", isBase64Encoded === true ? "base64" : "utf8");
  return { ...head, body: joined(bytes, nothing()) };
}

async function* nothing(): AsyncGenerator<Buffer, void, undefined> {}

function readHead(
  json: string,
  known: readonly string[],
  strict = false,
): Pick<IntegrationAnswer, "status" | "headers"> {
  let head: Record<string, unknown>;
  try {
    head = JSON.parse(json) as Record<string, unknown>;
  } catch {
    throw malformed("the head is not JSON");
  }
  if (typeof head !== "object" || head === null || Array.isArray(head))
    throw malformed("the head is not an object");
  const unknown = Object.keys(head).filter((name) => !known.includes(name));
  // The buffered format refuses unknown fields; in a stream's prelude they are ignored (a guess).
  if (strict && unknown.length > 0) throw malformed(`unknown field ${unknown.join(", ")}`);
  const status = Number(head.statusCode ?? 200);
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw malformed(`${String(head.statusCode)} is not a status`);
  return { status, headers: mergedHeaders(head) };
}

/**
 * A name in both lists has the values of `multiValueHeaders`, then that of `headers` if it is a different
 * one.
 */
function mergedHeaders(head: Readonly<Record<string, unknown>>): HeaderList {
  const names = new Map<string, string>();
  const merged = new Map<string, string[]>();
  const add = (name: string, values: readonly unknown[]) => {
    const lower = name.toLowerCase();
    const known = names.get(lower) ?? name;
    names.set(lower, known);
    const list = merged.get(known) ?? [];
    for (const value of values.map(text)) if (!list.includes(value)) list.push(value);
    merged.set(known, list);
  };
  for (const [name, values] of Object.entries((head.multiValueHeaders ?? {}) as object)) {
    if (!Array.isArray(values)) throw malformed(`multiValueHeaders.${name} is not a list`);
    add(name, values);
  }
  for (const [name, value] of Object.entries((head.headers ?? {}) as object)) add(name, [value]);
  if (Array.isArray(head.cookies)) add("Set-Cookie", head.cookies);
  return [...merged];
}

function text(value: unknown): string {
  if (typeof value === "object") throw malformed("a header's value is not text");
  return String(value);
}
