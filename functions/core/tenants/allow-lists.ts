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
  if (url === undefined) return false;
  return organization.returnUrls.some((entry) => {
    if (!entry.endsWith("*")) return webUrl(entry)?.href === url.href;
    const prefix = webUrl(entry.slice(0, -1));
    return prefix !== undefined && prefix.origin === url.origin && url.href.startsWith(prefix.href);
  });
}

/**
 * Checks an operator's entry for the list of return URLs.
 * @throws {InvalidRequest} not https (or http on this machine), with user name or fragment, or with `*`
 *   elsewhere than at the end of a path
 */
export function checkReturnUrl(entry: string): string {
  const plain = entry.endsWith("*") ? entry.slice(0, -1) : entry;
  const url = webUrl(plain);
  // "https://app.example*" would also allow "https://app.example.evil.com".
  const afterPath = !entry.endsWith("*") || /^https?:\/\/[^/?#]+\//.test(plain);
  if (url === undefined || plain.includes("*") || !afterPath) {
    throw new InvalidRequest(
      `${entry} is not a return URL: an absolute https URL (http on localhost) without user name and fragment, with at most one * at the end of its path`,
      "returnUrls",
    );
  }
  return entry;
}

/** @throws {InvalidRequest} not an origin as browsers send it: only scheme, host and port */
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
