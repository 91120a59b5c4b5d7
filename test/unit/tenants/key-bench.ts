import { randomBytes } from "node:crypto";
import { instanceTable, pendingTable } from "../../../functions/aws/instances/table.ts";
import { tenantRecords } from "../../../functions/aws/tenants/records.ts";
import { deleteOrganization } from "../../../functions/core/grant/operator/delete-organization.ts";
import { resealOrganization } from "../../../functions/core/grant/operator/reseal-organization.ts";
import { sealConfiguration, sealGrant } from "../../../functions/core/grant/store/sealed-grant.ts";
import type { Grant, Instance } from "../../../functions/core/instances/instance.ts";
import type { InstanceStore } from "../../../functions/core/instances/instance-store.ts";
import type { PendingSignIn } from "../../../functions/core/instances/pending-sign-in.ts";
import type { RescueRecord, RescueStore } from "../../../functions/core/instances/rescue-store.ts";
import { tenantAdministration } from "../../../functions/core/tenants/administration.ts";
import { rotateDataKey } from "../../../functions/core/tenants/data-keys.ts";
import type { TenantRecords } from "../../../functions/core/tenants/ports.ts";
import type { KeyService, Vault } from "../../../functions/core/vault/ports.ts";
import { createVault } from "../../../functions/core/vault/vault.ts";
import { openTable, TABLE } from "../../grant/open-instance-table.ts";
import { openTables } from "./open-tables.ts";

/** An organization in real tables, with its secrets in a real vault; KMS, the bucket and the time are simulated. */
export class KeyBench {
  now = Date.parse("2026-11-25T00:00:00Z");
  readonly rescued = new Map<string, RescueRecord>();
  readonly records: TenantRecords;
  readonly instances: InstanceStore;
  readonly pendings: ReturnType<typeof pendingTable>;
  readonly vault: Vault;
  readonly instanceTable: Awaited<ReturnType<typeof openTable>>;
  readonly #keys: KeyService;
  readonly #tables: readonly AsyncDisposable[];
  #nextId = 1;

  private constructor(
    tenants: Awaited<ReturnType<typeof openTables>>,
    instances: Awaited<ReturnType<typeof openTable>>,
  ) {
    this.#tables = [tenants, instances];
    this.instanceTable = instances;
    this.records = tenantRecords({ client: tenants.documents, tableName: "tenants" });
    const table = { client: instances.documents, tableName: TABLE, shards: 1 };
    this.instances = instanceTable(table);
    this.pendings = pendingTable(table);
    const plaintexts = new Map<string, Uint8Array>();
    const nameOf = (organizationId: string, wrapped: Uint8Array) =>
      `${organizationId}/${Buffer.from(wrapped).toString("hex")}`;
    this.#keys = {
      async generateDataKey(organizationId) {
        const [plaintext, wrapped] = [randomBytes(32), randomBytes(16)];
        plaintexts.set(nameOf(organizationId, wrapped), Uint8Array.from(plaintext));
        return { plaintext, wrapped };
      },
      async unwrap(organizationId, wrapped) {
        const plaintext = plaintexts.get(nameOf(organizationId, wrapped));
        if (plaintext === undefined) throw new Error("InvalidCiphertextException");
        return Uint8Array.from(plaintext);
      },
    };
    this.vault = createVault({
      keys: this.#keys,
      organization: (id) => this.records.organization(id),
      now: () => this.now,
    });
  }

  static async open(): Promise<KeyBench> {
    return new KeyBench(await openTables(), await openTable());
  }

  async close(): Promise<void> {
    for (const each of this.#tables) await each[Symbol.asyncDispose]();
  }

  get tenants() {
    const { records, vault } = this;
    return tenantAdministration({ records, keys: this.#keys, vault, now: () => this.now });
  }

  readonly #rescue: RescueStore = {
    put: () => Promise.reject(new Error("no rescue here")),
    get: () => Promise.reject(new Error("no look here")),
    read: async (key) => this.rescued.get(key),
    list: async () => ({ keys: [...this.rescued.keys()] }),
    remove: async (key) => {
      this.rescued.delete(key);
    },
  };

  rotate(organizationId: string) {
    return rotateDataKey({ records: this.records, keys: this.#keys, now: () => this.now }, organizationId);
  }

  /** @param instances replaces the table, so that a test can act in between */
  reseal(organizationId: string, instances: InstanceStore = this.instances) {
    const { records, vault } = this;
    return resealOrganization(
      { records, instances, rescue: this.#rescue, vault, now: () => this.now },
      organizationId,
    );
  }

  delete(organizationId: string, options = { shredNow: false }) {
    const { records, instances, pendings } = this;
    const revoke = (id: number) => instances.markDeleting(id, this.now);
    const endPending = (pending: PendingSignIn) => pendings.markEnding(pending, this.now);
    return deleteOrganization(
      { records, instances, pendings, rescue: this.#rescue, revoke, endPending, now: () => this.now },
      organizationId,
      options,
    );
  }

  async instance(organizationId: string): Promise<number> {
    const id = this.#nextId++;
    const place = { id, organizationId };
    const made: Instance = {
      ...place,
      userId: "user",
      connector: "dropbox",
      name: "Mine",
      tags: [],
      createdAt: this.now,
      updatedAt: this.now,
      configuration: {},
      secretConfigurationKeys: ["k"],
      sealedConfiguration: await sealConfiguration(this.vault, place, { k: `secret-${id}` }),
      tokenHashes: [],
      fence: 1,
      version: 1,
      epoch: "1",
      grant: await sealGrant(this.vault, place, 1, this.grant(`token-${id}`)),
      enabled: true,
      refreshGroup: "group",
    };
    if (!(await this.instances.create(made))) throw new Error("the id is taken");
    return id;
  }

  grant(accessToken: string): Grant {
    return {
      accessToken,
      tokenType: "bearer",
      obtainedAt: this.now,
      obtainedBy: "exchange",
      client: { kind: "registered", appId: "app" },
    };
  }

  async read(id: number): Promise<Instance> {
    const { value } = await this.instances.get(id);
    if (value === undefined) throw new Error(`there is no instance ${id}`);
    return value;
  }
}
