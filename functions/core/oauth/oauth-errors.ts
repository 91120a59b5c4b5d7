import { cutSecrets } from "../cut-secrets.ts";
import { isDeadGrantWord } from "./dead-grant.ts";

/** A vendor's error, safe to pass on: bounded, and without the secrets that we sent. */
export interface OAuthErrorText {
  /** RFC 6749 section 5.2 `error`, or the vendor's equivalent. */
  readonly error: string;
  readonly description?: string;
}

/** The same error in the form of RFC 6749 section 5.2. */
export interface Refusal {
  readonly error: string;
  readonly error_description?: string;
}

const MAX_ERROR_CHARACTERS = 100;
const MAX_DESCRIPTION_CHARACTERS = 500;

/**
 * Reads the error of an answer in RFC 6749's form, or in another form that `refusalOf` knows.
 * @param status see `refusalOf`
 * @returns undefined: the answer contains no error that can be read
 */
export function oauthError(
  body: unknown,
  secrets: readonly string[],
  status = 400,
): OAuthErrorText | undefined {
  const object = Array.isArray(body) ? { errors: body } : body;
  const refusal = isObject(object) ? refusalOf(object, status) : undefined;
  if (refusal === undefined) return undefined;
  const { error, error_description: description } = refusal;
  return {
    error: cutSecrets(error, secrets).slice(0, MAX_ERROR_CHARACTERS),
    ...(description === undefined
      ? {}
      : { description: cutSecrets(description, secrets).slice(0, MAX_DESCRIPTION_CHARACTERS) }),
  };
}

/**
 * The refusal in a token, revocation or account endpoint's answer, in any of the usual forms:
 * `{error, error_description}` (RFC 6749 section 5.2); both parts in one field, as Dropbox answers
 * `{"error": "invalid_client: Invalid client_id or client_secret"}`
 * (seen in https://github.com/s-aska/dropbox-api-command/issues/41); `{error: {code, message}}`, `{error: [...]}`;
 * `{errors: [{errorType, message}]}`
 * (https://dev.fitbit.com/build/reference/web-api/troubleshooting-guide/error-messages/) or a single such object;
 * `{error: {errors: [{reason}]}}` (Google's APIs); `{status: "BAD_REFRESH_TOKEN", message}` (HubSpot).
 * Of several codes a client error wins, then a request error if it is the first code, then a dead-grant code,
 * then the first code.
 * @param status of the answer: below 400 a code counts only if it is in an `error` or `errors` member, or has
 *   only one meaning
 * @returns undefined: the answer contains no error that can be read
 */
export function refusalOf(body: Readonly<Record<string, unknown>>, status: number): Refusal | undefined {
  const found = [...refusalsIn(body, status)];
  const [first] = found;
  const client = found.find(({ error }) => isClientError(error));
  if (client !== undefined || first === undefined || isOfTheRequest(first.error)) return client ?? first;
  return found.find(({ error }) => isDeadGrantWord(error)) ?? first;
}

function* refusalsIn(body: Readonly<Record<string, unknown>>, status: number): Generator<Refusal> {
  const description = descriptionIn(body);
  for (const told of [...listed(body.error), ...listed(body.errors)]) yield* refusalsOf(told, description);
  const coded = inMembers(body, CODE_MEMBERS);
  if (coded !== undefined && (status >= 400 || isKnown(coded.error))) yield coded;
  // These members often hold something other than an error, so only known error codes count.
  const stated = inMembers(body, ["status", "type", "reason"]);
  if (stated !== undefined && isKnown(stated.error)) yield stated;
}

function* refusalsOf(told: unknown, description: string | undefined, depth = 1): Generator<Refusal> {
  if (typeof told === "string") {
    const refusal = inOneField(told, description);
    if (refusal !== undefined) yield refusal;
  }
  if (!isObject(told)) return;
  for (const names of [CODE_MEMBERS, ["status"], ["type"], ["reason"]]) {
    const refusal = inMembers(told, names, description);
    if (refusal !== undefined) yield refusal;
  }
  if (depth === MAX_DEPTH) return;
  const inner = descriptionIn(told) ?? description;
  // `inMembers` has read a string in `error`.
  const errors = listed(told.error).filter((each) => typeof each !== "string");
  for (const each of [...errors, ...listed(told.errors)]) yield* refusalsOf(each, inner, depth + 1);
}

/** Maximum depth of errors within errors. */
const MAX_DEPTH = 3;

/** A single value, or the first few of a list. */
function listed(told: unknown): readonly unknown[] {
  return Array.isArray(told) ? told.slice(0, MAX_LISTED) : [told];
}

const MAX_LISTED = 5;

/** Whether an error is about the grant or the client, and can mean nothing else. */
export function isKnown(error: string): boolean {
  return isDeadGrantWord(error) || isClientError(error);
}

function inOneField(told: string, description: string | undefined): Refusal | undefined {
  if (told.trim() === "") return undefined;
  const { code, text } = split(told);
  return refusal(code, description ?? text);
}

/**
 * Splits a text into an error code and the description after the colon. After an unknown code the colon must be followed by a
 * blank, because `https:` is no code.
 */
function split(told: string): { readonly code: string; readonly text?: string } {
  const colon = told.indexOf(":");
  const code = colon === -1 ? "" : told.slice(0, colon).trim();
  const isCode =
    isKnown(code) ||
    isOfTheRequest(code) ||
    (/\s/.test(told.charAt(colon + 1)) && /^(?:[a-z][a-z0-9_.-]*|[A-Za-z][A-Za-z0-9]*_[\w.-]*)$/.test(code));
  return isCode ? { code, text: told.slice(colon + 1).trim() } : { code: told.trim() };
}

/** Names under which vendors put the code of an error, the most specific first. */
const CODE_MEMBERS = ["code", "errorType", "error", "errorCode", "error_code"] as const;
const DESCRIPTION_MEMBERS = ["error_description", "message", "description", "detail", "title"] as const;

/** @param around description from the enclosing object */
function inMembers(
  told: Readonly<Record<string, unknown>>,
  names: readonly string[],
  around?: string,
): Refusal | undefined {
  for (const name of names) {
    const value = told[name];
    if (typeof value !== "string") continue;
    const { code, text } = split(value);
    // A number or a sentence is not an error code.
    if (/^[A-Za-z][\w.-]{2,99}$/.test(code)) return refusal(code, descriptionIn(told) ?? text ?? around);
  }
  return undefined;
}

function descriptionIn(told: Readonly<Record<string, unknown>>): string | undefined {
  return DESCRIPTION_MEMBERS.map((name) => told[name]).find(
    (text): text is string => typeof text === "string" && text.trim() !== "",
  );
}

function refusal(error: string, description: string | undefined): Refusal {
  return {
    error,
    ...(description === undefined || description === "" ? {} : { error_description: description }),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Errors that refuse the client, not the grant: RFC 6749 section 5.2, and Google's codes for a client that its
 * owner has deleted or disabled (https://developers.google.com/identity/protocols/oauth2/web-server,
 * "Authorization errors").
 */
const CLIENT_ERRORS: ReadonlySet<string> = new Set([
  "invalid_client",
  "unauthorized_client",
  "deleted_client",
  "disabled_client",
]);

/**
 * Errors in the request, or temporary errors: RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, RFC 8628 section 3.5,
 * RFC 8707 section 2.
 */
const REQUEST_ERRORS: ReadonlySet<string> = new Set([
  "invalid_request",
  "invalid_scope",
  "insufficient_scope",
  "unsupported_grant_type",
  "server_error",
  "temporarily_unavailable",
  "authorization_pending",
  "slow_down",
  "invalid_target",
]);

function isOfTheRequest(error: string): boolean {
  return REQUEST_ERRORS.has(error.toLowerCase());
}

/** Whether the error is about the client. Case does not count. */
export function isClientError(error: string): boolean {
  return CLIENT_ERRORS.has(error.toLowerCase());
}
