import { JsonTooDeep, parseJson } from "../parse-json.ts";

/** The parsed content of a body. */
export interface ParsedAnswer {
  /** The value of JSON, or the members of a form. */
  readonly value: unknown;
  /** For each object in the value: which tokens (`TOKENS`) were JSON numbers, with their digits as text. */
  readonly numerals: Numerals;
  /**
   * Set if the JSON is nested too deep: the value then contains only the texts, numbers and booleans of the
   * outermost object.
   */
  readonly isTooDeep?: true;
}

/** For each object: the names of its token members, and the text that replaces the number. */
export type Numerals = ReadonlyMap<object, ReadonlyMap<string, string>>;

/** Opaque texts (RFC 6749 sections 1.4 and 1.5) that some vendors write as JSON numbers. */
const TOKENS: readonly string[] = ["access_token", "refresh_token"];

/**
 * Parses JSON under any content type. Integers beyond 2^53 are kept as text, as they were written (Meta's
 * `user_id`); so are tokens of any size.
 * @returns undefined: the text is not JSON
 */
export function parseJsonAnswer(text: string): ParsedAnswer | undefined {
  const numerals = new Map<object, Map<string, string>>();
  function exact(this: object, key: string, value: unknown, context?: { readonly source?: string }): unknown {
    const source = context?.source;
    if (typeof value !== "number" || source === undefined) return value;
    if (TOKENS.includes(key)) {
      const digits = numerals.get(this) ?? new Map<string, string>();
      numerals.set(this, digits.set(key, source));
      return source;
    }
    return /^-?\d+$/.test(source) && !Number.isSafeInteger(value) ? source : value;
  }
  try {
    return { value: parseJson(text, exact), numerals };
  } catch (error) {
    return error instanceof JsonTooDeep ? plainMembers(text) : undefined;
  }
}

/**
 * Reads the outermost members with JSON.parse, which does not recurse. A grant must not be lost because of deep
 * nesting beside it.
 */
function plainMembers(text: string): ParsedAnswer | undefined {
  try {
    const members = Object.entries(JSON.parse(text) as object);
    const value = Object.fromEntries(members.filter(([, each]) => typeof each !== "object"));
    return { value, numerals: new Map(), isTooDeep: true };
  } catch {
    return undefined;
  }
}

/** Only an object or a list shows where it ends: `12` may be the beginning of `123`. */
export function isWholeJson(text: string): boolean {
  return /^[[{]/.test(text) && parseJsonAnswer(text) !== undefined;
}

const MEMBER = /^[A-Za-z_][\w.[\]%:-]*=/;
const STRICT_MEMBER = /^[A-Za-z_][\w.[\]%:-]*=[^\s<>"{}\\]*$/;

/** One of these must be in a body that is not declared as a form. */
const OF_AN_ANSWER = /(?:^|&)(?:access_token|error)=/;

/**
 * Parses a form (RFC 6749 predates those vendors that answer with one), under any content type. If the content
 * type is not that of a form, each member must look like a member, and there must be an access token or an
 * error: so no page and no sentence is taken for a form. A grant under 2xx, or a body that starts with an error
 * code, is checked less strictly, because some vendors do not encode spaces: each member must start like one,
 * and there must be no `<`.
 * @returns undefined: the text is not a form
 */
export function parseForm(text: string, contentType: string, isSuccess = false): ParsedAnswer | undefined {
  const isDeclared = /^application\/x-www-form-urlencoded\b/i.test(contentType);
  const isForm = isDeclared
    ? MEMBER.test(firstMember(text))
    : OF_AN_ANSWER.test(text) && holdsMembers(text, isSuccess);
  if (!isForm) return undefined;
  return { value: Object.fromEntries(new URLSearchParams(text)), numerals: new Map() };
}

/** Some forms begin with `&`. */
function firstMember(text: string): string {
  return text.split("&").find((each) => each !== "") ?? "";
}

function holdsMembers(text: string, isSuccess: boolean): boolean {
  const isClear = (isSuccess && /(?:^|&)access_token=/.test(text)) || /^error=[a-z_]+(?:&|$)/.test(text);
  const member = isClear && !text.includes("<") ? MEMBER : STRICT_MEMBER;
  return text.split("&").every((each) => each === "" || member.test(each));
}
