import { connectorByKey } from "../connectors/catalogue.ts";
import type { Connector } from "../connectors/define-connector.ts";
import { Forbidden, NotFound, Unauthorized } from "../core/errors.ts";
import type { Instance } from "../core/instances/instance.ts";
import { readInstanceToken } from "../core/instances/instance-token.ts";
import type { StoreReading } from "../core/store-clock.ts";
import type { User } from "../core/tenants/ports.ts";
import { authorizePlatform, credentialsOf, identifyInstance } from "../http/authorize.ts";
import { connectorOfPath } from "../http/named-connector.ts";
import type { HttpRequest } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import type { ConnectionDeps } from "./deps.ts";

/**
 * What a call does with its instance. An instance token alone allows `use` (read and refresh the instance)
 * and `rotate` (replace the token). `change` also needs the user's secrets, because the token is stored at
 * every place that uses the instance, such as a browser page.
 */
export type InstanceUse = "use" | "rotate" | "change";

/** The instance that a call is about, and its owner. */
export interface OwnInstance {
  readonly instance: Instance;
  readonly reading: StoreReading;
  readonly user: User | undefined;
  readonly connector: Connector;
  /** Whether the request used the newest instance token (of the last rotation, or of creation). */
  readonly hasNewestToken?: boolean;
}

/**
 * Finds the instance of a call: by the id in the path, for the user who owns the instance; or by the instance
 * token. Also finds a disabled instance, and an instance that needs a new sign-in.
 * @param use what the call does with the instance
 * @throws {Unauthorized} the credentials are missing or invalid
 * @throws {NotFound} no instance has the id, or it belongs to another user or connector, or is being deleted
 * @throws {Forbidden} `needs_user`, `not_from_browsers`, `token_superseded`: these credentials are not
 * enough, or the call comes from a browser page
 */
export async function ownInstance(
  deps: ConnectionDeps,
  request: HttpRequest,
  use: InstanceUse,
): Promise<OwnInstance> {
  const byToken = request.params.id === undefined || !isPlatformCall(request);
  const found = byToken ? await ofToken(deps, request) : await ofUser(deps, request);
  const connector = connectorByKey(found.instance.connector);
  const asked = request.params.keyOrId;
  if (
    connector === undefined ||
    (asked !== undefined && (await connectorOfPath(request)).key !== connector.key)
  ) {
    throw unknownInstance(request);
  }
  request.logContext.connector = connector.key;
  request.logContext.instanceId = found.instance.id;
  assertAllowed(request, use, found);
  return { ...found, connector };
}

/**
 * Whether a call has a user's secrets, or no instance token. An Element part is ignored if the user's secrets
 * are sent.
 */
export function isPlatformCall(request: HttpRequest): boolean {
  return speaksForUser(request) || !hasInstanceToken(request);
}

/**
 * Whether a call has the user's secrets, valid or not: User and Organization, which old clients send with
 * Element, or only the user's secret as Bearer.
 */
function speaksForUser(request: HttpRequest): boolean {
  const { user, organization, bearer } = credentialsOf(request);
  if (bearer !== undefined) return readInstanceToken(bearer) === undefined;
  return user !== undefined && organization !== undefined;
}

/** Checks that a call may use the instance in this way. Its credentials have been checked before. */
function assertAllowed(
  request: HttpRequest,
  use: InstanceUse,
  { hasNewestToken }: Pick<OwnInstance, "hasNewestToken">,
): void {
  if (use === "use") return;
  if (use === "rotate") {
    if (!speaksForUser(request) && hasNewestToken !== true) throw tokenSuperseded();
    return;
  }
  if (!speaksForUser(request)) {
    throw new Forbidden(
      "an instance token alone cannot change its instance: send User and Organization, too, or Authorization: Bearer <user secret>",
      "needs_user",
    );
  }
  if (request.headers.origin !== undefined) {
    throw new Forbidden(
      "an instance cannot be changed from a browser page (the request has an Origin header); call from your server",
      "not_from_browsers",
    );
  }
}

/** The error for a rotation with an old token, which must not make the new token invalid. */
export function tokenSuperseded(): Forbidden {
  return new Forbidden(
    "this instance token was replaced by a rotation and is valid only for its grace period: rotate with the newest token, or with User and Organization",
    "token_superseded",
  );
}

/** Whether a call has an instance token, valid or not. */
export function hasInstanceToken(request: HttpRequest): boolean {
  const { element, bearer } = credentialsOf(request);
  return element !== undefined || (bearer !== undefined && readInstanceToken(bearer) !== undefined);
}

/** The instance with an id, if it belongs to this user. @throws {NotFound} */
export async function instanceOfUser(
  deps: ConnectionDeps,
  user: User,
  id: number,
): Promise<{ instance: Instance; reading: StoreReading }> {
  const { value: instance, reading } = await deps.grants.instances.get(id);
  if (
    instance === undefined ||
    instance.deleting === true ||
    instance.organizationId !== user.organizationId ||
    instance.userId !== user.id
  ) {
    throw new NotFound(`there is no instance ${id}`, "unknown_instance");
  }
  return { instance, reading };
}

async function ofUser(deps: ConnectionDeps, request: HttpRequest): Promise<Omit<OwnInstance, "connector">> {
  const { user } = await authorizePlatform(request, deps.tenants);
  return { ...(await instanceOfUser(deps, user, idOfPath(request))), user };
}

async function ofToken(deps: ConnectionDeps, request: HttpRequest): Promise<Omit<OwnInstance, "connector">> {
  if (!hasInstanceToken(request)) {
    throw new Unauthorized("send the instance's token: Authorization: …, Element <instance token>");
  }
  const { instance, reading, hasNewestToken } = await identifyInstance(request, {
    tenants: deps.tenants,
    instances: deps.grants.instances,
  });
  if (request.params.id !== undefined && idOfPath(request) !== instance.id) throw unknownInstance(request);
  const user = await deps.tenants.user(instance.organizationId, instance.userId);
  return { instance, reading, user, hasNewestToken };
}

function idOfPath(request: HttpRequest): number {
  const id = decodeSegment(request, "id");
  if (!/^[1-9]\d{0,15}$/.test(id) || !Number.isSafeInteger(Number(id))) throw unknownInstance(request);
  return Number(id);
}

function unknownInstance(request: HttpRequest): NotFound {
  return new NotFound(`there is no instance ${decodeSegment(request, "id")}`, "unknown_instance");
}
