import { userInfo } from "node:os";
import { type AuditEvent, type AuditTrail, auditEvent } from "../../functions/core/audit.ts";
import type { OrganizationDeletion } from "../../functions/core/grant/operator/delete-organization.ts";
import type { Resealing } from "../../functions/core/grant/operator/reseal-organization.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import type { InstanceItems } from "../../functions/core/instances/instance-store.ts";
import type { PendingSignIn } from "../../functions/core/instances/pending-sign-in.ts";
import type { TenantAdmin } from "../../functions/core/tenants/administration.ts";
import type { DataKeyVersion } from "../../functions/core/vault/ports.ts";
import type { DeadLetters } from "./dead-letters.ts";

/** The changes that an operator's commands can make. */
export interface Changes {
  readonly tenants: TenantAdmin;
  readonly instances: Pick<InstanceItems, "get">;
  readonly deadLetters: DeadLetters;
  /**
   * Makes the instance token invalid at once; a worker revokes the grant at the vendor and deletes the
   * instance. `false`: the instance does not exist.
   */
  revoke(instanceId: number): Promise<boolean>;
  /** Ends a sign-in that is not claimed; a worker revokes its grant. `false`: the sign-in was claimed. */
  endPending(pending: PendingSignIn): Promise<boolean>;
  /** Lets a worker try a dead grant once more. */
  revive(instance: Instance): Promise<void>;
  rotateKey(organizationId: string): Promise<{ version: DataKeyVersion; versions: number }>;
  reseal(organizationId: string): Promise<Resealing>;
  deleteOrganization(
    organizationId: string,
    options: { readonly shredNow: boolean },
  ): Promise<OrganizationDeletion>;
}

type What = Omit<AuditEvent, "id" | "at" | "outcome" | "by" | "operator" | "action">;
type Record = (action: string, what: What) => Promise<void>;

/**
 * Wraps a target so that each of its changes records an audit event. Reads record none. A command that AWS or
 * Linkspan refuses changes nothing and records none; at most CloudTrail has it.
 */
export function audited<T extends Changes>(target: T, trail: AuditTrail): T {
  const record: Record = async (action, what) => {
    const event = auditEvent({ action, outcome: "done", by: "operator", operator: userName(), ...what });
    try {
      await trail.record(event);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      console.error(
        `The audit trail did not accept this event (${why}); keep this line: ${JSON.stringify(event)}`,
      );
    }
  };
  return {
    ...target,
    tenants: auditedTenants(target.tenants, record),
    deadLetters: auditedDeadLetters(target.deadLetters, record),
    async revoke(instanceId) {
      const { value: instance } = await target.instances.get(instanceId);
      const found = await target.revoke(instanceId);
      if (found) await record("instance.delete", { instanceId, ...ownerOf(instance) });
      return found;
    },
    async endPending(pending) {
      const ended = await target.endPending(pending);
      const { instanceId, organizationId, userId, connector } = pending;
      if (ended) await record("session.refuse", { instanceId, organizationId, userId, connector });
      return ended;
    },
    async revive(instance) {
      await target.revive(instance);
      await record("instance.revive", { instanceId: instance.id, ...ownerOf(instance) });
    },
    async rotateKey(organizationId) {
      const rotated = await target.rotateKey(organizationId);
      await record("organization.rotate_key", { organizationId });
      return rotated;
    },
    async reseal(organizationId) {
      const resealed = await target.reseal(organizationId);
      await record("organization.reseal", { organizationId });
      return resealed;
    },
    async deleteOrganization(organizationId, options) {
      const deletion = await target.deleteOrganization(organizationId, options);
      await record(deletion.state === "shredded" ? "organization.shred" : "organization.delete", {
        organizationId,
      });
      return deletion;
    },
  };
}

function auditedDeadLetters(deadLetters: DeadLetters, record: Record): DeadLetters {
  return {
    ...deadLetters,
    async redrive() {
      const redriven = await deadLetters.redrive();
      await record("dead_letters.redrive", {});
      return redriven;
    },
    async remove(ids) {
      const removed = await deadLetters.remove(ids);
      if (removed.length > 0) await record("dead_letters.purge", { changed: removed });
      return removed;
    },
  };
}

function ownerOf(instance: Instance | undefined): What {
  if (instance === undefined) return {};
  const { organizationId, userId, connector } = instance;
  return { organizationId, userId, connector };
}

function auditedTenants(tenants: TenantAdmin, record: Record): TenantAdmin {
  return {
    ...tenants,
    async createOrganization(request) {
      const made = await tenants.createOrganization(request);
      await record("organization.create", { organizationId: made.organization.id });
      return made;
    },
    async createUser(request) {
      const made = await tenants.createUser(request);
      await record("user.create", { organizationId: request.organizationId, userId: made.user.id });
      return made;
    },
    async addSecret(of) {
      const secret = await tenants.addSecret(of);
      await record("secret.add", of);
      return secret;
    },
    async removeSecret(secret) {
      const removed = await tenants.removeSecret(secret);
      // Without details: the table no longer has the secret's owner, and the secret itself must not be
      // recorded.
      if (removed) await record("secret.remove", {});
      return removed;
    },
    async registerApp(request) {
      const app = await tenants.registerApp(request);
      await record("app.register", appOf({ ...request, appId: app.id }));
      return app;
    },
    async replaceClientSecret(request) {
      await tenants.replaceClientSecret(request);
      await record("app.replace_secret", appOf(request));
    },
    async removeApp(request) {
      await tenants.removeApp(request);
      await record("app.remove", appOf(request));
    },
    async setAllowLists(organizationId, lists) {
      const changed = await tenants.setAllowLists(organizationId, lists);
      await record("organization.change", { organizationId, changed: Object.keys(lists) });
      return changed;
    },
    async setBranding(organizationId, changes) {
      const changed = await tenants.setBranding(organizationId, changes);
      await record("organization.change", { organizationId, changed: Object.keys(changes) });
      return changed;
    },
    async setStatus(of, status) {
      await tenants.setStatus(of, status);
      const what = of.userId === undefined ? "organization" : "user";
      await record(`${what}.${status === "active" ? "resume" : "suspend"}`, of);
    },
  };
}

/** The fields to record of a request that also holds a client secret. */
function appOf(request: { organizationId: string; connector: string; appId: string }): What {
  const { organizationId, connector, appId } = request;
  return { organizationId, connector, appId };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown";
  }
}
