import type { Readable } from "node:stream";
import type { TenantUse } from "../core/tenants/tenant-use.ts";

/** One HTTP request as handlers see it. */
export interface HttpRequest {
  readonly method: string;
  /** Percent-encoded as sent, below the base path: `/files/metadata`. */
  readonly path: string;
  /** The whole path as sent; `path` has single slashes only. */
  readonly hasDoubleSlashes?: boolean;
  /** Path parameters of the matched route, percent-encoded as sent; `decodeSegment` decodes one. */
  readonly params: Readonly<Record<string, string>>;
  /** Decoded pairs without empty values; `tags[]` keeps its name. */
  readonly query: URLSearchParams;
  /** All decoded pairs, including empty values; the raw proxy passes them on. */
  readonly queryPairs?: readonly (readonly [name: string, value: string])[];
  /** Lower-case names; several values joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty if the request has no body; never more than about 4.5 MB. */
  readonly body: Buffer;
  readonly requestId: string;
  readonly sourceIp: string;
  /** Absolute URL of the API as the caller reached it, without a slash at the end: `https://…/elements/api-v2`. */
  readonly baseUrl: string;
  /** Milliseconds until Lambda ends this invocation. */
  readonly remainingMs: () => number;
  /**
   * Adds work that continues after the answer. The invocation ends when this work has settled; a failure is
   * logged.
   */
  readonly afterAnswer: (work: Promise<unknown>) => void;
  /** Counts organizations' requests, if the operator has set a limit; `authorize.ts` calls it. */
  readonly tenantUse?: Pick<TenantUse, "admit">;
  /**
   * Values for the request's log line and metrics, never for the answer. Handlers add them when they know
   * them.
   */
  readonly logContext: {
    connector?: string;
    organizationId?: string;
    userId?: string;
    instanceId?: number;
    route?: string;
    /** Code of an error that is answered by a redirect or on a page, not as JSON. */
    code?: string;
    /** Action name in the audit trail, in place of the route's action name. */
    action?: string;
    /** Names of the fields that the call changes, never a value. */
    changed?: readonly string[];
  };
}

/** A handler's answer. Set `json` or `body`, not both. */
export interface HttpResponse<Json = unknown> {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: Json;
  /**
   * A stream is passed on unchanged. If it fails after the first byte, the caller gets an incomplete answer.
   */
  readonly body?: string | Uint8Array | Readable;
  /** Called after the answer was written, or after writing it has failed. */
  readonly onEnd?: () => void;
}

/**
 * A handler that reads the whole request itself: for pages, and for requests that are passed on to vendors.
 */
export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse<never>>;

export const json = <Json>(
  value: Json,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse<Json> => ({
  status: 200,
  headers,
  json: value,
});
