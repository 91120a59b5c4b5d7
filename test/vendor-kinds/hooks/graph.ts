import type { TokenAnswer, TokenHooks } from "../../../functions/connectors/token-hooks.ts";

/** Codes and subcodes: https://developers.facebook.com/docs/graph-api/guides/error-handling */
const THROTTLED: readonly unknown[] = [4, 17, 32, 613];
const TOKEN_ENDED = 190;
/** 190 with these subcodes: the user has to do something at the vendor, and the token stays valid. */
const USER_CHECKPOINT: readonly unknown[] = [459, 464];

/** Graph's errors are objects: `{"error": {"message", "type", "code", "error_subcode"}}`. */
export function tokenResponse({
  status,
  body,
}: TokenAnswer): ReturnType<NonNullable<TokenHooks["tokenResponse"]>> {
  const { error } = body;
  if (typeof error !== "object" || error === null) return { status, body };
  const { code, error_subcode: subcode, message } = error as Record<string, unknown>;
  const error_description = message;
  if (THROTTLED.includes(code)) return { status: 429, body: { error: "throttled", error_description } };
  if (code === TOKEN_ENDED && !USER_CHECKPOINT.includes(subcode)) {
    return { status, body: { error: "invalid_grant", error_description } };
  }
  return { status, body: { error: `graph_${code}`, error_description } };
}
