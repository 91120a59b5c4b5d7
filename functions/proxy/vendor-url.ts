import type { Endpoint } from "../core/endpoint/endpoint.ts";
import { InvalidRequest, NotFound } from "../core/errors.ts";

/** Path prefix of the proxy, below the API's base path. */
const PREFIX = "/proxy";

type Hosts = Pick<Endpoint, "origin" | "pathHosts"> & Partial<Pick<Endpoint, "hosts">>;

/**
 * The vendor's URL for a call of the proxy.
 *
 * `/proxy/2/files/x` goes to the API's origin, or to the host that `pathHosts` names for that path;
 * `/proxy/~content/2/x` goes to the host with the name `content`; `/proxy/~/x` goes to the API's origin in
 * any case. The bytes of the path are not changed: the vendor interprets dots, double slashes and encoded
 * slashes. They cannot change the host, because the host never comes from the request.
 *
 * @param path raw path of the request: `/proxy/…`
 * @param query decoded pairs
 * @throws {NotFound} the connector has no host with this name
 * @throws {InvalidRequest} the path cannot be written as a URL
 */
export function vendorUrl(
  api: Hosts,
  path: string,
  query: readonly (readonly [name: string, value: string])[],
): string {
  const rest = path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length) : "/";
  const [, tilde, name = "", below = ""] = /^\/(~|%7e)([^/]*)(.*)$/is.exec(rest) ?? [];
  const target = asciiPath(tilde === undefined ? rest : below === "" ? "/" : below);
  const origin = tilde === undefined ? originByPath(api, target) : originByName(api, name);
  const pairs = query.map(([key, value]) => `${encode(key)}=${encode(value)}`).join("&");
  return `${new URL(origin).origin}${target}${pairs === "" ? "" : `?${pairs}`}`;
}

/**
 * The proxy's URL for a vendor's URL on one of the connector's hosts; the inverse of `vendorUrl`.
 * @param url absolute, or relative to `from`
 * @param from the vendor's URL that the answer came from
 * @param proxyBase `<base URL>/proxy`
 * @returns for a URL on any other host: the same URL
 */
export function proxyUrl(api: Hosts, url: string, from: string, proxyBase: string): string {
  let resolved: URL;
  try {
    resolved = new URL(url, from);
  } catch {
    return url;
  }
  if (resolved.username !== "" || resolved.password !== "") return url;
  const rest = `${resolved.pathname}${resolved.search}${resolved.hash}`;
  const named = [["", api.origin] as const, ...Object.entries(api.hosts ?? {})];
  const [name] = named.find(([, origin]) => new URL(origin).origin === resolved.origin) ?? [];
  if (name === undefined) return url;
  const plain =
    name === "" && !/^\/(~|%7e)/i.test(rest) && originByPath(api, resolved.pathname) === api.origin;
  return plain ? `${proxyBase}${rest}` : `${proxyBase}/~${name}${rest}`;
}

function originByName(api: Hosts, name: string): string {
  if (name === "") return api.origin;
  if (Object.hasOwn(api.hosts ?? {}, name)) return api.hosts?.[name] ?? api.origin;
  const known = Object.keys(api.hosts ?? {}).map((each) => `~${each}`);
  throw new NotFound(
    `this connector has no host with this name; it has ${["~ (the API itself)", ...known].join(", ")}`,
    "unknown_host",
  );
}

function originByPath(api: Hosts, path: string): string {
  const rule = api.pathHosts?.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
  return (rule && api.hosts?.[rule.host]) ?? api.origin;
}

/**
 * Encodes characters that the gateway may pass on but a request line must not have, as percent-encoded UTF-8.
 */
function asciiPath(path: string): string {
  try {
    return path.replace(/[^\x21-\x7e]+|#/g, (text) => encodeURIComponent(text));
  } catch {
    throw new InvalidRequest("the path has invalid Unicode", "path");
  }
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
