import * as v from "valibot";
import type { Connector } from "../connectors/define-connector.ts";
import { budgets, checkText, jsonBytes } from "../core/instances/budgets.ts";
import { anObject } from "../http/request-body.ts";
import { stripHtml } from "./strip-html.ts";
import { withoutBlanks } from "./without-blanks.ts";

/** A text. Also accepts numbers and booleans, which old clients send in place of texts. */
const text = v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String));
const boundedText = (max: number) =>
  v.pipe(
    text,
    v.check((value) => value.length <= max, `at most ${max} characters`),
  );

const MAX_TAGS = 50;
const MAX_VALUES = 100;

const values = v.pipe(
  anObject,
  v.record(v.pipe(v.string(), v.maxLength(200, "names of at most 200 characters")), boundedText(8_000)),
  v.check((record) => Object.keys(record).length <= MAX_VALUES, `at most ${MAX_VALUES} entries`),
  v.transform((record) => withoutBlanks(record, (key) => key.startsWith("oauth."))),
);

/** A text that people will see: HTML tags are removed. */
const label = (max: number) => v.pipe(boundedText(max), v.transform(stripHtml));

/**
 * Parameters of the vendor's redirect to the app; parameters that are not listed here are kept with the
 * grant.
 */
const ProviderData = v.pipe(
  anObject,
  v.looseObject({
    code: v.optional(text),
    state: v.optional(text),
    access_token: v.optional(text),
    refresh_token: v.optional(text),
    expires_in: v.optional(text),
  }),
  // Unknown members may have any type; only texts and numbers are kept.
  v.transform((record: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries(record).flatMap(([key, value]) =>
        typeof value === "string" || typeof value === "number" ? [[key, String(value)]] : [],
      ),
    ),
  ),
  v.transform((record) => withoutBlanks(record, () => true)),
);

export const ElementReference = v.union(
  [text, v.pipe(anObject, v.object({ key: v.optional(text), id: v.optional(text) }))],
  'give the element as {"key": "…"}',
);

/** Body of POST, PUT and PATCH: the same fields, but different required ones. Unknown fields are ignored. */
export const InstanceBody = v.object({
  element: v.optional(ElementReference),
  providerData: v.optional(ProviderData),
  configuration: v.optional(values),
  tags: v.optional(
    v.pipe(
      v.array(label(200)),
      v.check((tags) => tags.length <= MAX_TAGS, `at most ${MAX_TAGS} tags`),
      v.check((tags) => jsonBytes(tags) <= budgets.tags, `at most ${budgets.tags} bytes of tags in all`),
      v.transform((tags) => tags.filter((tag) => tag !== "")),
    ),
  ),
  name: v.optional(label(200)),
  externalAuthentication: v.optional(v.pipe(v.string(), v.maxLength(50, "at most 50 characters"))),
  /** When the user signs in again: accept the sign-in even if the account is a different one. */
  acceptOtherAccount: v.optional(v.boolean()),
});

export type InstanceBody = v.InferOutput<typeof InstanceBody>;

/** Key or number of the connector in a body. */
export function elementKeyOrId(
  element: v.InferOutput<typeof ElementReference> | undefined,
): string | undefined {
  return (typeof element === "object" ? (element.key ?? element.id) : element)?.trim();
}

/** Parameters of the OAuth protocol. `extraOf` leaves these out and keeps the others (`realmId`, `dc`, `subdomain`). */
const PROTOCOL = new Set([
  "code",
  "state",
  "scope",
  "iss",
  "access_token",
  "refresh_token",
  "expires_in",
  "token_type",
  "oauth_token",
  "oauth_verifier",
  "secret",
]);
const MAX_EXTRA = 20;
const MAX_EXTRA_CHARACTERS = 2_000;
/** Size limit of a declared value: far above real values, but small enough for a grant. */
const MAX_CAPTURED_BYTES = 8_192;

/**
 * The redirect parameters to keep with the grant. Leaves out what exceeds the limits, instead of refusing the
 * request, because browser extensions and the vendor's trackers add parameters, too. Never leaves out a value
 * that the connector declares, because calls to the vendor need it; for such a value that did not come, it
 * takes that of the configuration, or the default, if the connector has one.
 * @throws {InvalidRequest} `too_large`: a declared value is too large
 */
export function extraOf(
  { captured }: Pick<Connector, "captured">,
  providerData: Readonly<Record<string, string>>,
  configuration: Readonly<Record<string, string>> = {},
): Record<string, string> | undefined {
  const isDeclared = ([key]: [string, string]): boolean =>
    captured?.some((each) => each.key === key) === true;
  const brought = Object.entries(providerData).filter(([key]) => !PROTOCOL.has(key));
  const declared = [...inPlaceOf(captured, configuration), ...brought.filter(isDeclared)].filter(
    ([, value]) => value !== "",
  );
  for (const [key, value] of declared) checkText(value, MAX_CAPTURED_BYTES, `providerData.${key}`);
  const others = brought
    .filter(([key, value]) => !isDeclared([key, value]) && key.length + value.length <= MAX_EXTRA_CHARACTERS)
    .slice(0, Math.max(0, MAX_EXTRA - declared.length));
  const extra = [...declared, ...others];
  return extra.length === 0 ? undefined : Object.fromEntries(extra);
}

/** The values that stand for those that the app did not pass on; a value that it did pass on goes before. */
function inPlaceOf(
  captured: Connector["captured"],
  configuration: Readonly<Record<string, string>>,
): [key: string, value: string][] {
  return (captured ?? []).map(({ key, configurationKey = "", default: fallback }) => [
    key,
    configuration[configurationKey] || (fallback ?? ""),
  ]);
}

/**
 * The code as the vendor issued it. Decodes the code of old clients, which send it percent-encoded as in
 * their URL.
 */
export function codeOf(providerData: Readonly<Record<string, string>>): string | undefined {
  const { code } = providerData;
  if (code === undefined || !/%[0-9a-f]{2}/i.test(code)) return code;
  try {
    return decodeURIComponent(code);
  } catch {
    return code;
  }
}
