import { readFile } from "node:fs/promises";
import path from "node:path";
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { Command } from "commander";
import * as v from "valibot";
import { auditQueue } from "../../functions/aws/audit-queue.ts";
import { instanceTable, pendingTable } from "../../functions/aws/instances/table.ts";
import { kmsDataKeyService } from "../../functions/aws/kms.ts";
import { rescueRecords } from "../../functions/aws/rescue/bucket.ts";
import { rescueList } from "../../functions/aws/rescue/list.ts";
import { rescueRemoval } from "../../functions/aws/rescue/removal.ts";
import { dynamoClient } from "../../functions/aws/store-time.ts";
import { tenantRecords } from "../../functions/aws/tenants/records.ts";
import { workQueue } from "../../functions/aws/work-queue.ts";
import { connectorByKey } from "../../functions/connectors/catalogue.ts";
import { deleteOrganization } from "../../functions/core/grant/operator/delete-organization.ts";
import { resealOrganization } from "../../functions/core/grant/operator/reseal-organization.ts";
import { markForDeletion } from "../../functions/core/grant/revocation/delete-instance.ts";
import { endSoon } from "../../functions/core/grant/store/end-soon.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import type { InstanceStore } from "../../functions/core/instances/instance-store.ts";
import type { PendingSignIn } from "../../functions/core/instances/pending-sign-in.ts";
import type { PendingLists, PendingSignIns } from "../../functions/core/instances/pending-store.ts";
import type { RescueStore } from "../../functions/core/instances/rescue-store.ts";
import { tenantAdministration } from "../../functions/core/tenants/administration.ts";
import { rotateDataKey } from "../../functions/core/tenants/data-keys.ts";
import { MARK_AGAIN_SECONDS } from "../../functions/core/tenants/mark-instances.ts";
import type { TenantRecords } from "../../functions/core/tenants/ports.ts";
import { createVault } from "../../functions/core/vault/vault.ts";
import { enqueuers, enqueueSuspension } from "../../functions/core/work-queue/enqueue.ts";
import { audited, type Changes } from "./audited.ts";
import { deadLetters } from "./dead-letters.ts";

export interface TargetOptions {
  readonly profile?: string;
  readonly region?: string;
  readonly stack?: string;
  readonly data?: string;
}

/** The target of the commands: one deployment of Linkspan, on AWS or on this machine. */
export interface Target extends Changes {
  readonly records: TenantRecords;
  readonly instances: InstanceStore;
  readonly pendings: PendingLists & Pick<PendingSignIns, "get">;
  /** Instances in another table than the deployment's, such as a table that was restored from a backup. */
  instancesIn(tableName: string): InstanceStore;
  /** The store's time, epoch milliseconds; this machine's time until the store has answered. */
  now(): number;
}

/** A mistake of the operator; the message says what to do. */
export class UsageProblem extends Error {}

const DEFAULT_STACK = "linkspan-dev-data";

/** Written by the local platform when it starts. */
const platformFile = v.object({
  endpointUrl: v.string(),
  region: v.string(),
  credentials: v.object({ accessKeyId: v.string(), secretAccessKey: v.string() }),
  stack: v.optional(v.string()),
});

interface Connection {
  readonly client: {
    readonly profile?: string;
    readonly region?: string;
    readonly endpoint?: string;
    readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly stack: string;
}

/**
 * @throws {UsageProblem} no local platform runs and no AWS target is given, or the stack is not Linkspan's
 * Data stack
 */
export async function openTarget(command: Command): Promise<Target> {
  const options: TargetOptions = command.optsWithGlobals();
  const { client, stack } =
    options.profile === undefined && options.stack === undefined
      ? await localPlatform(options.data)
      : aws(options);
  const output = await stackOutputs(new CloudFormationClient(client), stack);

  const { documents, clock } = dynamoClient(client);
  const records = tenantRecords({ client: documents, tableName: output("TenantsTable") });
  const keys = kmsDataKeyService({ keyArn: output("VaultKeyArn"), client: new KMSClient(client) });
  const vault = createVault({ keys, organization: (id) => records.organization(id) });
  // One shard is enough: every sweep reads shard 0, independent of the number of shards.
  const instancesIn = (tableName: string): InstanceStore =>
    instanceTable({ client: documents, tableName, shards: 1 });
  const instances = instancesIn(output("InstancesTable"));
  const sqs = new SQSClient(client);
  const queue = workQueue({ queueUrl: output("RefreshQueueUrl"), client: sqs });
  const rescue = rescueStore(client, output("RescueBucket"));
  const now = () => clock.now();
  const { enqueueRefresh, enqueueDeletion, enqueuePending } = enqueuers(() => queue);
  const revoke = (instanceId: number) => markForDeletion({ instances, enqueueDeletion }, instanceId);
  const pendings = pendingTable({ client: documents, tableName: output("InstancesTable"), shards: 1 });
  const endPending = (pending: PendingSignIn) => endSoon({ pendings, enqueuePending }, pending, now());
  const markInstances = (organizationId: string, userId: string) =>
    enqueueSuspension(queue, { organizationId, userId }, [0, MARK_AGAIN_SECONDS]);
  const revive = (instance: Instance) => enqueueRefresh(instance, "revive");
  const target: Target = {
    tenants: tenantAdministration({ records, keys, vault, now: Date.now, markInstances }),
    records,
    instances,
    instancesIn,
    pendings,
    endPending,
    deadLetters: deadLetters(sqs, output("RefreshDeadLettersUrl")),
    revoke,
    revive,
    now,
    rotateKey: (id) => rotateDataKey({ records, keys, now }, id),
    reseal: (id) =>
      resealOrganization({ records, instances, rescue, vault, connectors: connectorByKey, now }, id),
    deleteOrganization: (id, options) =>
      deleteOrganization({ records, instances, pendings, rescue, revoke, endPending, now }, id, options),
  };
  return audited(target, auditQueue({ queueUrl: output("AuditQueueUrl"), client: sqs }));
}

/** A list of an unknown organization's items would look like a list without items. @throws {UsageProblem} */
export async function requireOrganization({ records }: Pick<Target, "records">, id: string): Promise<void> {
  if ((await records.organization(id)) === undefined) throw unknownOrganization(id);
}

/** The organization that an option names, or all of them. @throws {UsageProblem} there is none of that id */
export async function chosenOrganizations(
  target: Pick<Target, "records" | "tenants">,
  id: string | undefined,
): Promise<readonly string[]> {
  if (id === undefined) return (await target.tenants.listOrganizations()).map((each) => each.id);
  await requireOrganization(target, id);
  return [id];
}

export function unknownOrganization(id: string): UsageProblem {
  return new UsageProblem(`there is no organization ${id}`);
}

/** @throws {UsageProblem} the organization has no such user */
export async function requireUser(
  { records }: Pick<Target, "records">,
  organizationId: string,
  userId: string,
): Promise<void> {
  if ((await records.user(organizationId, userId)) === undefined)
    throw new UsageProblem(`organization ${organizationId} has no user ${userId}`);
}

function rescueStore(client: Connection["client"], bucket: string): RescueStore {
  // A custom endpoint (the local platform) has no host name for each bucket.
  const options = {
    bucket,
    client: new S3Client({ ...client, forcePathStyle: client.endpoint !== undefined }),
  };
  return { ...rescueRecords(options), ...rescueList(options), ...rescueRemoval(options) };
}

function aws({ profile, region, stack }: TargetOptions): Connection {
  return {
    client: {
      ...(profile === undefined ? {} : { profile }),
      ...(region === undefined ? {} : { region }),
    },
    stack: stack ?? DEFAULT_STACK,
  };
}

async function localPlatform(folder?: string): Promise<Connection> {
  const file = path.join(folder ?? process.env.LINKSPAN_DATA ?? ".linkspan", "platform.json");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    throw new UsageProblem(
      `there is no ${file}: start the local platform with \`npm start\`, or name a deployment on AWS with --profile and --stack`,
    );
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), platformFile), text);
  if (!parsed.success)
    throw new UsageProblem(`${file} is not what the local platform writes; start it again`);
  const { endpointUrl, region, credentials, stack } = parsed.output;
  return { client: { endpoint: endpointUrl, region, credentials }, stack: stack ?? DEFAULT_STACK };
}

async function stackOutputs(client: CloudFormationClient, stack: string): Promise<(name: string) => string> {
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
  const outputs = new Map(
    (Stacks?.[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
  );
  return (name) => {
    const value = outputs.get(name);
    if (value === undefined) {
      throw new UsageProblem(
        `the stack ${stack} has no output ${name}: name Linkspan's Data stack with --stack, such as ${DEFAULT_STACK}`,
      );
    }
    return value;
  };
}
