import { AddressRefused } from "../core/vendor-http.ts";

/** Set by the local platform only; no stack sets it (a test says so), and no other file reads it. */
const VARIABLE = "LINKSPAN_VENDOR_ENDPOINTS";

/** Where a request to a vendor really goes. */
export interface VendorEndpoint {
  /** The URL to connect to: the vendor's own, or the stand-in's with path and query kept byte for byte. */
  readonly url: string;
  /** The vendor's host, as `Host` is to say. */
  readonly hostHeader: string;
  /** True: a stand-in answers for this host. */
  readonly overridden: boolean;
}

export interface SplitUrl {
  readonly scheme: "http" | "https";
  /** Lower case, with the port where one is written. */
  readonly host: string;
  readonly hostname: string;
  /** Path and query, as written; begins with a slash. */
  readonly target: string;
}

const ABSOLUTE_URL =
  /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?([/?].*)?$/i;

/**
 * Splits an absolute URL without changing a byte of its path and query: WHATWG's parser would resolve `..` and
 * rewrite letters, and a vendor's signature over the path would no longer fit.
 * @throws {AddressRefused} not such a URL: user information, a fragment, blanks, control or non-ASCII characters
 */
export function splitUrl(url: string): SplitUrl {
  const match = /^[\x21-\x7e]+$/.test(url) && !url.includes("#") ? ABSOLUTE_URL.exec(url) : null;
  if (match === null) throw new AddressRefused("the vendor URL is not one that can be sent as it stands");
  const [, scheme = "", hostname = "", port = "", target = ""] = match;
  return {
    scheme: scheme.toLowerCase() as SplitUrl["scheme"],
    host: `${hostname}${port}`.toLowerCase(),
    hostname: hostname.toLowerCase(),
    target: target.startsWith("/") ? target : `/${target}`,
  };
}

/**
 * Maps a vendor's URL to where it is served: the vendor itself, or the stand-in that the local platform names. Also
 * gives the address of an authorization page that a browser is sent to.
 */
export function vendorEndpoint(url: string): VendorEndpoint {
  const { host, target } = splitUrl(url);
  const standIn = overrides().get(host);
  return standIn === undefined
    ? { url, hostHeader: host, overridden: false }
    : { url: `${standIn}${target}`, hostHeader: host, overridden: true };
}

let parsed: { readonly text: string; readonly origins: ReadonlyMap<string, string> } | undefined;

function overrides(): ReadonlyMap<string, string> {
  const text = process.env[VARIABLE] ?? "";
  if (parsed?.text !== text) parsed = { text, origins: parseOverrides(text) };
  return parsed.origins;
}

function parseOverrides(text: string): ReadonlyMap<string, string> {
  if (text === "") return new Map();
  const wrong = new Error(`${VARIABLE} must be a JSON object of vendor hosts and origins`);
  let table: unknown;
  try {
    table = JSON.parse(text);
  } catch {
    throw wrong;
  }
  if (typeof table !== "object" || table === null || Array.isArray(table)) throw wrong;
  return new Map(
    Object.entries(table).map(([host, origin]) => {
      if (typeof origin !== "string" || !/^https?:\/\/[^/?#@\s]+\/?$/.test(origin)) {
        throw new Error(`${VARIABLE}: ${host} must map to an origin such as http://127.0.0.1:9000`);
      }
      return [host.toLowerCase(), origin.replace(/\/$/, "")];
    }),
  );
}
