import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { kmsDataKeyService } from "../../functions/aws/kms.ts";
import { dynamoClient } from "../../functions/aws/store-time.ts";
import { tenantRecords } from "../../functions/aws/tenants/records.ts";
import { connectorByKey } from "../../functions/connectors/catalogue.ts";
import type { Connector } from "../../functions/connectors/define-connector.ts";
import { tenantAdministration } from "../../functions/core/tenants/administration.ts";
import type { Sealer, Vault } from "../../functions/core/vault/ports.ts";
import { createVault } from "../../functions/core/vault/vault.ts";
import { type FrontDoor, startFrontDoor } from "../../local/aws/front-door.ts";
import { localAccountId } from "../../local/aws/types.ts";
import { systemClock } from "../../local/clock.ts";
import { keptIdentities, type PlatformIdentities } from "../../local/identities.ts";
import { operatorAccess, principalsOf } from "../../local/principals.ts";
import { type FunctionModel, readAssembly, readTemplate, type Template } from "../../local/template.ts";
import { type FunctionProcess, startFunction } from "./function-process.ts";
import { startTokenServer, type TokenServer } from "./token-server.ts";

const ASSEMBLY = fileURLToPath(new URL("../../cdk.out", import.meta.url));

/** An organization of the bench, with the app through which its instances were connected. */
export interface Tenant {
  readonly organizationId: string;
  readonly appId: string;
  readonly sealer: Sealer;
}

/** AWS as the local platform emulates it, with the synthesized stacks' tables, queue and roles, and one vendor. */
export interface BenchWorld extends AsyncDisposable {
  readonly template: Template;
  readonly frontDoor: FrontDoor;
  readonly tokens: TokenServer;
  readonly connector: Connector;
  readonly tenants: readonly Tenant[];
  /** The operator's vault, to read what the functions stored. */
  readonly vault: Vault;
  /** The operator's client; the functions have their own, in their own processes. */
  readonly operator: ReturnType<typeof dynamoClient>;
  readonly objects: S3Client;
  readonly rescueBucket: string;
  readonly identities: PlatformIdentities;
  /** Number of partitions of the due index, as in the stacks. */
  readonly shards: number;
  functionCalled(name: string): FunctionModel;
  /** Starts a new process with a function's code. */
  start(name: "RefreshSweep" | "RefreshWorker"): Promise<FunctionProcess>;
}

/** @throws {Error} the stacks are not synthesized */
export async function startWorld(organizations: number): Promise<BenchWorld> {
  await using ends = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), "linkspan-bench-"));
  ends.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const tokens = ends.adopt(await startTokenServer(), (server) => server.close());
  const identities = keptIdentities(path.join(folder, "identities.json"));
  const assembly = await readAssembly(ASSEMBLY);

  let read: Template | undefined;
  const frontDoor = await startFrontDoor({
    clock: systemClock(),
    dataFolder: folder,
    resources: (url) => {
      read = readTemplate(assembly, { queueUrl: (name) => `${url}/${localAccountId}/${name}` });
      return read;
    },
    principals: () => principalsOf(read as Template, identities),
  });
  ends.defer(() => frontDoor.close());
  const template = read as Template | undefined;
  if (template === undefined) throw new Error("the front door did not ask for its resources");
  const functionCalled = (name: string): FunctionModel => {
    const found = template.functions.find((each) => each.name === name);
    if (found === undefined) throw new Error(`the stacks have no function ${name}`);
    return found;
  };

  const access = operatorAccess(frontDoor.url, identities);
  const operator = dynamoClient(access);
  ends.defer(() => operator.documents.destroy());
  const kms = new KMSClient(access);
  ends.defer(() => kms.destroy());
  const objects = new S3Client(access);
  ends.defer(() => objects.destroy());
  const worker = functionCalled("RefreshWorker").environment;
  const records = tenantRecords({
    client: operator.documents,
    tableName: variable(worker, "TENANTS_TABLE"),
  });
  const keys = kmsDataKeyService({ keyArn: variable(worker, "VAULT_KEY_ARN"), client: kms });
  const vault = createVault({ keys, organization: (id) => records.organization(id) });
  const admin = tenantAdministration({ records, keys, vault, now: Date.now });
  const connector = connectorByKey("dropbox") as Connector;
  const tenants: Tenant[] = [];
  for (let number = 1; number <= organizations; number++) {
    const { organization } = await admin.createOrganization({ name: `Bench ${number}` });
    const app = await admin.registerApp({
      organizationId: organization.id,
      connector: connector.key,
      clientId: tokens.client.id,
      clientSecret: tokens.client.secret,
      callbackUrls: ["https://app.example/callback"],
    });
    tenants.push({
      organizationId: organization.id,
      appId: app.id,
      sealer: await vault.prepare(organization.id),
    });
  }

  const everything = ends.move();
  return {
    template,
    frontDoor,
    tokens,
    connector,
    tenants,
    vault,
    operator,
    objects,
    rescueBucket: variable(worker, "RESCUE_BUCKET"),
    identities,
    shards: Number(variable(worker, "REFRESH_SHARDS")),
    functionCalled,
    start(name) {
      const { accessKeyId, secretAccessKey } = identities.of(name);
      return startFunction(functionCalled(name), {
        AWS_ENDPOINT_URL: frontDoor.url,
        AWS_REGION: frontDoor.region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        LINKSPAN_VENDOR_ENDPOINTS: JSON.stringify({
          [new URL(connector.oauth2.tokenUrl).host]: tokens.url,
        }),
      });
    },
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

function variable(environment: Readonly<Record<string, string>>, name: string): string {
  const value = environment[name];
  if (value === undefined) throw new Error(`the stacks do not set ${name}`);
  return value;
}
