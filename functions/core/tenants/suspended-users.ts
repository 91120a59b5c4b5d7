import { NotFound } from "../errors.ts";
import type { Instance } from "../instances/instance.ts";
import type { Organization, TenantRecords, TenantStore, User } from "./ports.ts";

/**
 * Most ids of suspended users in an organization's record: about 26 kB, which each process reads every 30 s.
 * The instances of further suspended users are marked one by one.
 */
export const MOST_LISTED = 1_000;

/** Another operator's change may come in between once or twice; more rounds than this are an error. */
const MOST_ROUNDS = 20;

type Marked = Pick<Instance, "userId" | "userSuspended">;

/**
 * Whether an instance belongs to a suspended user. Costs no read, because the caller has the organization and
 * the instance. Only if the organization has no list yet, the user's own item is read (cached).
 * @param organization may be cached, for at most 30 s
 */
export async function isOfSuspendedUser(
  tenants: Pick<TenantStore, "user">,
  { id, suspendedUsers }: Organization,
  { userId, userSuspended }: Marked,
): Promise<boolean> {
  if (userSuspended === true || suspendedUsers?.includes(userId) === true) return true;
  return suspendedUsers === undefined && (await tenants.user(id, userId))?.status === "suspended";
}

export interface SuspensionRecords {
  readonly records: Pick<
    TenantRecords,
    "organization" | "user" | "listUsers" | "beginSuspendedUsers" | "addSuspendedUser" | "removeSuspendedUser"
  >;
  /** Has a worker mark the instances of a user, or remove the marks (mark-instances.ts). */
  readonly markInstances?: (organizationId: string, userId: string) => Promise<void>;
}

/**
 * Updates the organization's list, and the marks for users beyond it, from the user's own item. Operator
 * commands call it after each change; it may be repeated. If two operators work at once, the run that ends last
 * has seen both changes.
 * @throws {NotFound}
 */
export async function tellSuspension(
  deps: SuspensionRecords,
  organizationId: string,
  userId: string,
): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const { organization, user } = await readBoth(deps.records, organizationId, userId);
    const listed = organization.suspendedUsers ?? (await beginList(deps, organizationId));
    if (listed === undefined) continue;
    const isListed = await listOrUnlist(deps.records, user, listed);
    if (isListed === undefined) continue;
    const { user: now } = await readBoth(deps.records, organizationId, userId);
    if (now.status !== user.status) continue;
    // A resumed user's instances may have marks from a time at which the list was full.
    if (user.status === "active" || !isListed) await mark(deps, user);
    return;
  }
  throw new Error(
    `the suspended users of organization ${organizationId} change too fast; run the command again`,
  );
}

async function readBoth(
  records: SuspensionRecords["records"],
  organizationId: string,
  userId: string,
): Promise<{ organization: Organization; user: User }> {
  const [organization, user] = await Promise.all([
    records.organization(organizationId),
    records.user(organizationId, userId),
  ]);
  if (organization === undefined) throw new NotFound(`there is no organization ${organizationId}`);
  if (user === undefined) throw new NotFound(`there is no user ${userId}`);
  return { organization, user };
}

/**
 * Makes the list of an organization that is older than this list, with the users who are suspended already.
 * @returns undefined: read again
 */
async function beginList(
  deps: SuspensionRecords,
  organizationId: string,
): Promise<readonly string[] | undefined> {
  const suspended = (await deps.records.listUsers(organizationId)).filter(
    ({ status }) => status === "suspended",
  );
  // The marks are written first, because users' items are not read any more once there is a list.
  for (const user of suspended.slice(MOST_LISTED)) await mark(deps, user);
  const ids = suspended.slice(0, MOST_LISTED).map(({ id }) => id);
  return (await deps.records.beginSuspendedUsers(organizationId, ids)) ? ids : undefined;
}

/** @returns whether the user is on the list now; undefined: another process changed the list, read again */
async function listOrUnlist(
  records: SuspensionRecords["records"],
  { id, organizationId, status }: User,
  listed: readonly string[],
): Promise<boolean | undefined> {
  const index = listed.indexOf(id);
  if (status === "suspended") {
    if (index >= 0) return true;
    if (listed.length >= MOST_LISTED) return false;
    return (await records.addSuspendedUser(organizationId, id, MOST_LISTED)) ? true : undefined;
  }
  if (index < 0) return false;
  return (await records.removeSuspendedUser(organizationId, id, index)) ? false : undefined;
}

/** Queues the marking. An operator's tool without a queue works as long as no instance needs a mark. */
async function mark(
  { markInstances }: SuspensionRecords,
  { id, organizationId, status }: User,
): Promise<void> {
  if (markInstances !== undefined) return await markInstances(organizationId, id);
  if (status === "suspended")
    throw new Error(`the list of suspended users is full, and there is no queue to mark user ${id}`);
}
