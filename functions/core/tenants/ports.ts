import type { Sealed } from "../instances/instance.ts";
import type { DataKeyVersion } from "../vault/ports.ts";
import type { Branding } from "./branding.ts";

export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly status: "active" | "suspended";
  /** Newest last: the newest seals, all of them open. Empty: shredded. */
  readonly dataKeys: readonly DataKeyVersion[];
  /** Store time at which its deletion began; a deletion cannot be undone. */
  readonly deletingSince?: number;
  /** Allowed return URLs of the hosted flow: exact, or ending in `*` after a path. */
  readonly returnUrls: readonly string[];
  /** Allowed browser origins (CORS). */
  readonly origins: readonly string[];
  /**
   * Vendors' hosts that connections of its users may name, besides those that a connector declares: exact, or
   * `*.suffix`.
   */
  readonly vendorHosts?: readonly string[];
  /**
   * Ids of suspended users (suspended-users.ts). Absent: the organization is older than this list, and each user's own item
   * holds the status. The first suspension or resumption of a user creates the list.
   */
  readonly suspendedUsers?: readonly string[];
  readonly createdAt: number;
}

export interface User {
  readonly id: string;
  readonly organizationId: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  /** Number that the API shows as `user.id`. */
  readonly number: number;
  readonly status: "active" | "suspended";
  readonly createdAt: number;
}

/** An app that an organization registered at a vendor. */
export interface RegisteredApp {
  readonly id: string;
  readonly organizationId: string;
  readonly connector: string;
  readonly clientId: string;
  /** Sealed at `app/<id>`, field `client-secret`. */
  readonly clientSecret: Sealed;
  readonly callbackUrls: readonly string[];
  readonly createdAt: number;
}

/** The tenants table. Organizations, users and secrets are cached 30 s by `aws/tenants/table.ts`. */
export interface TenantStore {
  organization(id: string, options?: { readonly fresh: boolean }): Promise<Organization | undefined>;
  user(
    organizationId: string,
    userId: string,
    options?: { readonly fresh: boolean },
  ): Promise<User | undefined>;
  /** Looks a user or organization secret up by its hash: always one GetItem, even if there is no such secret. */
  bySecret(secret: string): Promise<{ organizationId: string; userId?: string } | undefined>;
  registeredAppById(
    organizationId: string,
    connector: string,
    appId: string,
  ): Promise<RegisteredApp | undefined>;
}

/**
 * For functions that begin an authorization. A separate interface, so that only their bundles and roles can
 * query the table.
 */
export interface RegisteredApps {
  /** The default app for a connector: the first registered one. */
  registeredApp(organizationId: string, connector: string): Promise<RegisteredApp | undefined>;
}

/** The list of suspended users in an organization's record. `false`: refused, nothing was written. */
export interface SuspendedUsers {
  /** SET suspendedUsers IF there is none. */
  beginSuspendedUsers(organizationId: string, ids: readonly string[]): Promise<boolean>;
  /** Appends an id IF it is not in the list and the list is shorter than `most`. */
  addSuspendedUser(organizationId: string, userId: string, most: number): Promise<boolean>;
  /** Removes the id IF it is at this index. */
  removeSuspendedUser(organizationId: string, userId: string, index: number): Promise<boolean>;
}

/**
 * The tenants table for operators; nothing is cached. `false`: refused, because the item exists already or does
 * not exist.
 */
export interface TenantRecords extends SuspendedUsers {
  organization(id: string): Promise<Organization | undefined>;
  user(organizationId: string, userId: string): Promise<User | undefined>;
  createOrganization(organization: Organization): Promise<boolean>;
  updateOrganization(
    id: string,
    changes: Partial<
      Pick<Organization, "name" | "status" | "deletingSince" | "returnUrls" | "origins" | "vendorHosts">
    >,
  ): Promise<boolean>;
  /**
   * Replaces the list of data keys if it is the one seen. The list only grows at its end and loses older
   * versions, so its newest version and its length identify each of its states.
   */
  replaceDataKeys(id: string, seen: Organization["dataKeys"], to: Organization["dataKeys"]): Promise<boolean>;
  branding(organizationId: string): Promise<Branding | undefined>;
  /** Replaces the whole of it. */
  setBranding(organizationId: string, branding: Branding): Promise<void>;
  createUser(user: User): Promise<boolean>;
  updateUser(
    organizationId: string,
    userId: string,
    changes: Partial<Pick<User, "status" | "email" | "firstName" | "lastName">>,
  ): Promise<boolean>;
  putSecret(hash: string, owner: { organizationId: string; userId?: string }): Promise<void>;
  removeSecret(hash: string): Promise<boolean>;
  createApp(app: RegisteredApp): Promise<boolean>;
  updateApp(
    app: Pick<RegisteredApp, "organizationId" | "connector" | "id">,
    changes: Partial<Pick<RegisteredApp, "clientSecret" | "callbackUrls">>,
  ): Promise<boolean>;
  /** SET clientSecret IF it is the one seen, byte for byte, so that a new secret is not overwritten. */
  resealApp(
    app: Pick<RegisteredApp, "organizationId" | "connector" | "id" | "clientSecret">,
    sealed: Sealed,
  ): Promise<boolean>;
  removeApp(app: Pick<RegisteredApp, "organizationId" | "connector" | "id">): Promise<boolean>;
  /** Deletes users, apps, OAuth proxies and secrets of an organization, and the organization itself last: any number of times. */
  removeOrganization(id: string): Promise<void>;
  listOrganizations(): Promise<Organization[]>;
  listUsers(organizationId: string): Promise<User[]>;
  listApps(organizationId: string): Promise<RegisteredApp[]>;
}
