import { type Connector, DISCOVERED_URLS, type ValueFormat } from "../../connectors/define-connector.ts";
import { InvalidRequest, VendorError } from "../errors.ts";
import type { Grant } from "../instances/instance.ts";
import { present } from "../present.ts";
import { decidesHost, describeFormat, formatted } from "./value-format.ts";

/** Values for the `{name}` places of a connector's URLs and headers, not formatted yet. */
export type EndpointValues = Readonly<Record<string, string>>;

/** The URLs and headers for an instance's API calls. */
export interface Endpoint {
  /** Without a path. */
  readonly origin: string;
  readonly hosts: Readonly<Record<string, string>>;
  readonly pathHosts?: Connector["api"]["pathHosts"];
  /** Headers that each call needs besides the credential. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The only hosts that a call may reach. */
  readonly allowedHosts: readonly string[];
}

/** Placeholder for the client id of the grant; a connector need not declare it. */
const CLIENT_ID = "client_id";
const USED_AFTER_SIGN_IN = DISCOVERED_URLS.filter((name) => name !== "authorization_endpoint");

/**
 * The values of an instance's endpoint. Values that the vendor sent are stored with the grant. So is each
 * configured value that determines the host: the tokens were issued there, and a later change of the
 * configuration must not send them elsewhere. The other values come from the instance's current configuration.
 * @param won the grant's values, or the callback's before there is a grant
 */
export function endpointValues(
  connector: Connector,
  configuration: Readonly<Record<string, string>>,
  won: Pick<Grant, "endpoint" | "extra">,
): EndpointValues {
  if (!hasPlaces(connector)) return {};
  const values: Record<string, string> = {};
  for (const { key, format, default: fallback } of connector.configuration ?? []) {
    if (format === undefined) continue;
    const bound = decidesHost(format) ? won.endpoint?.[key] : undefined;
    const value = bound ?? (configuration[key] || fallback);
    if (value !== undefined) values[key] = value;
  }
  for (const { key } of connector.captured ?? []) {
    const value = won.extra?.[key];
    if (value !== undefined) values[key] = value;
  }
  const ofGrant = connector.oauth2.discovery === undefined ? [CLIENT_ID] : [CLIENT_ID, ...DISCOVERED_URLS];
  return { ...values, ...valuesAt(won.endpoint ?? {}, ofGrant) };
}

/** The configuration values that the connector's URLs and headers contain. */
export function endpointFields(
  connector: Connector,
  configuration: Readonly<Record<string, string>>,
): Record<string, string> {
  const fields = (connector.configuration ?? []).filter(({ format }) => format !== undefined);
  return valuesAt(
    configuration,
    fields.map(({ key }) => key),
  );
}

function valuesAt(values: EndpointValues, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = values[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

/** The values that are stored with a new grant. @returns undefined: none */
export function boundValues(
  connector: Connector,
  values: EndpointValues,
  clientId: string,
): Grant["endpoint"] | undefined {
  if (!hasPlaces(connector)) return undefined;
  const hosts = (connector.configuration ?? []).flatMap(({ key, format }) => {
    const value = format === undefined || !decidesHost(format) ? undefined : values[key];
    return value === undefined ? [] : [[key, value]];
  });
  const headers = Object.values(connector.api.headers ?? {});
  const discovered = connector.oauth2.discovery === undefined ? [] : USED_AFTER_SIGN_IN;
  const bound = {
    ...Object.fromEntries(hosts),
    ...valuesAt(values, discovered),
    ...(headers.some((each) => each.includes(`{${CLIENT_ID}}`)) ? { [CLIENT_ID]: clientId } : {}),
  };
  return Object.keys(bound).length === 0 ? undefined : bound;
}

/** The configured values that decide the host, formatted. They keep accounts of two customers' servers apart. */
export function configuredHost(connector: Connector, values: EndpointValues): string {
  return (connector.configuration ?? [])
    .flatMap(({ key, format }) =>
      format !== undefined && decidesHost(format) ? (formatted(format, values[key] ?? "") ?? []) : [],
    )
    .join(",");
}

/**
 * Whether two grants were issued at the same hosts: then a token of one grant may be sent to the hosts of the
 * other.
 */
export function isSameEndpoint(
  connector: Connector,
  one: Pick<Grant, "endpoint" | "extra">,
  other: Pick<Grant, "endpoint" | "extra">,
): boolean {
  const declared = [...(connector.configuration ?? []), ...(connector.captured ?? [])];
  const hostsOf = (won: Pick<Grant, "endpoint" | "extra">): (string | undefined)[] => {
    const values = endpointValues(connector, {}, won);
    const inHosts = declared.flatMap(({ key, format }) =>
      format !== undefined && decidesHost(format) ? [formatted(format, values[key] ?? "")] : [],
    );
    return [...inHosts, ...USED_AFTER_SIGN_IN.map((key) => values[key])];
  };
  const ofOther = hostsOf(other);
  return hostsOf(one).every((value, index) => value === ofOther[index]);
}

const withoutPlaces = new WeakMap<Connector, Endpoint>();

/**
 * The endpoint for calls of an instance.
 * @throws {InvalidRequest} a value of the configuration is missing or has a wrong format
 * @throws {VendorError} 502 `vendor_endpoint_unknown`: the vendor did not send a value
 */
export function endpointOf(connector: Connector, values: EndpointValues): Endpoint {
  const known = withoutPlaces.get(connector);
  if (known !== undefined) return known;
  const { api } = connector;
  const origin = filled(connector, api.origin, values);
  const hosts = Object.fromEntries(
    Object.entries(api.hosts ?? {}).map(([name, url]) => [name, filled(connector, url, values)]),
  );
  const endpoint: Endpoint = {
    origin,
    hosts,
    ...present({ pathHosts: api.pathHosts }),
    headers: Object.entries(api.headers ?? {}).map(
      ([name, value]) => [name, filled(connector, value, values)] as const,
    ),
    allowedHosts: [origin, ...Object.values(hosts)].map((url) => new URL(url).host),
  };
  if (!hasPlaces(connector)) withoutPlaces.set(connector, endpoint);
  return endpoint;
}

/** The API's hosts as far as they are known: during a sign-in, the vendor has not sent its own hosts yet. */
export function knownHosts(connector: Connector, values: EndpointValues): string[] {
  const { origin, hosts = {} } = connector.api;
  const isKnown = (url: string): boolean =>
    [...url.matchAll(/\{([^{}]+)\}/g)].every(([, key = ""]) => values[key] !== undefined);
  return [origin, ...Object.values(hosts)]
    .filter(isKnown)
    .map((url) => new URL(filled(connector, url, values)).host);
}

const places = new WeakMap<Connector, boolean>();

/** Whether all instances of a connector have the same endpoint. */
export function hasFixedEndpoint(connector: Connector): boolean {
  return !hasPlaces(connector);
}

function hasPlaces(connector: Connector): boolean {
  const known = places.get(connector);
  if (known !== undefined) return known;
  const { api, oauth2 } = connector;
  const texts = [api.origin, ...Object.values(api.hosts ?? {}), ...Object.values(api.headers ?? {})];
  const { longLivedToken: steps } = oauth2;
  const urls = [oauth2.authorizationUrl, oauth2.tokenUrl, oauth2.refreshUrl, oauth2.revocation?.url];
  const more = [...urls, steps?.exchange.url, steps?.renewal.url];
  const has = [...texts, ...more].some((text) => text?.includes("{") === true);
  places.set(connector, has);
  return has;
}

/**
 * Fills values into a URL or a header of a connector: `https://{subdomain}.example.com/token`.
 * @throws as `endpointOf`
 */
export function filled(connector: Connector, template: string, values: EndpointValues): string {
  return template.replace(/\{([^{}]+)\}/g, (_, key: string) => valueFor(connector, key, values[key]));
}

function valueFor(connector: Connector, key: string, value: string | undefined): string {
  if (isDiscovered(connector, key)) {
    // core/oauth/discover.ts has checked the value when it read the document; the grant keeps it sealed.
    if (value !== undefined) return value;
    throw endpointUnknown(connector, key);
  }
  const format = formatOf(connector, key);
  const isTold = connector.captured?.some((each) => each.key === key) === true;
  const fits = value === undefined || value === "" ? undefined : formatted(format, value);
  if (fits !== undefined) return fits;
  const field = `configuration.${key}`;
  if (isTold || key === CLIENT_ID) throw endpointUnknown(connector, key);
  if (value === undefined || value === "") throw new InvalidRequest(`${field} is missing`, field);
  throw new InvalidRequest(`${field} is not right: ${describeFormat(format)}`, field);
}

function isDiscovered({ oauth2 }: Connector, key: string): boolean {
  return oauth2.discovery !== undefined && DISCOVERED_URLS.some((name) => name === key);
}

function endpointUnknown({ name }: Connector, key: string): VendorError {
  return new VendorError(
    502,
    "vendor_endpoint_unknown",
    `${name} did not send a usable ${key} when the user signed in; send the user through the authorization URL again`,
  );
}

/** An undeclared value gets the safest format (`defineConnector` refuses such values). */
function formatOf(connector: Connector, key: string): ValueFormat {
  if (key === CLIENT_ID) return "text";
  const declared = [...(connector.configuration ?? []), ...(connector.captured ?? [])];
  return declared.find((each) => each.key === key)?.format ?? "hostLabel";
}
