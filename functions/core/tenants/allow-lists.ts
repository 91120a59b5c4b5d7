import { formatted } from "../endpoint/value-format.ts";
import { InvalidRequest } from "../errors.ts";
import type { Organization } from "./ports.ts";

/** Plain http is allowed only on a developer's own machine. */
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Whether the hosted flow may redirect a browser to this URL. An entry allows itself or, with `*` at its end,
 * all URLs that begin with it. URLs are compared as browsers read them: `https://app.example/a/../evil` is
 * `https://app.example/evil`.
 */
export function isReturnUrlAllowed(
  organization: Pick<Organization, "returnUrls">,
  returnUrl: string,
): boolean {
  const url = webUrl(returnUrl);
  return url !== undefined && organization.returnUrls.some((entry) => allows(entry, url));
}

/**
 * May an OAuth proxy forward a vendor's answer there? As `isReturnUrlAllowed`; an entry's host may begin with `*.`, which
 * stands for one label or more: `https://*.app.example/done` allows `https://eu.app.example/done`.
 */
export function isApplicationUrlAllowed(
  proxy: { readonly applicationUrls: readonly string[] },
  applicationUrl: string,
): boolean {
  const url = webUrl(applicationUrl);
  return url !== undefined && proxy.applicationUrls.some((entry) => allows(entry, url));
}

/** Compares URLs as browsers read them. */
function allows(entry: string, url: URL): boolean {
  const { pattern, isPrefix, isBelow } = readEntry(entry);
  if (pattern === undefined || pattern.protocol !== url.protocol || pattern.port !== url.port) return false;
  const isHost = isBelow ? url.hostname.endsWith(`.${pattern.hostname}`) : url.hostname === pattern.hostname;
  const [asked, listed] = [url, pattern].map(({ pathname, search }) => pathname + search) as [string, string];
  if (!isPrefix) return isHost && asked === listed;
  return isHost && asked.startsWith(listed) && withSlashes(url).startsWith(listed);
}

/**
 * Path and query as a server sees them that reads encoded slashes as slashes: `/done/..%2fother` is `/other` there, which an
 * entry `/done*` does not allow.
 */
function withSlashes({ origin, pathname, search }: URL): string {
  return new URL(origin + pathname.replace(/%(?:2f|5c)/gi, "/")).pathname + search;
}

/** Do two entries allow the same URLs? `https://APP.example:443/` is `https://app.example/`. */
export function isSameEntry(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [readEntry(one), readEntry(other)];
  if (a.pattern === undefined || b.pattern === undefined) return false;
  return a.pattern.href === b.pattern.href && a.isPrefix === b.isPrefix && a.isBelow === b.isBelow;
}

/** An entry without its stars: the one at the end of a path, and the one in place of a host's first labels. */
function readEntry(entry: string): { pattern: URL | undefined; isPrefix: boolean; isBelow: boolean } {
  const isPrefix = entry.endsWith("*");
  const isBelow = entry.startsWith(BELOW);
  const plain = (isBelow ? `https://${entry.slice(BELOW.length)}` : entry).slice(
    0,
    isPrefix ? -1 : undefined,
  );
  // "https://app.example*" would also allow "https://app.example.evil.com".
  const afterPath = !isPrefix || /^https?:\/\/[^/?#]+\//.test(plain);
  const pattern = plain.includes("*") || !afterPath ? undefined : webUrl(plain);
  return { pattern, isPrefix, isBelow };
}

/** What an entry begins with that allows the hosts below a name. */
const BELOW = "https://*.";

/**
 * Checks what an operator puts on a list of return URLs.
 * @throws {InvalidRequest} not https (http on this machine), user name or fragment in it, or `*` elsewhere than at the end of a path
 */
export function checkReturnUrl(entry: string): string {
  const { pattern, isBelow } = readEntry(entry);
  if (pattern === undefined || isBelow) {
    throw new InvalidRequest(
      `${entry} is not a return URL: an absolute https URL (http on localhost) without user name and fragment, with at most one * at the end of its path`,
      "returnUrls",
    );
  }
  return entry;
}

/**
 * Checks what is put on an OAuth proxy's list: as `checkReturnUrl`, and `https://*.` may stand before a host of two labels
 * at least. Nobody but the owner of such a host decides which hosts are below it; a host that lets strangers have names
 * below it (`*.github.io`) is not for this list.
 * @throws {InvalidRequest}
 */
export function checkApplicationUrl(entry: string): string {
  const { pattern, isBelow } = readEntry(entry);
  const isName = pattern !== undefined && formatted({ listedHost: [] }, pattern.hostname) !== undefined;
  if (pattern === undefined || (isBelow && !isName)) {
    throw new InvalidRequest(
      "applicationUrl is not right: an absolute https URL (http on localhost) without user name and fragment; its host may begin with *. and its path may end in *",
      "applicationUrl",
    );
  }
  return entry;
}

/** Most characters of an application URL, counted once as it is and once encoded as a value of its own query. */
const MAX_FORWARDED = 5_000;

/**
 * Checks the application URL of one sign-in, before the user goes to the vendor: a URL that is too long to return to, or that
 * has the place of the code taken, is an error for the app and not for the user.
 * @throws {InvalidRequest}
 */
export function checkForwardable(applicationUrl: string): void {
  const { href, searchParams } = new URL(applicationUrl);
  const taken = ["code", "error", "error_description"].find((name) => searchParams.has(name));
  if (taken !== undefined) {
    throw new InvalidRequest(
      `state is a URL with its own ${taken}, which the vendor's answer has, too`,
      "state",
    );
  }
  if (href.length + encodeURIComponent(applicationUrl).length > MAX_FORWARDED) {
    throw new InvalidRequest("state is too long: a URL of about 2,000 characters at most", "state");
  }
}

/** @throws {InvalidRequest} not an origin as browsers send it: scheme, host and port, nothing else */
export function checkOrigin(entry: string): string {
  if (webUrl(entry)?.origin === entry) return entry;
  throw new InvalidRequest(
    `${entry} is not an origin: write it as https://app.example or http://localhost:3000`,
    "origins",
  );
}

/**
 * Checks an operator's entry for the list of vendors' hosts.
 * @throws {InvalidRequest} neither a host name, nor `*.` before a host name of at least two labels
 */
export function checkVendorHost(entry: string): string {
  const name = formatted({ listedHost: [] }, entry.replace(/^\*\./, ""));
  if (name !== undefined && !entry.includes("/")) return entry.startsWith("*.") ? `*.${name}` : name;
  throw new InvalidRequest(
    `${entry} is not a host: write it as cloud.acme.example or *.acme.example`,
    "vendorHosts",
  );
}

function webUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const secure = url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.has(url.hostname));
  return secure && url.username === "" && url.password === "" && !text.includes("#") ? url : undefined;
}
