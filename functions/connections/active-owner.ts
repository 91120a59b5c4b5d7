import { NotFound } from "../core/errors.ts";
import type { Organization, TenantStore } from "../core/tenants/ports.ts";
import { isOfSuspendedUser } from "../core/tenants/suspended-users.ts";

/**
 * The organization of a connect session, if the organization and the session's user are active. Read fresh,
 * not from a cache: these calls are rare, and they carry no secret that a suspension would make invalid.
 * @throws {NotFound} the organization or the user is suspended or deleted
 */
export async function activeOwner(
  tenants: Pick<TenantStore, "organization" | "user">,
  { organizationId, userId }: { readonly organizationId: string; readonly userId: string },
): Promise<Organization> {
  const [organization, user] = await Promise.all([
    tenants.organization(organizationId, { fresh: true }),
    tenants.user(organizationId, userId, { fresh: true }),
  ]);
  const isActive =
    organization?.status === "active" &&
    user?.status === "active" &&
    !(await isOfSuspendedUser(tenants, organization, { userId }));
  if (!isActive) {
    throw new NotFound(
      "This link is unknown, was used already, or is older than 30 minutes",
      "unknown_session",
    );
  }
  return organization;
}
