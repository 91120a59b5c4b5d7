import { InvalidRequest } from "../errors.ts";

const KB = 1024;

/**
 * The largest size of each stored value, in bytes of UTF-8. Objects and lists count as JSON. An item of
 * DynamoDB holds 400 KB; `test/unit/instances/budgets.test.ts` adds up the worst case of all budgets.
 */
export const budgets = {
  /** A JSON body of a request. */
  body: 256 * KB,
  /** An instance's or a session's configuration: names and values, plain and secret. */
  configuration: 16 * KB,
  /** All tags of one instance. */
  tags: 8 * KB,
  /** An OAuth client's id in an authorization URL. */
  clientId: 2 * KB,
  redirectUri: 2 * KB,
  scope: 8 * KB,
  /** A configured value that becomes part of a vendor's host name. */
  hostValue: 256,
  /** One token that an app imports. */
  importedToken: 16 * KB,
  /** Members of a vendor's token answers and callbacks that are kept with a grant. */
  extra: 8 * KB,
  /** The word before an access token in a header. */
  tokenType: 100,
  /** A whole grant: tokens, client, members. */
  grant: 64 * KB,
  /** Replaced grants that are still to be revoked, sealed. */
  replacedGrants: 160 * KB,
  /** The vendor's id of an account; a longer id is stored as its hash. */
  accountId: 512,
  accountName: KB,
  accountEmail: KB,
  /** What a vendor's module needs to know of the account, as JSON. */
  accountFacts: KB,
  /** An operator's lists and texts about an organization or an app: each list, each text. */
  operatorList: 32 * KB,
  operatorText: 8 * KB,
} as const;

/**
 * Largest size of an item of a DynamoDB table:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 */
export const ITEM_BYTES = 400 * KB;

/** Length of a text in UTF-8. */
export function textBytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** Length of a value as JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  return textBytes(JSON.stringify(value));
}

/** @throws {InvalidRequest} 400, with the field: the text is longer than its budget */
export function checkText(text: string | undefined, budget: number, field: string): void {
  if (text !== undefined && textBytes(text) > budget) {
    throw new InvalidRequest(`${field} is too long: at most ${budget} bytes`, field, "too_large");
  }
}

/**
 * Checks the configuration as it will be stored.
 * @param stored bytes of the stored configuration: a configuration from before this budget may keep its size,
 *   or shrink
 * @throws {InvalidRequest} 400 `too_large`
 */
export function checkConfiguration(
  values: {
    readonly plain: Readonly<Record<string, string>>;
    readonly secret: Readonly<Record<string, string>>;
  },
  stored = 0,
): void {
  if (configurationBytes(values) <= Math.max(budgets.configuration, stored)) return;
  throw new InvalidRequest(
    `configuration is too large: at most ${budgets.configuration} bytes of names and values in all`,
    "configuration",
    "too_large",
  );
}

/** The bytes that count towards the budget of a configuration. */
export function configurationBytes({
  plain,
  secret,
}: {
  readonly plain: Readonly<Record<string, string>>;
  readonly secret: Readonly<Record<string, string>>;
}): number {
  return jsonBytes(plain) + jsonBytes(secret);
}

/**
 * Size of an item as DynamoDB counts it, for the attribute types of our tables. Every number counts with the
 * largest size that a number can have:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemBytes(item: Readonly<Record<string, unknown>>): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => (value === undefined ? sum : sum + textBytes(name) + valueBytes(value)),
    0,
  );
}

const NUMBER_BYTES = 21;
/** Bytes that DynamoDB adds for a list or map (3) and for each of its elements (1). */
const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

function valueBytes(value: unknown): number {
  if (typeof value === "string") return textBytes(value);
  if (typeof value === "number") return NUMBER_BYTES;
  if (value instanceof Uint8Array) return value.byteLength;
  if (Array.isArray(value)) {
    return value.reduce((sum: number, each) => sum + ELEMENT_BYTES + valueBytes(each), CONTAINER_BYTES);
  }
  if (typeof value !== "object" || value === null) return 1;
  const entries = Object.keys(value).length;
  return CONTAINER_BYTES + entries * ELEMENT_BYTES + itemBytes(value as Record<string, unknown>);
}
