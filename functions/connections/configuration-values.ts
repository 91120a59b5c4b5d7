import type { Connector } from "../connectors/define-connector.ts";
import { isSecretKey, separateSecrets } from "../core/instances/secret-keys.ts";
import { lifetimeOf } from "../core/oauth/lifetime.ts";
import { present } from "../core/present.ts";
import { withoutBlanks } from "./without-blanks.ts";

/** Shown in the place of a secret. If a caller sends it back, the stored value stays. */
export const MASK = "********";

/** The configuration in a request, split into its parts. */
export interface ConfigurationValues {
  /** Stored as they are, including unknown keys. */
  readonly plain: Readonly<Record<string, string>>;
  /** Stored sealed, shown masked. */
  readonly secret: Readonly<Record<string, string>>;
  /** Keys that came masked: the stored value stays. */
  readonly unchanged: readonly string[];
  /** A grant that was obtained elsewhere; never stored as configuration. */
  readonly grant: {
    readonly accessToken?: string;
    readonly refreshToken?: string;
    readonly expiresInMs?: number;
  };
}

/**
 * Keys that are not stored as configuration: tokens belong to the grant, and Linkspan sets interval and time
 * of the refresh.
 */
const OF_THE_GRANT = [
  "oauth.user.token",
  "oauth.user.refresh_token",
  "oauth.user.refresh_interval",
  "oauth.user.refresh_time",
];

/**
 * Keys that are shown masked although they are not secret: the original API does so, and clients expect it.
 */
const SHOWN_MASKED = new Set(["oauth.api.key"]);

/**
 * Whether a value is shown masked. A secret that an earlier version stored in clear is masked, too; the next
 * write of the configuration seals it.
 */
export function isShownMasked(connector: Connector | undefined, key: string): boolean {
  return SHOWN_MASKED.has(key) || isSecretKey(connector, key);
}

function isDeclared({ configuration }: Connector, name: string): boolean {
  return configuration?.some(({ key }) => key === name) === true;
}

/** Splits what a caller sent into plain values, secrets, unchanged keys and an imported grant. @param values as strings */
export function readConfiguration(
  connector: Connector,
  values: Readonly<Record<string, string>>,
): ConfigurationValues {
  const sent = withoutBlanks(values, (name) => isDeclared(connector, name));
  const entries = Object.entries(sent);
  const own = entries.filter(([key, value]) => value !== MASK && !OF_THE_GRANT.includes(key));
  const given = (key: string) => (sent[key] === MASK ? undefined : sent[key]);
  const accessToken = given("oauth.user.token");
  const refreshToken = given("oauth.user.refresh_token");
  // Seconds: the value of `expires_in` in the token endpoint's answer.
  const seconds = lifetimeOf(given("oauth.user.refresh_interval"));
  return {
    ...separateSecrets(connector, Object.fromEntries(own)),
    unchanged: entries.filter(([, value]) => value === MASK).map(([key]) => key),
    grant: {
      ...present({ accessToken, refreshToken }),
      ...(seconds === undefined ? {} : { expiresInMs: seconds * 1000 }),
    },
  };
}
