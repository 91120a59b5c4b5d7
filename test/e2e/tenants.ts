import { KMSClient } from "@aws-sdk/client-kms";
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { instanceTable } from "../../functions/aws/instances/table.ts";
import { kmsDataKeyService } from "../../functions/aws/kms.ts";
import { dynamoClient } from "../../functions/aws/store-time.ts";
import { tenantRecords } from "../../functions/aws/tenants/records.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { type TenantAdmin, tenantAdministration } from "../../functions/core/tenants/administration.ts";
import { createVault } from "../../functions/core/vault/vault.ts";
import type { Platform } from "../../local/platform.ts";
import { App } from "./app.ts";

/** What an operator can do with the tenants of a running platform, with the code of `npm run admin`. */
export function operatorOf(platform: Platform): TenantAdmin {
  const { documents } = dynamoClient(platform.operator);
  const records = tenantRecords({ client: documents, tableName: outputOf(platform, "TenantsTable") });
  const keys = kmsDataKeyService({
    keyArn: outputOf(platform, "VaultKeyArn"),
    client: new KMSClient(platform.operator),
  });
  const vault = createVault({ keys, organization: (id) => records.organization(id) });
  return tenantAdministration({ records, keys, vault, now: Date.now });
}

/** An app of another organization than the demo's, with the same OAuth apps registered. */
export async function appOfAnotherOrganization(platform: Platform): Promise<App> {
  const admin = operatorOf(platform);
  const { organization, secret: organizationSecret } = await admin.createOrganization({ name: "Other" });
  const { secret: userSecret } = await admin.createUser({
    organizationId: organization.id,
    email: "eve@other.example",
    firstName: "Eve",
    lastName: "Other",
  });
  for (const [connector, app] of Object.entries(platform.demo.connectors)) {
    await admin.registerApp({ organizationId: organization.id, connector, ...app });
  }
  return new App({ ...platform.demo, organizationSecret, userSecret });
}

/** An app of another user of the demo's organization. */
export async function appOfAnotherUser(platform: Platform): Promise<App> {
  const admin = operatorOf(platform);
  const organization = (await admin.listOrganizations()).find(({ name }) => name === "Demo");
  if (organization === undefined) throw new Error("there is no demo organization");
  const { secret: userSecret } = await admin.createUser({
    organizationId: organization.id,
    email: "bob@example.com",
    firstName: "Bob",
    lastName: "Second",
  });
  return new App({ ...platform.demo, userSecret });
}

/** An instance as the table has it, also one that is being deleted. */
export async function storedInstance(platform: Platform, id: number): Promise<Instance | undefined> {
  const { documents } = dynamoClient(platform.operator);
  const tableName = outputOf(platform, "InstancesTable");
  return (await instanceTable({ client: documents, tableName, shards: 1 }).get(id)).value;
}

/** Everything in a table as one text, for tests that a value is not there, or not in plain text. */
export async function scanTable(
  platform: Platform,
  output: "TransientsTable" | "InstancesTable",
): Promise<string> {
  const { documents } = dynamoClient(platform.operator);
  const { Items = [] } = await documents.send(new ScanCommand({ TableName: outputOf(platform, output) }));
  return JSON.stringify(Items);
}

export function outputOf({ template }: Platform, name: string): string {
  const value = template.stacks.map(({ outputs }) => outputs[name]).find((each) => each !== undefined);
  if (value === undefined) throw new Error(`the stacks have no output ${name}`);
  return value;
}
