import { createHash } from "node:crypto";

/** Most proxies of an organization, and most URLs of a proxy. */
export const MAX_OAUTH_PROXIES = 50;
export const MAX_APPLICATION_URLS = 50;

/**
 * A name under which several apps of an organization share Linkspan's one callback URL: the vendor's answer is forwarded to
 * the app's URL that the authorization URL was made for, if that URL is on the proxy's list.
 */
export interface OAuthProxy {
  /** See `oauthProxyId`. */
  readonly id: number;
  readonly organizationId: string;
  readonly name: string;
  /** Checked entries: see `checkApplicationUrl`. */
  readonly applicationUrls: readonly string[];
  /** Counts the changes of the list. */
  readonly revision: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** An organization's OAuth proxies. `false` = refused, nothing was written. */
export interface OAuthProxies {
  get(organizationId: string, id: number): Promise<OAuthProxy | undefined>;
  /** All of them, by id. */
  list(organizationId: string): Promise<OAuthProxy[]>;
  /** Puts a new one IF there is none of that id. */
  create(proxy: OAuthProxy): Promise<boolean>;
  /** Replaces the URLs, and adds 1 to the revision, IF it is still that of `seen`, of the same creation. */
  replaceUrls(seen: OAuthProxy, applicationUrls: readonly string[]): Promise<boolean>;
  /** @returns false: there is none of that id */
  remove(organizationId: string, id: number): Promise<boolean>;
}

/**
 * The id of the proxy of a name: two requests at once cannot make two proxies of one name, and a name leads to its proxy by
 * one read. A number of 48 bits, as clients of the original API expect it.
 */
export function oauthProxyId(organizationId: string, name: string): number {
  const digest = createHash("sha256").update(`${organizationId}\n${name}`).digest();
  return digest.readUIntBE(0, 6);
}
