import type { IncomingMessage, ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";
import type { ConnectedAccount, ConnectedAccounts } from "./connected-accounts.ts";
import type { Notice } from "./layout.ts";
import type { LinkspanClient } from "./linkspan-client.ts";
import type { Vendor } from "./pages.ts";

/** Values by end user or session, in memory: a restart loses them, and the least recently used go when there are many. */
export type Kept<T extends object> = LRUCache<string, T>;

export function keep<T extends object>(most: number): Kept<T> {
  return new LRUCache({ max: most });
}

/** Returns a value and removes it. */
export function take<T extends object>(kept: Kept<T>, key: string): T | undefined {
  const value = kept.get(key);
  kept.delete(key);
  return value;
}

/** The page of an account, at one of its folders. */
export function placeOf(instanceId: number, path: string): string {
  return `/accounts/${instanceId}?path=${encodeURIComponent(path)}`;
}

/** What every page of the demo app works with. */
export interface DemoContext {
  readonly url: string;
  readonly vendors: readonly Vendor[];
  readonly dataFolder: string;
  readonly expireAccessTokens?: (connector: string) => void;
  readonly linkspan: LinkspanClient;
  readonly accounts: ConnectedAccounts;
  /** What the next page of an end user says. */
  readonly notices: Kept<Notice>;
  /**
   * Connect sessions that this app started, and the instance that each signs in to again. A real app stores them in its
   * database.
   */
  readonly sessions: Kept<{ readonly instanceId?: number }>;
}

/** One request of one end user. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly endUser: string;
  /** The folder that the page shows. */
  readonly path: string;
}

/** @param account of the path `/accounts/{id}`; such a route runs only if the account is this end user's */
export type Route = (visit: Visit, account: ConnectedAccount) => Promise<void> | void;
