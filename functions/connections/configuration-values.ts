import type { Connector } from "../connectors/define-connector.ts";
import { isSecretKey, separateSecrets } from "../core/instances/secret-keys.ts";
import { lifetimeOf } from "../core/oauth/lifetime.ts";
import { present } from "../core/present.ts";
import { withoutBlanks } from "./without-blanks.ts";

/** What stands in the place of a secret; sent back, it means "as it was". */
export const MASK = "********";

/** An instance's configuration as it came, taken apart. */
export interface ConfigurationValues {
  /** Kept as they are, unknown keys too. */
  readonly plain: Readonly<Record<string, string>>;
  /** Kept sealed, shown masked. */
  readonly secret: Readonly<Record<string, string>>;
  /** Keys that came masked: the stored value stays. */
  readonly unchanged: readonly string[];
  /** A grant won elsewhere; never kept as configuration. */
  readonly grant: {
    readonly accessToken?: string;
    readonly refreshToken?: string;
    readonly expiresInMs?: number;
  };
}

/** Keys that are not kept as configuration: tokens belong to the grant, and Linkspan sets interval and time of the refresh. */
const OF_THE_GRANT = [
  "oauth.user.token",
  "oauth.user.refresh_token",
  "oauth.user.refresh_interval",
  "oauth.user.refresh_time",
];

/** Shown masked although it is not secret: the original API did so, and clients expect it. */
const SHOWN_MASKED = new Set(["oauth.api.key"]);

/** A secret that an earlier version kept in clear is masked, too: it is sealed with the next write of the configuration. */
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
  // Seconds, as the token endpoint's `expires_in` told it when the grant was won.
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
