import { randomBytes } from "node:crypto";
import { Conflict, NotFound } from "../errors.ts";
import type { DataKeyVersion, KeyService } from "../vault/ports.ts";
import type { Organization, TenantRecords } from "./ports.ts";

const HOUR = 3_600_000;

/**
 * How long a version must have been superseded before it may be removed. By then no process seals with the
 * version any more, and everything short-lived that it sealed has expired. A process continues to use a version
 * while it caches the organization (30 s) and while its function runs (15 minutes). Code verifiers and connect
 * sessions last an hour, links four. A rescue record whose revocation fails is kept for 7 days. (Records are
 * searched nevertheless: see reseal-organization.ts.) A `nextPage` token that is older than this is refused.
 */
export const KEY_REST_MS = 8 * 24 * HOUR;

/** Limits the size of the organization's item, which every new process reads: each wrapped key has about 200 bytes. */
const MOST_VERSIONS = 20;

export interface KeyRotationDeps {
  readonly records: Pick<TenantRecords, "organization" | "replaceDataKeys">;
  readonly keys: Pick<KeyService, "generateDataKey">;
  /** The store's time, epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Makes a new version of an organization's data key, which seals from now on; the older versions still open.
 * Processes that cache the organization (30 s) continue to seal with the previous version, and reload the
 * organization when a ciphertext names the new version (core/vault/vault.ts).
 * @throws {NotFound}
 * @throws {Conflict} the organization is being deleted, has too many versions, or its keys changed meanwhile
 */
export async function rotateDataKey(
  deps: KeyRotationDeps,
  organizationId: string,
): Promise<{ version: DataKeyVersion; versions: number }> {
  const organization = await livingOrganization(deps.records, organizationId);
  const { dataKeys } = organization;
  if (dataKeys.length >= MOST_VERSIONS) {
    throw new Conflict(
      `organization ${organizationId} has ${dataKeys.length} versions of its data key: reseal it, which removes the old ones`,
      "too_many_versions",
    );
  }
  const { wrapped, plaintext } = await deps.keys.generateDataKey(organizationId);
  plaintext.fill(0);
  const version: DataKeyVersion = { id: newKeyId(), wrapped, createdAt: deps.now() };
  if (!(await deps.records.replaceDataKeys(organizationId, dataKeys, [...dataKeys, version]))) {
    throw new Conflict("somebody else has just changed this organization's data keys; try again", "changed");
  }
  return { version, versions: dataKeys.length + 1 };
}

/** Versions that no longer seal and have rested long enough to be removed, if nothing is sealed under them. */
export function restedVersions({ dataKeys }: Pick<Organization, "dataKeys">, now: number): DataKeyVersion[] {
  return dataKeys.filter((_, index) => {
    const superseded = dataKeys[index + 1]?.createdAt;
    return superseded !== undefined && now - superseded >= KEY_REST_MS;
  });
}

/**
 * @throws {NotFound}
 * @throws {Conflict} the organization is being deleted
 */
export async function livingOrganization(
  records: Pick<TenantRecords, "organization">,
  organizationId: string,
): Promise<Organization> {
  const organization = await records.organization(organizationId);
  if (organization === undefined) throw new NotFound(`there is no organization ${organizationId}`);
  if (organization.deletingSince !== undefined) {
    throw new Conflict(`organization ${organizationId} is being deleted`, "being_deleted");
  }
  return organization;
}

/** 96 random bits: an identifier, not a secret. */
export function newKeyId(): string {
  return randomBytes(12).toString("hex");
}
