/**
 * Values of `error` that can only mean that the grant is dead, in lower case. A refresh sends only the refresh
 * token, so an error about an invalid token means the refresh token.
 */
const DEAD_GRANT: ReadonlySet<string> = new Set([
  // https://www.rfc-editor.org/rfc/rfc6749#section-5.2
  "invalid_grant",
  // https://openid.net/specs/openid-connect-core-1_0.html#AuthError; Microsoft sends these from its token
  // endpoint:
  // https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow#error-codes-for-token-endpoint-errors
  "interaction_required",
  "consent_required",
  "login_required",
  // https://www.rfc-editor.org/rfc/rfc6750#section-3.1; Google's revocation, Fitbit and others use it for a
  // refresh token.
  "invalid_token",
  "expired_token",
  // HubSpot (in capitals), Auth0 and others.
  "bad_refresh_token",
  "invalid_refresh_token",
  "expired_refresh_token",
  "revoked_refresh_token",
  "refresh_token_invalid",
  "refresh_token_expired",
  "refresh_token_revoked",
  "refresh_token_reused",
  "refresh_token_already_used",
]);

/** Whether an `error` can only mean a dead grant, at any vendor. Case does not count. */
export function isDeadGrantWord(error: string): boolean {
  return DEAD_GRANT.has(error.toLowerCase());
}

/**
 * Whether a refusal says that the grant is dead: by an error code that always means a dead grant, by a code
 * that means it at this vendor, or by `invalid_request` with a description that calls the refresh token
 * invalid.
 * @param words the connector's `deadGrantErrors`
 */
export function isDeadGrant(
  { error, description }: { readonly error: string; readonly description?: string },
  words: readonly string[] = [],
): boolean {
  const word = error.toLowerCase();
  if (isDeadGrantWord(word) || words.some((each) => each.toLowerCase() === word)) return true;
  return word === "invalid_request" && description !== undefined && blamesRefreshToken(description);
}

/** Words that blame the request or the client, not the token. */
const ANOTHER_REASON =
  /\b(?:missing|required|must|unsupported|malformed|parameters?|client|secret|redirect|scopes?|application|app)\b/;
const VERDICT = /\b(?:invalid|expired|revoked|reused|not valid|no longer valid|(?:already|been|was) used)\b/;

/** RFC 6749 uses `invalid_request` for a request that lacks something; some vendors also use it for a dead token. */
function blamesRefreshToken(description: string): boolean {
  const said = description.toLowerCase().replaceAll("_", " ");
  return /\brefresh ?token\b/.test(said) && VERDICT.test(said) && !ANOTHER_REASON.test(said);
}
