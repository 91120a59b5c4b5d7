import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";

/** An error that a service answers as AWS would. */
export class AwsError extends Error {
  readonly status: number;
  /** The code; SDKs make the exception's name from it. */
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

/** A request with a valid signature; its body was read, unless the service streams it. */
export interface AwsRequest {
  readonly method: string;
  /** Path as sent, still percent-encoded. */
  readonly path: string;
  /** Query as sent, without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Condition keys of a request, in lower case, with their values. */
export type ConditionContext = Readonly<Record<string, readonly string[]>>;

/** A permission that a request needs. All needs of a request must be allowed. */
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
  /**
   * Whether the caller's policy also allows this need, for services whose answer depends on a second
   * permission.
   */
  allows(need: AccessNeed): boolean;
  /** Aborted when the caller disconnects or the front door closes. */
  readonly signal: AbortSignal;
}

export interface AwsOperation {
  readonly needs: readonly [AccessNeed, ...AccessNeed[]];
  /** @returns undefined: the operation has written its answer to the exchange's response itself */
  act(exchange: Exchange): Promise<AwsAnswer | undefined>;
}

/** A service's own statuses and codes for the errors that all services have. */
export interface CommonErrors {
  readonly accessDenied: readonly [status: number, code: string];
  readonly unknownAccessKey: readonly [status: number, code: string];
  readonly badSignature: readonly [status: number, code: string];
  readonly throttled: readonly [status: number, code: string];
  readonly internal: readonly [status: number, code: string];
}

/** A service behind the front door. */
export interface AwsService {
  /** Name in the credential scope. */
  readonly name: string;
  /** Largest request body that is read into memory; undefined: the operation streams the body. */
  readonly bodyLimit: number | undefined;
  readonly errors: CommonErrors;
  /**
   * Reads the request's operation, without performing it.
   * @throws {AwsError} the service does not understand the request
   */
  read(request: AwsRequest): AwsOperation;
  errorAnswer(error: AwsError, request: Pick<AwsRequest, "method">): AwsAnswer;
  close(): Promise<void>;
}

/** An answer in AWS JSON 1.0 or 1.1. */
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
 * The local services do only what Linkspan needs. They refuse unknown parameters, so that no test uses a
 * parameter that has no effect.
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
