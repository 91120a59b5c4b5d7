import { Forbidden, NeedsReauthentication, NotFound, Unauthorized } from "../core/errors.ts";
import { latestNow } from "../core/grant/timing.ts";
import { type Instance, needsReauthentication } from "../core/instances/instance.ts";
import type { InstanceStore } from "../core/instances/instance-store.ts";
import { readInstanceToken } from "../core/instances/instance-token.ts";
import { sameHash } from "../core/secret-hash.ts";
import type { StoreReading } from "../core/store-clock.ts";
import type { Organization, TenantStore, User } from "../core/tenants/ports.ts";
import { isOfSuspendedUser } from "../core/tenants/suspended-users.ts";
import { admitTenant } from "./admit-tenant.ts";
import { allowOrigins } from "./cors.ts";
import type { HttpRequest } from "./request.ts";

/** The parts of an Authorization header; each part is an opaque secret. */
export interface AuthorizationParts {
  readonly user?: string;
  readonly organization?: string;
  readonly element?: string;
  readonly bearer?: string;
}

/** The caller of the platform API. */
export interface PlatformCaller {
  readonly organization: Organization;
  readonly user: User;
}

/** The organization and instance of an instance token, and the store's time when the instance was read. */
export interface InstanceCaller {
  readonly organization: Organization;
  readonly instance: Instance;
  readonly reading: StoreReading;
  /** False: an older token, valid only until its grace period ends. */
  readonly hasNewestToken: boolean;
  /** Hash of the token in the request. */
  readonly tokenHash: string;
}

export interface InstanceCallerStores {
  readonly tenants: TenantStore;
  readonly instances: Pick<InstanceStore, "get">;
}

const PART = /^(user|organization|element|bearer)\s+([^\s,]+)$/i;
/** Longer than any valid Authorization header (user, organization and element parts, or bearer). */
const MAX_HEADER_CHARACTERS = 4_000;

/**
 * Parses an Authorization header: `User …, Organization …, Element …` in any order and case, or `Bearer …`.
 * @throws {Unauthorized} the header has any other form. The message does not repeat the header.
 */
export function parseAuthorization(header: string | undefined): AuthorizationParts {
  if (header === undefined || header.trim() === "") return {};
  const parts: { -readonly [K in keyof AuthorizationParts]: AuthorizationParts[K] } = {};
  const pieces = header.length > MAX_HEADER_CHARACTERS ? [] : header.split(",");
  for (const piece of pieces) {
    const [, scheme, secret] = PART.exec(piece.trim()) ?? [];
    const name = scheme?.toLowerCase() as keyof AuthorizationParts | undefined;
    if (name === undefined || secret === undefined || parts[name] !== undefined) throw malformed();
    parts[name] = secret;
  }
  if (pieces.length === 0 || (parts.bearer !== undefined && pieces.length > 1)) throw malformed();
  return parts;
}

const parsed = new WeakMap<HttpRequest, AuthorizationParts>();

/** The parts of a request's Authorization header, parsed once. @throws {Unauthorized} it is malformed */
export function credentialsOf(request: HttpRequest): AuthorizationParts {
  const parts = parsed.get(request) ?? parseAuthorization(request.headers.authorization);
  parsed.set(request, parts);
  return parts;
}

/**
 * Finds the caller of the platform API by `User …, Organization …` or `Bearer <userSecret>`. Ignores an
 * Element part, because old clients send it even if its instance is deleted.
 * @throws {Unauthorized} the credentials are missing, malformed, unknown or suspended
 */
export async function authorizePlatform(request: HttpRequest, tenants: TenantStore): Promise<PlatformCaller> {
  const parts = credentialsOf(request);
  const user = parts.user ?? parts.bearer;
  if (user === undefined || (parts.bearer === undefined && parts.organization === undefined)) {
    throw new Unauthorized(
      "send Authorization: User <user secret>, Organization <organization secret>, or Bearer <user secret>",
    );
  }
  const caller = await platformCaller(user, parts.organization, tenants);
  admitTenant(request, caller.organization.id);
  request.logContext.organizationId = caller.organization.id;
  request.logContext.userId = caller.user.id;
  return caller;
}

/**
 * As `authorizePlatform`, for what concerns all users of an organization: it takes the organization's secret, too.
 * @throws {Unauthorized} also for `Bearer <user secret>`
 */
export async function authorizeOrganization(
  request: HttpRequest,
  tenants: TenantStore,
): Promise<PlatformCaller> {
  const { user, organization } = credentialsOf(request);
  if (user === undefined || organization === undefined) {
    throw new Unauthorized("send Authorization: User <user secret>, Organization <organization secret>");
  }
  return await authorizePlatform(request, tenants);
}

async function platformCaller(
  userSecret: string,
  organizationSecret: string | undefined,
  tenants: TenantStore,
): Promise<PlatformCaller> {
  const [owner, organizationOwner] = await Promise.all([
    tenants.bySecret(userSecret),
    organizationSecret === undefined ? undefined : tenants.bySecret(organizationSecret),
  ]);
  const wrongOrganization =
    organizationSecret !== undefined &&
    (organizationOwner === undefined ||
      organizationOwner.userId !== undefined ||
      organizationOwner.organizationId !== owner?.organizationId);
  if (owner?.userId === undefined || wrongOrganization) throw unknownSecret();
  const [organization, user] = await Promise.all([
    tenants.organization(owner.organizationId),
    tenants.user(owner.organizationId, owner.userId),
  ]);
  if (organization?.status !== "active" || user?.status !== "active") throw unknownSecret();
  return { organization, user };
}

/**
 * Finds the caller by an instance token (`Element …` or `Bearer …`), for the hub and the proxy.
 * @throws {Unauthorized} the token is missing, malformed, unknown, replaced by a rotation, or belongs to a
 * deleted instance or to a suspended user or organization
 * @throws {Forbidden} the instance is disabled
 * @throws {NeedsReauthentication} its grant is dead
 * @throws {NotFound} the User or Organization part belongs to another user or organization
 */
export async function authorizeInstance(
  request: HttpRequest,
  stores: InstanceCallerStores,
): Promise<InstanceCaller> {
  const caller = await identifyInstance(request, stores);
  assertUsable(caller.instance);
  return caller;
}

/** Like `authorizeInstance`, for a token that is not in the Authorization header (the proxy). */
export async function authorizeInstanceToken(
  token: string,
  request: HttpRequest,
  stores: InstanceCallerStores,
): Promise<InstanceCaller> {
  const caller = await instanceCaller(token, {}, request, stores);
  assertUsable(caller.instance);
  return caller;
}

/**
 * Like `authorizeInstance`, for calls about the instance itself, which must work for a disabled or dead
 * instance, too.
 */
export async function identifyInstance(
  request: HttpRequest,
  stores: InstanceCallerStores,
): Promise<InstanceCaller> {
  const parts = credentialsOf(request);
  const token = parts.element ?? parts.bearer;
  if (token === undefined) {
    throw new Unauthorized(
      "send Authorization: Bearer <instance token>, or User <user secret>, Organization <organization secret>, Element <instance token>",
    );
  }
  return instanceCaller(token, parts, request, stores);
}

async function instanceCaller(
  token: string,
  parts: Pick<AuthorizationParts, "user" | "organization">,
  request: HttpRequest,
  { tenants, instances }: InstanceCallerStores,
): Promise<InstanceCaller> {
  const claimed = readInstanceToken(token);
  if (claimed === undefined) throw unknownSecret();
  const { value: instance, reading } = await instances.get(claimed.instanceId);
  const now = latestNow(reading, performance.now());
  // Compares all hashes, so that the response time reveals nothing.
  const good = (instance?.tokenHashes ?? []).filter(
    ({ hash, until }) => sameHash(hash, claimed.hash) && (until === undefined || until > now),
  );
  if (instance === undefined || good.length === 0 || instance.deleting === true) throw unknownSecret();
  const organization = await tenants.organization(instance.organizationId);
  if (organization?.status !== "active" || (await isOfSuspendedUser(tenants, organization, instance)))
    throw unknownSecret();
  await assertOwnParts(parts, instance, tenants);
  request.logContext.organizationId = organization.id;
  request.logContext.userId = instance.userId;
  request.logContext.instanceId = instance.id;
  request.logContext.connector = instance.connector;
  allowOrigins(request, organization.origins);
  admitTenant(request, organization.id);
  const hasNewestToken = good.some(({ until }) => until === undefined);
  return { organization, instance, reading, hasNewestToken, tokenHash: claimed.hash };
}

/**
 * The token alone is enough. But if the caller sends User or Organization, they must be the instance's own.
 */
async function assertOwnParts(
  { user, organization }: Pick<AuthorizationParts, "user" | "organization">,
  instance: Instance,
  tenants: TenantStore,
): Promise<void> {
  const [userOwner, organizationOwner] = await Promise.all([
    user === undefined ? undefined : tenants.bySecret(user),
    organization === undefined ? undefined : tenants.bySecret(organization),
  ]);
  if (
    (user !== undefined && userOwner?.userId === undefined) ||
    (organization !== undefined &&
      (organizationOwner === undefined || organizationOwner.userId !== undefined))
  ) {
    throw unknownSecret();
  }
  const foreign =
    (userOwner !== undefined &&
      (userOwner.organizationId !== instance.organizationId || userOwner.userId !== instance.userId)) ||
    (organizationOwner !== undefined && organizationOwner.organizationId !== instance.organizationId);
  // 404, not 403: does not reveal that the instance exists.
  if (foreign) throw new NotFound("there is no such instance");
}

function assertUsable(instance: Instance): void {
  if (!instance.enabled) {
    throw new Forbidden(
      "this instance is disabled; enable it with PUT /instances/{id}/enabled",
      "instance_disabled",
    );
  }
  if (needsReauthentication(instance)) throw new NeedsReauthentication({ instanceId: instance.id });
}

function malformed(): Unauthorized {
  return new Unauthorized(
    "the Authorization header is malformed: User <secret>, Organization <secret>, Element <token>; or Bearer <token>",
  );
}

/** All causes have the same message, so that it does not help a caller who guesses secrets. */
function unknownSecret(): Unauthorized {
  return new Unauthorized("the credentials are unknown or no longer valid");
}
