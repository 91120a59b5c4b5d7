import type { LinkspanError } from "../core/errors.ts";

/** Longer texts are cut: too long for people to read, and for a URL. */
const MAX_CHARACTERS = 500;
const MAX_DEPTH = 4;

/** Members that vendors put their words in, the best one first. */
const MEMBERS = [
  "error_description",
  "user_message",
  "message",
  "error_summary",
  "errorMessage",
  "text",
  "detail",
  "title",
  "error",
  "errors",
  "answer",
];

/**
 * What the vendor says in an error, as one text: `providerMessage` beside our own message, and the text of a page. Secrets
 * are cut out of `detail.vendor` already.
 * @returns undefined: the vendor says nothing that people can read
 */
export function providerMessage({ detail }: Pick<LinkspanError, "detail">): string | undefined {
  return textIn(detail?.vendor, 0)?.slice(0, MAX_CHARACTERS);
}

function textIn(value: unknown, depth: number): string | undefined {
  if (typeof value === "string") {
    const text = value.trim();
    // A web page says nothing that fits into a line.
    return text === "" || text.startsWith("<") ? undefined : text;
  }
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return undefined;
  const members = Array.isArray(value)
    ? value.slice(0, 3)
    : MEMBERS.map((name) => (value as Record<string, unknown>)[name]);
  for (const member of members) {
    const text = textIn(member, depth + 1);
    if (text !== undefined) return text;
  }
  return undefined;
}
