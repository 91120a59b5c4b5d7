import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KMSClient } from "@aws-sdk/client-kms";
import { kmsDataKeyService } from "../../functions/aws/kms.ts";
import { dynamoClient } from "../../functions/aws/store-time.ts";
import { tenantRecords } from "../../functions/aws/tenants/records.ts";
import { tenantTable } from "../../functions/aws/tenants/table.ts";
import { type TenantAdmin, tenantAdministration } from "../../functions/core/tenants/administration.ts";
import type { TenantRecords, TenantStore } from "../../functions/core/tenants/ports.ts";
import { createVault } from "../../functions/core/vault/vault.ts";

/** An app at a vendor (or its stand-in) that the demo organization registers. */
export interface DemoConnector {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly callbackUrls: readonly string[];
  /** The stand-in's console, or the vendor's page for the registration of apps. */
  readonly consoleUrl: string;
}

/**
 * `demo.json`: the values that an app needs to use the local platform. Its secrets are valid only with this
 * data folder.
 */
export interface DemoFile {
  /** Ends in `/elements/api-v2`. */
  readonly baseUrl: string;
  readonly organizationSecret: string;
  readonly userSecret: string;
  readonly connectors: Readonly<Record<string, DemoConnector>>;
}

export interface DemoTenantOptions {
  /** `http://127.0.0.1:4000` */
  readonly url: string;
  readonly baseUrl: string;
  readonly dataFolder: string;
  readonly connectors: Readonly<Record<string, DemoConnector>>;
  /** The operator's access to the front door. */
  readonly aws: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** Outputs of the Data stack. */
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Makes the demo organization, its user and its apps with the same code as the operator's command line, or
 * uses those of an earlier start: secrets and instances survive a restart. Writes `demo.json` (mode 600).
 */
export async function prepareDemoTenant(options: DemoTenantOptions): Promise<DemoFile> {
  const { documents } = dynamoClient(options.aws);
  const table = { client: documents, tableName: output(options, "TenantsTable") };
  const records = tenantRecords(table);
  const keys = kmsDataKeyService({
    keyArn: output(options, "VaultKeyArn"),
    client: new KMSClient(options.aws),
  });
  const vault = createVault({ keys, organization: (id) => records.organization(id) });
  const admin = tenantAdministration({ records, keys, vault, now: Date.now });
  const file = join(options.dataFolder, "demo.json");

  const {
    organizationId,
    url: before,
    ...secrets
  } = (await earlierTenant(file, tenantTable(table))) ?? (await newTenant(admin));
  await allowDemoApp(organizationId, options.url, before, admin, records);
  await registerApps(organizationId, options.connectors, admin, records);

  const demo: DemoFile = { baseUrl: options.baseUrl, ...secrets, connectors: options.connectors };
  writeFileSync(`${file}.new`, `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return demo;
}

interface Tenant {
  readonly organizationId: string;
  /** Origin of the demo app at the earlier start. */
  readonly url?: string;
  readonly organizationSecret: string;
  readonly userSecret: string;
}

async function newTenant(admin: TenantAdmin): Promise<Tenant> {
  const { organization, secret: organizationSecret } = await admin.createOrganization({ name: "Demo" });
  const { secret: userSecret } = await admin.createUser({
    organizationId: organization.id,
    email: "demo@example.com",
    firstName: "Demo",
    lastName: "User",
  });
  return { organizationId: organization.id, organizationSecret, userSecret };
}

/** The tenant of an earlier start, if the tables still know its secrets. */
async function earlierTenant(file: string, tenants: TenantStore): Promise<Tenant | undefined> {
  let demo: Partial<DemoFile>;
  try {
    demo = JSON.parse(readFileSync(file, "utf8")) as Partial<DemoFile>;
  } catch {
    return undefined;
  }
  const { organizationSecret, userSecret, baseUrl } = demo;
  if (typeof organizationSecret !== "string" || typeof userSecret !== "string") return undefined;
  const [organization, user] = await Promise.all([
    tenants.bySecret(organizationSecret),
    tenants.bySecret(userSecret),
  ]);
  if (organization === undefined || user?.userId === undefined) return undefined;
  return {
    organizationId: organization.organizationId,
    organizationSecret,
    userSecret,
    ...(typeof baseUrl === "string" && URL.canParse(baseUrl) ? { url: new URL(baseUrl).origin } : {}),
  };
}

/** Replaces the demo app's entries of its earlier address; keeps entries that an operator has added. */
async function allowDemoApp(
  organizationId: string,
  url: string,
  before: string | undefined,
  admin: TenantAdmin,
  records: TenantRecords,
): Promise<void> {
  const { returnUrls = [], origins = [] } = (await records.organization(organizationId)) ?? {};
  const replaced = (entries: readonly string[], now: string, then: string) => [
    ...entries.filter((entry) => entry !== now && entry !== then),
    now,
  ];
  await admin.setAllowLists(organizationId, {
    returnUrls: replaced(returnUrls, `${url}/`, `${before}/`),
    origins: replaced(origins, url, `${before}`),
  });
}

/**
 * An app keeps its id while its client id stays the same, so that instances made with it can still be
 * refreshed.
 */
async function registerApps(
  organizationId: string,
  connectors: DemoTenantOptions["connectors"],
  admin: TenantAdmin,
  records: TenantRecords,
): Promise<void> {
  const existing = await records.listApps(organizationId);
  for (const [connector, { clientId, clientSecret, callbackUrls }] of Object.entries(connectors)) {
    const known = existing.find((app) => app.connector === connector && app.clientId === clientId);
    if (known === undefined) {
      // Linkspan uses the first registered app of a connector, so apps with another client id are removed.
      for (const other of existing.filter((app) => app.connector === connector)) {
        await admin.removeApp({ organizationId, connector, appId: other.id });
      }
      await admin.registerApp({ organizationId, connector, clientId, clientSecret, callbackUrls });
      continue;
    }
    await records.updateApp({ organizationId, connector, id: known.id }, { callbackUrls });
    await admin.replaceClientSecret({ organizationId, connector, appId: known.id, clientSecret });
  }
}

function output(options: DemoTenantOptions, name: string): string {
  const value = options.outputs[name];
  if (value === undefined) throw new Error(`the Data stack has no output ${name}`);
  return value;
}
