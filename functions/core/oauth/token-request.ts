import { type ClientAuth, ClientSecretBasic, ClientSecretPost, None } from "oauth4webapi";
import type { Connector } from "../../connectors/define-connector.ts";
import type { ClientCredentials } from "../grant/ports.ts";
import type { VendorHttp } from "../vendor-http.ts";
import { hostsOf } from "./connector-url.ts";
import { readTokenResponse } from "./token-response.ts";

/** How the vendor wants to know its client (RFC 6749 section 2.3.1). */
export function clientAuthentication(connector: Connector, client: ClientCredentials): ClientAuth {
  switch (connector.oauth2.clientAuthentication) {
    case "client_secret_basic":
      return ClientSecretBasic(client.secret);
    case "client_secret_post":
      return ClientSecretPost(client.secret);
    case "none":
      return None();
  }
}

/** What oauth4webapi hands to its `customFetch`. */
interface FetchOptions {
  readonly body?: URLSearchParams | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly method: string;
}

export interface Exchange {
  readonly fetch: (url: string, options: FetchOptions) => Promise<Response>;
  /** Whether a byte may have gone out. */
  readonly sent: () => boolean;
  /** As the vendor gave it: `Retry-After` in milliseconds. */
  readonly retryAfterMs: () => number | undefined;
  /** The answer's status, once there is one. */
  readonly status: () => number | undefined;
}

/**
 * One request on the wire, as a `fetch` for oauth4webapi: over our own port (a vendor's hosts only, bytes as they are),
 * on a connection of its own, and never given up before `timeoutMs`. The library sees the answer as RFC 6749 has it
 * (see token-response.ts).
 */
export function exchange(
  http: VendorHttp,
  request: { readonly timeoutMs: number; readonly beforeSend?: () => void },
): Exchange {
  let sent = false;
  let status: number | undefined;
  let retryAfterMs: number | undefined;
  return {
    sent: () => sent,
    status: () => status,
    retryAfterMs: () => retryAfterMs,
    async fetch(url, options) {
      let startedAt = performance.now();
      const response = await http.send({
        method: options.method,
        url,
        headers: [...Object.entries(options.headers), ["accept-encoding", "identity"]],
        body: options.body?.toString(),
        allowedHosts: hostsOf(url),
        timeoutMs: request.timeoutMs,
        idleTimeoutMs: request.timeoutMs,
        freshConnection: true,
        beforeSend: () => {
          request.beforeSend?.();
          sent = true;
          startedAt = performance.now();
        },
      });
      sent = true;
      status = response.status;
      retryAfterMs = retryAfter(response.headers);
      const leftMs = request.timeoutMs - (performance.now() - startedAt);
      // The patience covers the body too: one that drips would outlive the lease.
      return await readTokenResponse(response, Math.max(leftMs, 0));
    },
  };
}

/** RFC 9110 section 10.2.3: seconds, or a date, which is read against the vendor's own clock. */
function retryAfter(headers: Readonly<Record<string, string>>): number | undefined {
  const value = headers["retry-after"]?.trim();
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const ms = Date.parse(value) - Date.parse(headers.date ?? "");
  return Number.isFinite(ms) ? Math.max(ms, 0) : undefined;
}
