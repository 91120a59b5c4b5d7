import type { LinkspanRefusal } from "./linkspan-client.ts";

/** What a refusal means to the person at the page, and what they can do. */
const WORDS: Readonly<Record<string, string>> = {
  needs_reauthentication: "The vendor has ended this connection. Sign in again to go on.",
  vendor_unauthorized:
    "The vendor refuses the access token, and the token is less than a minute old: after a vendor's 401, Linkspan gets a new token at most once a minute. Wait a little and open the folder again, or refresh now.",
  refresh_too_soon: "The token was refreshed less than a minute ago. Wait a minute, then try again.",
  instance_disabled: "This connection is disabled. An app enables it again with PUT /instances/{id}/enabled.",
  not_found: "It is no longer there. Somebody else may have moved or deleted it.",
  conflict: "Something with this name is here already. Choose another name.",
  storage_full: "The account's storage is full. Delete something first.",
  forbidden: "The vendor does not allow this to your account.",
  rate_limited: "The vendor takes no more calls for a moment. Wait a little, then try again.",
  vendor_rate_limited: "The vendor takes no more calls for a moment. Wait a little, then try again.",
  payload_too_large: "The file is too large: one request takes about 4.5 MB.",
  body_too_large: "The file is too large: one request takes about 4.5 MB.",
  vendor_error: "The vendor has a problem. Wait a little, then try again.",
  vendor_timeout: "The vendor did not answer in time. Try again.",
  vendor_unreachable: "The vendor cannot be reached. Wait a little, then try again.",
  vendor_unavailable: "The vendor cannot be reached. Wait a little, then try again.",
  token_unavailable: "No new token could be had from the vendor. Wait a little, then try again.",
  invalid_claim: "This sign-in was finished already, or belongs to somebody else. Start it again.",
  already_claimed: "This sign-in was finished already.",
  end_user_mismatch: "Somebody else started this sign-in. What was granted is revoked.",
  unknown_session: "This sign-in took too long. Start it again.",
};

/** The words for a code; for any other code Linkspan's own message. */
export function inWords({ code, message }: Pick<LinkspanRefusal, "code" | "message">): string {
  return WORDS[code] ?? `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

/** What an `error` at the return URL means; the person's own "no" is no failure. */
export function returnedInWords(error: string): string {
  return (
    WORDS[error] ??
    (error === "invalid_code"
      ? "The vendor did not accept its own code. Start the sign-in again."
      : `The sign-in did not succeed: ${error}. Start it again.`)
  );
}
