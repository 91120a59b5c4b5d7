import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";

/** An error as a service of AWS would answer it. */
export class AwsError extends Error {
  readonly status: number;
  /** The code that SDKs make the exception's name of. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface AwsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request whose signature is good and whose body, unless the service streams it, was read. */
export interface AwsRequest {
  readonly method: string;
  /** Path as it stood on the wire, still percent-encoded. */
  readonly path: string;
  /** Query as it stood on the wire, without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Condition keys of a request, in lower case, with their values. */
export type ConditionContext = Readonly<Record<string, readonly string[]>>;

/** A permission that a request asks for: all of a request's needs must be allowed. */
export interface AccessNeed {
  /** IAM action: `dynamodb:GetItem`. */
  readonly action: string;
  /** Resource ARN. */
  readonly resource: string;
  readonly context?: ConditionContext;
}

/** What an operation may use while it acts. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the caller's policy allows this too, for services whose answer depends on a second permission. */
  allows(need: AccessNeed): boolean;
  /** Aborted when the caller went away or the front door closes. */
  readonly signal: AbortSignal;
}

export interface AwsOperation {
  readonly needs: readonly [AccessNeed, ...AccessNeed[]];
  /** @returns undefined: the operation has written its answer to the exchange's response itself */
  act(exchange: Exchange): Promise<AwsAnswer | undefined>;
}

/** Statuses and codes by which a service says what every service has to say. */
export interface CommonErrors {
  readonly accessDenied: readonly [status: number, code: string];
  readonly unknownAccessKey: readonly [status: number, code: string];
  readonly badSignature: readonly [status: number, code: string];
  readonly throttled: readonly [status: number, code: string];
  readonly internal: readonly [status: number, code: string];
}

/** A service behind the front door. */
export interface AwsService {
  /** As in the credential scope. */
  readonly name: string;
  /** Largest request body that is read into memory; undefined: the operation streams the body. */
  readonly bodyLimit: number | undefined;
  readonly errors: CommonErrors;
  /**
   * Tells what the request wants, without acting.
   * @throws {AwsError} it is not a request that the service understands
   */
  read(request: AwsRequest): AwsOperation;
  errorAnswer(error: AwsError, request: Pick<AwsRequest, "method">): AwsAnswer;
  close(): Promise<void>;
}

/** Answers of the services that speak AWS JSON 1.0 or 1.1. */
export function jsonAnswer(
  version: "1.0" | "1.1",
  status: number,
  body: unknown,
  headers?: Record<string, string>,
): AwsAnswer {
  return {
    status,
    headers: {
      "content-type": `application/x-amz-json-${version}`,
      "x-amzn-requestid": randomUUID(),
      ...headers,
    },
    body: JSON.stringify(body),
  };
}

/** The operation named by `X-Amz-Target: <prefix>.<operation>`. @throws {AwsError} UnknownOperationException */
export function targetOperation(request: AwsRequest, prefix: string): string {
  const target = String(request.headers["x-amz-target"] ?? "");
  if (request.method !== "POST" || !target.startsWith(`${prefix}.`)) {
    throw new AwsError(
      400,
      "UnknownOperationException",
      `not an operation of this service: ${target || "none"}`,
    );
  }
  return target.slice(prefix.length + 1);
}

/** @throws {AwsError} SerializationException */
export function jsonBody(request: AwsRequest): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(request.body.toString("utf8") || "{}");
  } catch {
    body = undefined;
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new AwsError(400, "SerializationException", "the body is not a JSON object");
  }
  return body as Record<string, unknown>;
}

/**
 * The local services do what Linkspan needs, not all that AWS does. What they do not know they refuse, so that nobody
 * tests against a parameter that has no effect.
 * @throws {AwsError} ValidationException
 */
export function refuseUnknownParameters(
  operation: string,
  body: Record<string, unknown>,
  known: readonly string[],
): void {
  for (const name of Object.keys(body)) {
    if (body[name] !== undefined && body[name] !== null && !known.includes(name)) {
      throw new AwsError(
        400,
        "ValidationException",
        `the local platform does not know the parameter ${name} of ${operation}`,
      );
    }
  }
}

export function escapeXml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
