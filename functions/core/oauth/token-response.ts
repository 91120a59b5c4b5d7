import type { Connector } from "../../connectors/define-connector.ts";
import type { TokenRequestKind } from "../../connectors/token-hooks.ts";
import { readBody } from "../read-body.ts";
import type { VendorResponse } from "../vendor-http.ts";

/** No token answer comes near this; a vendor that sends more is not one that we can read. */
const MAX_BYTES = 1_000_000;

/** More than a century is a vendor's way of saying "never" (`2^63 - 1`), and no date that can be reckoned with. */
const MAX_EXPIRES_IN_SECONDS = 100 * 365 * 86_400;

/**
 * A vendor's token answer as RFC 6749 section 5 has it, so that the library reads what is there instead of refusing a
 * grant for its form: a grant that is refused here is lost. What differs in the wild:
 * form-encoded bodies; JSON under another content type; numbers as strings; `null` for absent; an unknown `token_type`
 * or none; an `error` under status 200; a grant under 201; challenges and ID tokens, which nobody asked for.
 * What differs at one vendor only, its connector's `tokenResponse` mends before.
 * An answer that is none of that keeps its status and has no body.
 * @param timeoutMs left for the body, in milliseconds
 * @returns the answer for the library, and the status that counts
 */
export async function readTokenResponse(
  response: VendorResponse,
  timeoutMs: number,
  wire?: { readonly connector: Connector; readonly kind: TokenRequestKind },
): Promise<{ readonly response: Response; readonly status: number }> {
  const bytes = await readBody(response, MAX_BYTES, timeoutMs);
  const found = parse(bytes.toString("utf8"), response.headers["content-type"] ?? "");
  const headers = { "Content-Type": "application/json" };
  if (found === undefined) {
    return {
      response: new Response(null, { status: plain(response.status), headers }),
      status: response.status,
    };
  }
  const oauth2 = wire?.connector.oauth2;
  const answered = { status: response.status, body: found };
  const { status, body: told } =
    wire === undefined ? answered : (oauth2?.tokenResponse?.({ kind: wire.kind, ...answered }) ?? answered);
  const body = normalized(told, oauth2?.accessToken.expiresInUnit === "milliseconds" ? 1000 : 1);
  const granted = status > 200 && status < 300 && typeof body.access_token === "string";
  const failed = status === 200 && typeof body.error === "string" && body.access_token === undefined;
  const seen = granted ? 200 : failed ? 400 : plain(status);
  return { response: Response.json(body, { status: seen, headers }), status };
}

/** A `Response` with a body may not have these; none of them carries a token. */
function plain(status: number): number {
  return status < 200 || status > 599 || [204, 205, 304].includes(status) ? 502 : status;
}

function parse(text: string, contentType: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text, wholeNumber);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return /^application\/x-www-form-urlencoded\b/i.test(contentType)
      ? Object.fromEntries(new URLSearchParams(text))
      : undefined;
  }
}

/** Vendors' ids may be integers beyond 2^53 (Meta's `user_id`): they stay as written, as text. */
function wholeNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  return typeof value === "number" &&
    source !== undefined &&
    /^-?\d+$/.test(source) &&
    !Number.isSafeInteger(value)
    ? source
    : value;
}

/** @param perSecond how many units of the vendor's `expires_in` make a second */
function normalized(found: Readonly<Record<string, unknown>>, perSecond: number): Record<string, unknown> {
  const { id_token: _, ...body } = Object.fromEntries(
    Object.entries(found).filter(([, value]) => value !== null && value !== ""),
  );
  const expiresIn = Number(body.expires_in) / perSecond;
  if (body.expires_in !== undefined) {
    if (expiresIn > 0 && expiresIn <= MAX_EXPIRES_IN_SECONDS) body.expires_in = expiresIn;
    else delete body.expires_in;
  }
  if (Array.isArray(body.scope)) body.scope = body.scope.join(" ");
  if (body.scope !== undefined && typeof body.scope !== "string") delete body.scope;
  if (typeof body.access_token === "string") {
    // The library knows "bearer" and "dpop" only; the vendor's word goes along beside it.
    if (typeof body.token_type === "string") body[VENDOR_TOKEN_TYPE] = body.token_type;
    body.token_type = "bearer";
  }
  return body;
}

/** Where `normalized` keeps the vendor's own `token_type`. */
export const VENDOR_TOKEN_TYPE = "linkspan_token_type";
