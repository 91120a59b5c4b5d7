import { AddressRefused } from "../core/vendor-http.ts";

/**
 * Only the local platform sets this variable; no stack sets it (a test checks this), and no other file reads
 * it.
 */
const VARIABLE = "LINKSPAN_VENDOR_ENDPOINTS";

/** The endpoint to which a request to a vendor is sent. */
export interface VendorEndpoint {
  /** The URL to connect to: the vendor's own URL, or a stand-in's origin with path and query unchanged. */
  readonly url: string;
  /** The vendor's host, for the `Host` header. */
  readonly hostHeader: string;
  /** True: a stand-in answers for this host. */
  readonly overridden: boolean;
}

export interface SplitUrl {
  readonly scheme: "http" | "https";
  /** Lower case, with the port if the URL has one. */
  readonly host: string;
  readonly hostname: string;
  /** Path and query, as written; begins with a slash. */
  readonly target: string;
}

const ABSOLUTE_URL =
  /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?([/?].*)?$/i;

/**
 * Splits an absolute URL without changing a byte of its path and query: WHATWG's parser would resolve `..`
 * and rewrite letters, and a vendor's signature over the path would no longer match.
 * @throws {AddressRefused} the URL has another form: user information, a fragment, blanks, control or
 * non-ASCII characters
 */
export function splitUrl(url: string): SplitUrl {
  const match = /^[\x21-\x7e]+$/.test(url) && !url.includes("#") ? ABSOLUTE_URL.exec(url) : null;
  if (match === null) throw new AddressRefused("the vendor URL has a form that cannot be sent unchanged");
  const [, scheme = "", hostname = "", port = "", target = ""] = match;
  return {
    scheme: scheme.toLowerCase() as SplitUrl["scheme"],
    host: `${hostname}${port}`.toLowerCase(),
    hostname: hostname.toLowerCase(),
    target: target.startsWith("/") ? target : `/${target}`,
  };
}

/**
 * Maps a vendor's URL to its endpoint: the vendor itself, or the stand-in that the local platform names. Also
 * used for the URL of an authorization page to which a browser is sent.
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
