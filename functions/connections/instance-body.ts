import * as v from "valibot";
import type { Connector } from "../connectors/define-connector.ts";
import { budgets, checkText, jsonBytes } from "../core/instances/budgets.ts";
import { anObject } from "../http/request-body.ts";
import { stripHtml } from "./strip-html.ts";
import { withoutBlanks } from "./without-blanks.ts";

/** Old clients send numbers and booleans where a text is meant. */
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

/** HTML is stripped from what people will see. */
const label = (max: number) => v.pipe(boundedText(max), v.transform(stripHtml));

/** What the vendor's redirect brought to the app; other values of it are kept with the grant. */
const ProviderData = v.pipe(
  anObject,
  v.looseObject({
    code: v.optional(text),
    state: v.optional(text),
    access_token: v.optional(text),
    refresh_token: v.optional(text),
    expires_in: v.optional(text),
  }),
  // Unknown members may be anything; only texts and numbers are of use.
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

/** POST, PUT and PATCH take the same fields; what is required differs. Unknown ones are ignored. */
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
  /** Re-authentication only: another account than before is welcome. */
  acceptOtherAccount: v.optional(v.boolean()),
});

export type InstanceBody = v.InferOutput<typeof InstanceBody>;

/** Key or number that a body names its connector by. */
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
/** Limit of a declared value: far above real ones, but fits a grant. */
const MAX_CAPTURED_BYTES = 8_192;

/**
 * A browser's extensions and a vendor's trackers add parameters, too: what is too much is left out, not refused. What the
 * connector declares is never left out: calls to the vendor need it.
 * @throws {InvalidRequest} `too_large`: a declared one
 */
export function extraOf(
  { captured }: Pick<Connector, "captured">,
  providerData: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  const isDeclared = ([key]: [string, string]): boolean =>
    captured?.some((each) => each.key === key) === true;
  const brought = Object.entries(providerData).filter(([key]) => !PROTOCOL.has(key));
  const declared = brought.filter(isDeclared);
  for (const [key, value] of declared) checkText(value, MAX_CAPTURED_BYTES, `providerData.${key}`);
  const others = brought
    .filter(([key, value]) => !isDeclared([key, value]) && key.length + value.length <= MAX_EXTRA_CHARACTERS)
    .slice(0, Math.max(0, MAX_EXTRA - declared.length));
  const extra = [...declared, ...others];
  return extra.length === 0 ? undefined : Object.fromEntries(extra);
}

/** A code as the vendor gave it: old clients pass it on percent-encoded, as it stood in their URL. */
export function codeOf(providerData: Readonly<Record<string, string>>): string | undefined {
  const { code } = providerData;
  if (code === undefined || !/%[0-9a-f]{2}/i.test(code)) return code;
  try {
    return decodeURIComponent(code);
  } catch {
    return code;
  }
}
