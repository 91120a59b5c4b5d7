import { readBody } from "../read-body.ts";
import type { VendorResponse } from "../vendor-http.ts";

/** No token answer comes near this; a vendor that sends more is not one that we can read. */
const MAX_BYTES = 1_000_000;

/**
 * A vendor's token answer as RFC 6749 section 5 has it, so that the library reads what is there instead of refusing a
 * grant for its form: a grant that is refused here is lost. What differs in the wild:
 * form-encoded bodies; JSON under another content type; numbers as strings; `null` for absent; an unknown `token_type`
 * or none; an `error` under status 200; challenges and ID tokens, which nobody asked for.
 * An answer that is none of that keeps its status and has no body.
 * @param timeoutMs left for the body, in milliseconds
 */
export async function readTokenResponse(response: VendorResponse, timeoutMs: number): Promise<Response> {
  const bytes = await readBody(response, MAX_BYTES, timeoutMs);
  const found = parse(bytes.toString("utf8"), response.headers["content-type"] ?? "");
  const headers = { "Content-Type": "application/json" };
  if (found === undefined) return new Response(null, { status: plain(response.status), headers });
  const body = normalized(found);
  const failed = response.status === 200 && typeof body.error === "string" && body.access_token === undefined;
  return Response.json(body, { status: failed ? 400 : plain(response.status), headers });
}

/** A `Response` with a body may not have these; none of them carries a token. */
function plain(status: number): number {
  return status < 200 || status > 599 || [204, 205, 304].includes(status) ? 502 : status;
}

function parse(text: string, contentType: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return /^application\/x-www-form-urlencoded\b/i.test(contentType)
      ? Object.fromEntries(new URLSearchParams(text))
      : undefined;
  }
}

function normalized(found: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { id_token: _, ...body } = Object.fromEntries(
    Object.entries(found).filter(([, value]) => value !== null && value !== ""),
  );
  const expiresIn = Number(body.expires_in);
  if (body.expires_in !== undefined) {
    if (Number.isFinite(expiresIn) && expiresIn > 0) body.expires_in = expiresIn;
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
