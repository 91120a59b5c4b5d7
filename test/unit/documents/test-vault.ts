import { createHash } from "node:crypto";
import type { Organization } from "../../../functions/core/tenants/ports.ts";
import type { Vault } from "../../../functions/core/vault/ports.ts";
import { createVault } from "../../../functions/core/vault/vault.ts";

/** The real vault with a test's key service: a wrapped key is a text, and the key is its hash. */
export function testVault(): Vault {
  return createVault({
    keys: {
      unwrap: async (organizationId, wrapped) =>
        createHash("sha256").update(organizationId).update(wrapped).digest(),
    },
    organization: async (id) => testOrganization(id),
  });
}

export function testOrganization(id: string): Organization {
  return {
    id,
    name: id,
    status: "active",
    dataKeys: [{ id: "k1", wrapped: Buffer.from("wrapped") }],
    returnUrls: [],
    origins: [],
    suspendedUsers: [],
    createdAt: 0,
  };
}
