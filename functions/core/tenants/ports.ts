import type { Sealed } from "../instances/instance.ts";

export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly status: "active" | "suspended";
  /** Data keys wrapped by KMS, newest last; a seal names the one it was made with. */
  readonly dataKeys: readonly { readonly id: string; readonly wrapped: Uint8Array }[];
  /** Allowed return URLs of the hosted flow: exact, or ending in `*` after a path. */
  readonly returnUrls: readonly string[];
  /** Allowed browser origins (CORS). */
  readonly origins: readonly string[];
  readonly createdAt: number;
}

export interface User {
  readonly id: string;
  readonly organizationId: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  /** Number shown at the edge as `user.id`. */
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

/** The tenants table. Organizations, users and secrets are cached 30 s by `aws/tenant-table.ts`. */
export interface TenantStore {
  organization(id: string, options?: { readonly fresh: boolean }): Promise<Organization | undefined>;
  user(organizationId: string, userId: string): Promise<User | undefined>;
  /** Looks a user or organization secret up by its hash: one GetItem, whether it exists or not. */
  bySecret(secret: string): Promise<{ organizationId: string; userId?: string } | undefined>;
  registeredAppById(
    organizationId: string,
    connector: string,
    appId: string,
  ): Promise<RegisteredApp | undefined>;
}

/** For those who begin an authorization. Apart from the rest, so that only their bundles and roles can query the table. */
export interface RegisteredApps {
  /** The app used for a connector when the caller names none: the first registered. */
  registeredApp(organizationId: string, connector: string): Promise<RegisteredApp | undefined>;
}

/** The tenants table as an operator writes it; nothing of it is cached. `false` = refused: it exists already, or does not. */
export interface TenantRecords {
  organization(id: string): Promise<Organization | undefined>;
  user(organizationId: string, userId: string): Promise<User | undefined>;
  createOrganization(organization: Organization): Promise<boolean>;
  updateOrganization(
    id: string,
    changes: Partial<Pick<Organization, "name" | "status" | "dataKeys" | "returnUrls" | "origins">>,
  ): Promise<boolean>;
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
  removeApp(app: Pick<RegisteredApp, "organizationId" | "connector" | "id">): Promise<boolean>;
  listOrganizations(): Promise<Organization[]>;
  listUsers(organizationId: string): Promise<User[]>;
  listApps(organizationId: string): Promise<RegisteredApp[]>;
}
