import type { LinkspanError } from "../core/errors.ts";

/** Longer texts are cut: too long for a user to read, and for a URL. */
const MAX_CHARACTERS = 500;

/** What the vendor said to a sign-in that it refused: its `error_description`, else its `error`; bounded, secrets cut out. */
export function vendorDescription(error: Pick<LinkspanError, "detail">): string | undefined {
  const vendor = error.detail?.vendor;
  if (typeof vendor !== "object" || vendor === null) return undefined;
  const { error: code, error_description: description } = vendor as Record<string, unknown>;
  const words = [description, code].find((each): each is string => typeof each === "string" && each !== "");
  return words?.slice(0, MAX_CHARACTERS);
}
