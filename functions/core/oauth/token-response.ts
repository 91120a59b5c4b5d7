import type { Connector } from "../../connectors/define-connector.ts";
import type { TokenHooks, TokenRequestKind } from "../../connectors/token-hooks.ts";
import type { EndpointValues } from "../endpoint/endpoint.ts";
import { present } from "../present.ts";
import type { Numerals } from "../vendor-answer/parse-answer.ts";
import { asText, readAnswer } from "../vendor-answer/read-answer.ts";
import type { VendorResponse } from "../vendor-http.ts";
import { lifetimeOf } from "./lifetime.ts";
import { isKnown, refusalOf } from "./oauth-errors.ts";

/** No real token answer is nearly as large; a larger answer cannot be read. */
const MAX_BYTES = 1_000_000;

/** The vendor and the request that an answer belongs to. */
export interface TokenWire {
  readonly connector: Connector;
  readonly kind: TokenRequestKind;
  /** The connector's hooks. */
  readonly hooks: TokenHooks;
  readonly values: EndpointValues;
  /** The refresh token that was sent. */
  readonly refreshToken?: string;
}

/**
 * Brings a vendor's token answer into the form of RFC 6749 section 5, so that the library does not refuse a
 * grant for its form: a grant that is refused here is lost. Vendors differ in: how the body is packed, framed
 * and encoded (vendor-answer/read-answer.ts); numbers as strings; members of a wrong type; `null` for absent;
 * an unknown `token_type` or none; an `error` under status 200, or in another form (oauth-errors.ts); a grant
 * under 201; challenges and ID tokens that were not asked for. Before that, the connector's `tokenResponse`
 * hook corrects what differs at one vendor only. An answer that is neither JSON nor a form is passed on without
 * a body.
 * @param timeoutMs time left for the body, in milliseconds
 * @returns the answer for the library, and the status of the vendor or the hook
 */
export async function readTokenResponse(
  response: VendorResponse,
  timeoutMs: number,
  wire?: TokenWire,
): Promise<{ readonly response: Response; readonly status: number }> {
  const { value, numerals } = await readAnswer(response, { maxBytes: MAX_BYTES, timeoutMs, forms: true });
  const headers = { "Content-Type": "application/json" };
  if (typeof value !== "object" || value === null) {
    return {
      response: new Response(null, { status: valid(response.status), headers }),
      status: response.status,
    };
  }
  const oauth2 = wire?.connector.oauth2;
  // Salesforce's API answers with a list of errors.
  const object = Array.isArray(value) ? { errors: value } : (value as Record<string, unknown>);
  const answered = { status: response.status, body: object };
  const { status, body: told } =
    wire === undefined
      ? answered
      : (wire.hooks.tokenResponse?.({ kind: wire.kind, ...answered }) ?? answered);
  const perSecond = oauth2?.accessToken.expiresInUnit === "milliseconds" ? 1000 : 1;
  const body = normalized(told, perSecond, isNumberIn(told, value, numerals), wire?.refreshToken);
  const isGrant = typeof body.access_token === "string";
  const said = isGrant ? undefined : refusalOf(told, status);
  // Under 2xx, members of a bare list count as errors only if their codes are known.
  const isBareList = Array.isArray(value) && told === object && status < 300;
  const refusal = said !== undefined && isBareList && !isKnown(said.error) ? undefined : said;
  if (refusal !== undefined) Object.assign(body, refusal);
  const granted = status > 200 && status < 300 && isGrant;
  // A revocation under 202 with an error has not revoked its token either.
  const failed = refusal !== undefined && (status === 200 || (wire === undefined && status < 300));
  const seen = granted ? 200 : failed ? 400 : withBody(status);
  return { response: Response.json(body, { status: seen, headers }), status };
}

/**
 * Whether the refresh token was a number: in the answer's outermost object, or in the object that the
 * connector's hook returns. If the hook makes a new object, a number with the same text in the answer counts.
 */
function isNumberIn(told: Readonly<Record<string, unknown>>, answer: object, numerals: Numerals): boolean {
  const { refresh_token: token } = told;
  if (typeof token === "number" || numerals.get(told)?.has("refresh_token") === true) return true;
  return told !== answer && [...numerals.values()].some((digits) => digits.get("refresh_token") === token);
}

/** A `Response` can only have a status of this range. */
function valid(status: number): number {
  return status < 200 || status > 599 ? 502 : status;
}

/**
 * A valid status for a `Response` with a body. Statuses 204, 205 and 304 have no body, but a hook may return
 * them with one.
 */
function withBody(status: number): number {
  return [204, 205].includes(status) ? 200 : status === 304 ? 502 : valid(status);
}

/**
 * The usable members, each of the type that RFC 6749 section 5.1 requires. A member of another type is dropped
 * or converted to text, so that the grant is not lost.
 * @param perSecond how many units of the vendor's `expires_in` make a second
 * @param isNumeral whether the refresh token came as a number
 */
function normalized(
  told: Readonly<Record<string, unknown>>,
  perSecond: number,
  isNumeral: boolean,
  sentRefreshToken: string | undefined,
): Record<string, unknown> {
  const { access_token, refresh_token, expires_in, scope, token_type, id_token: _, ...others } = told;
  // Some vendors' tokens end with a line break. No header can carry it, and it does not belong into a form.
  const accessToken = asText(access_token);
  const refreshToken = asText(refresh_token);
  const keepsOld = isNumeral && !isPlausibleNumericToken(refreshToken, sentRefreshToken);
  const expiresIn = lifetimeOf(expires_in, perSecond);
  const scopes = Array.isArray(scope) ? scope.filter((each) => typeof each === "string").join(" ") : scope;
  return {
    ...Object.fromEntries(Object.entries(others).filter(([, value]) => isKept(value))),
    ...(refreshToken === undefined || keepsOld ? {} : { refresh_token: refreshToken }),
    ...present({ expires_in: expiresIn }),
    ...(typeof scopes === "string" && scopes !== "" ? { scope: scopes } : {}),
    ...(accessToken === undefined
      ? {}
      : {
          access_token: accessToken,
          // The library only knows "bearer" and "dpop"; the vendor's own type is passed beside it.
          token_type: "bearer",
          ...(typeof token_type === "string" && token_type !== "" ? { [VENDOR_TOKEN_TYPE]: token_type } : {}),
        }),
  };
}

/**
 * A number counts as a refresh token if no previous refresh token is known, or if the previous one consists of digits.
 * Otherwise it is a vendor's flag (`0`, `1`), and the previous token is kept.
 */
function isPlausibleNumericToken(told: string | undefined, before: string | undefined): boolean {
  return told !== "0" && (before === undefined || /^\d+$/.test(before));
}

/** Only texts and numbers are kept with a grant. */
function isKept(value: unknown): boolean {
  return (typeof value === "string" && value !== "") || typeof value === "number";
}

/** Where `normalized` keeps the vendor's own `token_type`. */
export const VENDOR_TOKEN_TYPE = "linkspan_token_type";
