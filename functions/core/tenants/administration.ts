import { randomBytes, randomInt } from "node:crypto";
import { Conflict, InvalidRequest, NotFound } from "../errors.ts";
import { budgets, checkText, jsonBytes } from "../instances/budgets.ts";
import { clientSecretPlace } from "../oauth/client-resolver.ts";
import { present } from "../present.ts";
import { hashSecret } from "../secret-hash.ts";
import type { Vault } from "../vault/ports.ts";
import { checkOrigin, checkReturnUrl, checkVendorHost } from "./allow-lists.ts";
import { type Branding, checkColor, checkLogo } from "./branding.ts";
import { newKeyId } from "./data-keys.ts";
import type { Organization, RegisteredApp, TenantRecords, User } from "./ports.ts";
import { newSecret } from "./secrets.ts";
import { tellSuspension } from "./suspended-users.ts";

/** The operator's calls for tenants: `npm run admin`, and the local platform's demo tenant. */
export interface TenantAdmin {
  /** The secret is shown only here: only its hash is stored. */
  createOrganization(request: { name: string }): Promise<{ organization: Organization; secret: string }>;
  createUser(request: {
    organizationId: string;
    email: string;
    firstName: string;
    lastName: string;
  }): Promise<{ user: User; secret: string }>;
  /** Adds a second secret for the organization or one user, so that a secret can be rotated without a gap. */
  addSecret(request: { organizationId: string; userId?: string }): Promise<string>;
  /** Ends a secret. `false`: there was no such secret. */
  removeSecret(secret: string): Promise<boolean>;
  registerApp(request: {
    organizationId: string;
    connector: string;
    clientId: string;
    clientSecret: string;
    callbackUrls: readonly string[];
  }): Promise<RegisteredApp>;
  /**
   * Replaces the client secret of a registered app; grants that were made with the old secret are refreshed
   * with the new one.
   */
  replaceClientSecret(request: {
    organizationId: string;
    connector: string;
    appId: string;
    clientSecret: string;
  }): Promise<void>;
  /** Removes a registered app. Instances that were connected with it can no longer be refreshed. */
  removeApp(request: { organizationId: string; connector: string; appId: string }): Promise<void>;
  /** Replaces the lists that are set. */
  setAllowLists(
    organizationId: string,
    lists: Partial<Pick<Organization, "returnUrls" | "origins" | "vendorHosts">>,
  ): Promise<Organization>;
  /** Changes what is given of an organization's look; `null` removes it. */
  setBranding(
    organizationId: string,
    changes: { readonly color?: string | null; readonly logo?: Uint8Array | null },
  ): Promise<Branding>;
  /**
   * Takes effect in all processes within 30 s; a user's status applies to all the user's instances.
   * @throws {Conflict} an organization that is being deleted cannot become active again
   */
  setStatus(of: { organizationId: string; userId?: string }, status: "active" | "suspended"): Promise<void>;
  listOrganizations(): Promise<Organization[]>;
  listUsers(organizationId: string): Promise<User[]>;
  listApps(organizationId: string): Promise<RegisteredApp[]>;
}

export interface TenantAdministrationDeps {
  readonly records: TenantRecords;
  /** Wraps the data key of a new organization (see core/vault). */
  readonly keys: {
    generateDataKey(organizationId: string): Promise<{ readonly wrapped: Uint8Array }>;
  };
  /** Seals client secrets. */
  readonly vault: Pick<Vault, "seal">;
  /** Epoch milliseconds; only for display, and for the order of creation. */
  readonly now: () => number;
  /**
   * Has a worker mark a user's instances if the organization's list of suspended users is full
   * (suspended-users.ts).
   */
  readonly markInstances?: (organizationId: string, userId: string) => Promise<void>;
}

export function tenantAdministration(deps: TenantAdministrationDeps): TenantAdmin {
  return { ...organizationCalls(deps), ...userCalls(deps), ...appCalls(deps) };
}

function organizationCalls(
  deps: TenantAdministrationDeps,
): Pick<
  TenantAdmin,
  "createOrganization" | "setAllowLists" | "setBranding" | "setStatus" | "listOrganizations"
> {
  const { records } = deps;
  return {
    async createOrganization({ name }) {
      checkText(name, budgets.operatorText, "name");
      const id = randomId();
      const { wrapped } = await deps.keys.generateDataKey(id);
      const organization: Organization = {
        id,
        name,
        status: "active",
        dataKeys: [{ id: newKeyId(), wrapped }],
        returnUrls: [],
        origins: [],
        suspendedUsers: [],
        createdAt: deps.now(),
      };
      await created(records.createOrganization(organization));
      return { organization, secret: await newSecretOf(records, id) };
    },
    async setAllowLists(organizationId, { returnUrls, origins, vendorHosts }) {
      checkList(returnUrls, "returnUrls");
      checkList(origins, "origins");
      checkList(vendorHosts, "vendorHosts");
      const changes = {
        ...(returnUrls === undefined ? {} : { returnUrls: returnUrls.map(checkReturnUrl) }),
        ...(origins === undefined ? {} : { origins: origins.map(checkOrigin) }),
        ...(vendorHosts === undefined ? {} : { vendorHosts: vendorHosts.map(checkVendorHost) }),
      };
      await found(records.updateOrganization(organizationId, changes), `organization ${organizationId}`);
      return organizationOf(records, organizationId);
    },
    async setBranding(organizationId, changes) {
      await organizationOf(records, organizationId);
      const before = (await records.branding(organizationId)) ?? {};
      const color = changes.color === undefined ? before.color : checkedUnlessNull(changes.color, checkColor);
      const logo = changes.logo === undefined ? before.logo : checkedUnlessNull(changes.logo, checkLogo);
      const branding = present({ color, logo });
      await records.setBranding(organizationId, branding);
      return branding;
    },
    async setStatus({ organizationId, userId }, status) {
      const { deletingSince } = status === "active" ? await organizationOf(records, organizationId) : {};
      if (deletingSince !== undefined) {
        throw new Conflict(`organization ${organizationId} is being deleted`, "being_deleted");
      }
      if (userId === undefined) {
        return await found(
          records.updateOrganization(organizationId, { status }),
          `organization ${organizationId}`,
        );
      }
      await found(records.updateUser(organizationId, userId, { status }), `user ${userId}`);
      await tellSuspension(deps, organizationId, userId);
    },
    listOrganizations: () => records.listOrganizations(),
  };
}

function checkedUnlessNull<T, Checked>(value: T | null, check: (value: T) => Checked): Checked | undefined {
  return value === null ? undefined : check(value);
}

function userCalls(
  deps: TenantAdministrationDeps,
): Pick<TenantAdmin, "createUser" | "addSecret" | "removeSecret" | "listUsers"> {
  const { records } = deps;
  return {
    async createUser({ organizationId, email, firstName, lastName }) {
      await organizationOf(records, organizationId);
      for (const [field, text] of Object.entries({ email, firstName, lastName }))
        checkText(text, budgets.operatorText, field);
      const user: User = {
        id: randomId(),
        organizationId,
        email,
        firstName,
        lastName,
        number: randomInt(1, 2 ** 31),
        status: "active",
        createdAt: deps.now(),
      };
      await created(records.createUser(user));
      return { user, secret: await newSecretOf(records, organizationId, user.id) };
    },
    async addSecret({ organizationId, userId }) {
      await organizationOf(records, organizationId);
      if (userId !== undefined && (await records.user(organizationId, userId)) === undefined) {
        throw new NotFound(`organization ${organizationId} has no user ${userId}`);
      }
      return newSecretOf(records, organizationId, userId);
    },
    removeSecret: (secret) => records.removeSecret(hashSecret(secret)),
    listUsers: (organizationId) => records.listUsers(organizationId),
  };
}

function appCalls(
  deps: TenantAdministrationDeps,
): Pick<TenantAdmin, "registerApp" | "replaceClientSecret" | "removeApp" | "listApps"> {
  const { records } = deps;
  return {
    async registerApp({ organizationId, connector, clientId, clientSecret, callbackUrls }) {
      await organizationOf(records, organizationId);
      checkText(clientId, budgets.clientId, "clientId");
      checkText(clientSecret, budgets.operatorText, "clientSecret");
      checkList(callbackUrls, "callbackUrls");
      const createdAt = deps.now();
      // Sorts by creation, so that the first registered app of a connector is the first of a query.
      const id = `${createdAt.toString(36).padStart(9, "0")}${randomId()}`;
      const app: RegisteredApp = {
        id,
        organizationId,
        connector,
        clientId: clientId.trim(),
        clientSecret: await deps.vault.seal(clientSecretPlace(organizationId, id), clientSecret.trim()),
        callbackUrls: callbackUrls.map((url) => url.trim()),
        createdAt,
      };
      await created(records.createApp(app));
      return app;
    },
    async replaceClientSecret({ organizationId, connector, appId, clientSecret }) {
      checkText(clientSecret, budgets.operatorText, "clientSecret");
      const sealed = await deps.vault.seal(clientSecretPlace(organizationId, appId), clientSecret.trim());
      if (!(await records.updateApp({ organizationId, connector, id: appId }, { clientSecret: sealed }))) {
        throw new NotFound(`organization ${organizationId} has no app ${appId} for ${connector}`);
      }
    },
    async removeApp({ organizationId, connector, appId }) {
      if (!(await records.removeApp({ organizationId, connector, id: appId }))) {
        throw new NotFound(`organization ${organizationId} has no app ${appId} for ${connector}`);
      }
    },
    listApps: (organizationId) => records.listApps(organizationId),
  };
}

async function organizationOf(records: TenantRecords, organizationId: string): Promise<Organization> {
  const organization = await records.organization(organizationId);
  if (organization === undefined) throw new NotFound(`there is no organization ${organizationId}`);
  return organization;
}

async function newSecretOf(records: TenantRecords, organizationId: string, userId?: string): Promise<string> {
  const secret = newSecret(userId === undefined ? "lso" : "lsu");
  await records.putSecret(hashSecret(secret), { organizationId, ...present({ userId }) });
  return secret;
}

/** 96 random bits: an identifier, not a secret. */
function randomId(): string {
  return randomBytes(12).toString("hex");
}

/** @throws {InvalidRequest} the list is longer than its budget */
function checkList(list: readonly string[] | undefined, field: string): void {
  if (list !== undefined && jsonBytes(list) > budgets.operatorList) {
    const message = `${field} is too long: at most ${budgets.operatorList} bytes in all`;
    throw new InvalidRequest(message, field, "too_large");
  }
}

async function created(write: Promise<boolean>): Promise<void> {
  if (!(await write)) throw new Conflict("an item of this id exists already; try again");
}

async function found(write: Promise<boolean>, what: string): Promise<void> {
  if (!(await write)) throw new NotFound(`there is no ${what}`);
}
