import type { LinkspanError } from "../core/errors.ts";

/** Longer texts are cut, because they are too long for a user and for a URL. */
const MAX_CHARACTERS = 500;

/**
 * The vendor's reason for a refused sign-in: its `error_description`, else its `error`; cut to a limit,
 * without secrets.
 */
export function vendorDescription(error: Pick<LinkspanError, "detail">): string | undefined {
  const vendor = error.detail?.vendor;
  if (typeof vendor !== "object" || vendor === null) return undefined;
  const { error: code, error_description: description } = vendor as Record<string, unknown>;
  const words = [description, code].find((each): each is string => typeof each === "string" && each !== "");
  return words?.slice(0, MAX_CHARACTERS);
}
