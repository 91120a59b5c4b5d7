import type { Readable } from "node:stream";
import type { TenantUse } from "../core/tenants/tenant-use.ts";

/** One HTTP request as handlers see it. */
export interface HttpRequest {
  readonly method: string;
  /** Percent-encoded as sent, below the base path: `/files/metadata`. */
  readonly path: string;
  /** The whole path as it came; `path` has single slashes only. */
  readonly sentPath?: string;
  /** Path parameters of the matched route, percent-encoded as sent; `decodeSegment` opens one. */
  readonly params: Readonly<Record<string, string>>;
  /** Decoded pairs. Empty values are absent already; `tags[]` keeps its name. */
  readonly query: URLSearchParams;
  /** Every decoded pair, the empty ones too: what the raw proxy passes on. */
  readonly queryPairs?: readonly (readonly [name: string, value: string])[];
  /** Lower-case names; several values joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty when there is none; never more than about 4.5 MB. */
  readonly body: Buffer;
  readonly requestId: string;
  readonly sourceIp: string;
  /** Absolute URL of the API as the caller reached it, without a slash at the end: `https://…/elements/api-v2`. */
  readonly baseUrl: string;
  /** Milliseconds until Lambda ends this invocation. */
  readonly remainingMs: () => number;
  /** Work that goes on after the caller has its answer; the invocation ends when it has settled. Its failure is logged. */
  readonly afterAnswer: (work: Promise<unknown>) => void;
  /** Counts what organizations use, where the operator set a bound; `authorize.ts` asks it. */
  readonly tenantUse?: Pick<TenantUse, "admit">;
  /** Added by a handler as it learns them; they go into the request's log line and metrics, never into the answer. */
  readonly logContext: {
    connector?: string;
    organizationId?: string;
    userId?: string;
    instanceId?: number;
    route?: string;
    /** Code of an error that is answered otherwise than as an error: by a redirect or on a page. */
    code?: string;
    /** Action name in the audit trail, in place of the route's own. */
    action?: string;
    /** Names of the fields that the call changes, never a value. */
    changed?: readonly string[];
  };
}

/** What a handler answers. `json` or `body`, not both. */
export interface HttpResponse<Json = unknown> {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: Json;
  /** A stream is passed on byte for byte; when it fails after the first byte the caller sees a cut answer. */
  readonly body?: string | Uint8Array | Readable;
  /** Called when the answer was written or given up. */
  readonly onEnd?: () => void;
}

/** A handler that reads all of the request itself: pages, and what is passed on to vendors. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse<never>>;

export const json = <Json>(
  value: Json,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse<Json> => ({
  status: 200,
  headers,
  json: value,
});
