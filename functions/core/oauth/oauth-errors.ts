import { cutSecrets } from "../cut-secrets.ts";

/** What a vendor said, fit to be passed on: bounded, and without the secrets that we sent. */
export interface OAuthErrorText {
  /** RFC 6749 section 5.2 `error`, or what stands for it. */
  readonly error: string;
  readonly description?: string;
}

const MAX_ERROR_CHARACTERS = 100;
const MAX_DESCRIPTION_CHARACTERS = 500;

/**
 * Reads the error of a token endpoint's answer. Some vendors put both parts into one field:
 * Dropbox answers `{"error": "invalid_client: Invalid client_id or client_secret"}`
 * (seen in https://github.com/s-aska/dropbox-api-command/issues/41).
 * @returns undefined when the answer holds no error that can be read
 */
export function oauthError(body: unknown, secrets: readonly string[]): OAuthErrorText | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { error, error_description: told } = body as Record<string, unknown>;
  if (typeof error !== "string" || error === "") return undefined;
  const [, code = error, rest] = /^([a-z][a-z0-9_.-]*):\s+(.+)$/s.exec(error) ?? [];
  const description = typeof told === "string" && told !== "" ? told : rest;
  return {
    error: cutSecrets(code, secrets).slice(0, MAX_ERROR_CHARACTERS),
    ...(description === undefined
      ? {}
      : { description: cutSecrets(description, secrets).slice(0, MAX_DESCRIPTION_CHARACTERS) }),
  };
}

/**
 * The client was refused, not the grant: RFC 6749 section 5.2, and Google's words for a client that its owner has
 * deleted or disabled (https://developers.google.com/identity/protocols/oauth2/web-server, "Authorization errors").
 */
export const CLIENT_ERRORS: ReadonlySet<string> = new Set([
  "invalid_client",
  "unauthorized_client",
  "deleted_client",
  "disabled_client",
]);
