import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { appendUseRecord, readUseRecords } from "../../local/aws/call-log.ts";
import {
  type AwsResources,
  type FrontDoor,
  type Principal,
  startFrontDoor,
} from "../../local/aws/front-door.ts";
import { systemClock } from "../../local/clock.ts";

const dynamoDb = "arn:aws:dynamodb:eu-west-1:000000000000:table";
const tableArn = `${dynamoDb}/instances`;

const resources = {
  tables: [
    {
      name: "instances",
      keySchema: [
        { AttributeName: "instanceId", KeyType: "HASH" },
        { AttributeName: "item", KeyType: "RANGE" },
      ],
      attributeDefinitions: [
        { AttributeName: "instanceId", AttributeType: "N" },
        { AttributeName: "item", AttributeType: "S" },
        { AttributeName: "refreshShard", AttributeType: "N" },
        { AttributeName: "dueAt", AttributeType: "N" },
      ],
      globalSecondaryIndexes: [
        {
          IndexName: "due",
          KeySchema: [
            { AttributeName: "refreshShard", KeyType: "HASH" },
            { AttributeName: "dueAt", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["refreshGroup"] },
        },
      ],
    },
  ],
  queues: [],
  buckets: [{ name: "linkspan-rescue" }],
  eventBuses: [],
  keys: [],
  stacks: [{ name: "linkspan-dev-data", outputs: { InstancesTable: "instances", Odd: '<&">' } }],
} satisfies AwsResources;

const worker: Principal = {
  name: "RefreshWorker",
  accessKeyId: "AKIAWORKER",
  secretAccessKey: "worker-secret",
  statements: [
    {
      Effect: "Allow",
      Action: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchGetItem"],
      Resource: tableArn,
    },
    { Effect: "Allow", Action: "dynamodb:Query", Resource: `${tableArn}/index/due` },
    {
      Effect: "Allow",
      Action: ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"],
      Resource: "arn:aws:s3:::linkspan-rescue/rescue/*",
    },
  ],
};

const sweep: Principal = {
  name: "RefreshSweep",
  accessKeyId: "AKIASWEEP",
  secretAccessKey: "sweep-secret",
  statements: [
    {
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: "arn:aws:s3:::linkspan-rescue",
      Condition: { StringLike: { "s3:prefix": "rescue/*" } },
    },
  ],
};

const operator: Principal = {
  name: "operator",
  accessKeyId: "AKIAOPERATOR",
  secretAccessKey: "operator-secret",
  statements: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};

let folder: string;
let frontDoor: FrontDoor;
let clock = systemClock();
const clients: { destroy(): void }[] = [];

const start = (principals: readonly Principal[] = [worker, sweep, operator]) =>
  startFrontDoor({ clock, dataFolder: folder, resources, principals });

const settings = (principal: { accessKeyId: string; secretAccessKey: string }, maxAttempts = 1) => ({
  endpoint: frontDoor.url,
  region: frontDoor.region,
  credentials: { accessKeyId: principal.accessKeyId, secretAccessKey: principal.secretAccessKey },
  maxAttempts,
});

function kept<T extends { destroy(): void }>(client: T): T {
  clients.push(client);
  return client;
}

const documents = (principal: { accessKeyId: string; secretAccessKey: string } = worker, maxAttempts = 1) =>
  DynamoDBDocumentClient.from(kept(new DynamoDBClient(settings(principal, maxAttempts))));

// Without forcePathStyle, as in the functions: the SDK uses path style when the endpoint is an IP address.
const objects = (principal: Principal = worker) => kept(new S3Client(settings(principal)));

const key = { instanceId: 1, item: "instance" };
const get = () => new GetCommand({ TableName: "instances", Key: key, ConsistentRead: true });
const put = (item: Record<string, unknown> = {}) =>
  new PutCommand({ TableName: "instances", Item: { ...key, ...item } });
const increment = () =>
  new UpdateCommand({
    TableName: "instances",
    Key: key,
    UpdateExpression: "ADD #count :one",
    ExpressionAttributeNames: { "#count": "count" },
    ExpressionAttributeValues: { ":one": 1 },
  });

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "linkspan-front-door-"));
  clock = systemClock();
  frontDoor = await start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await frontDoor.close();
  await rm(folder, { recursive: true, force: true });
});

test("a call that the policy allows reaches the table", async () => {
  await documents().send(put({ name: "first" }));
  const { Item } = await documents().send(get());
  expect(Item).toEqual({ instanceId: 1, item: "instance", name: "first" });
});

test("a call that no statement allows is refused, and the message names principal, action and resource", async () => {
  const refused = documents(sweep).send(get());
  await expect(refused).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringMatching(
      /RefreshSweep.* is not authorized to perform: dynamodb:GetItem on resource: arn:aws:dynamodb:eu-west-1:000000000000:table\/instances because no identity-based policy allows/,
    ),
    $metadata: { httpStatusCode: 400 },
  });
});

test("a query of an index needs the permission for the index, a query of the table that for the table", async () => {
  await documents().send(put({ refreshShard: 3, dueAt: 100, refreshGroup: "g", secret: "not projected" }));
  const query = {
    TableName: "instances",
    KeyConditionExpression: "refreshShard = :shard AND dueAt <= :now",
    ExpressionAttributeValues: { ":shard": 3, ":now": 200 },
  };
  const { Items } = await documents().send(new QueryCommand({ ...query, IndexName: "due" }));
  expect(Items).toEqual([{ ...key, refreshShard: 3, dueAt: 100, refreshGroup: "g" }]);
  const ofTable = new QueryCommand({
    TableName: "instances",
    KeyConditionExpression: "instanceId = :id",
    ExpressionAttributeValues: { ":id": 1 },
  });
  await expect(documents().send(ofTable)).rejects.toThrow(`dynamodb:Query on resource: ${tableArn} `);
});

test("an item without the index's keys is not in the index", async () => {
  await documents().send(put({ refreshShard: 3, dueAt: 100 }));
  await documents().send(
    new UpdateCommand({ TableName: "instances", Key: key, UpdateExpression: "REMOVE refreshShard" }),
  );
  const { Items } = await documents().send(
    new QueryCommand({
      TableName: "instances",
      IndexName: "due",
      KeyConditionExpression: "refreshShard = :shard",
      ExpressionAttributeValues: { ":shard": 3 },
    }),
  );
  expect(Items).toEqual([]);
});

test("an index can be read in pages, forwards and backwards", async () => {
  const dueTimes = [5, 70, 300, 1_700_000_000_000, 1_700_000_000_001];
  for (const [index, dueAt] of dueTimes.entries()) {
    await documents().send(put({ instanceId: index, refreshShard: 3, dueAt }));
    await documents().send(put({ instanceId: index, item: "other", refreshShard: 33, dueAt }));
  }
  for (const ScanIndexForward of [true, false]) {
    const seen: number[] = [];
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    let pages = 0;
    do {
      const page = await documents().send(
        new QueryCommand({
          TableName: "instances",
          IndexName: "due",
          KeyConditionExpression: "refreshShard = :shard AND dueAt > :first",
          ExpressionAttributeValues: { ":shard": 3, ":first": 5 },
          Limit: 2,
          ScanIndexForward,
          ...(ExclusiveStartKey && { ExclusiveStartKey }),
        }),
      );
      seen.push(...(page.Items ?? []).map((item) => item.dueAt as number));
      ExclusiveStartKey = page.LastEvaluatedKey;
      pages += 1;
    } while (ExclusiveStartKey !== undefined && pages < 10);
    const expected = dueTimes.slice(1);
    expect(seen).toEqual(ScanIndexForward ? expected : expected.reverse());
  }
});

test("a batch needs the permission for each of its tables", async () => {
  await documents().send(put());
  const own = { instances: { Keys: [key] } };
  const { Responses } = await documents().send(new BatchGetCommand({ RequestItems: own }));
  expect(Responses?.instances).toEqual([key]);
  const both = { ...own, tenants: { Keys: [{ id: "organization#1" }] } };
  await expect(documents().send(new BatchGetCommand({ RequestItems: both }))).rejects.toThrow(
    `dynamodb:BatchGetItem on resource: ${dynamoDb}/tenants`,
  );
});

test("only one of two conditional writes on the same version succeeds, and the other one gets the item", async () => {
  await documents().send(put({ version: 1 }));
  const claim = (by: string) =>
    documents().send(
      new UpdateCommand({
        TableName: "instances",
        Key: key,
        UpdateExpression: "SET version = :next, holder = :by",
        ConditionExpression: "version = :seen",
        ExpressionAttributeValues: { ":seen": 1, ":next": 2, ":by": by },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
  const outcomes = await Promise.allSettled([claim("a"), claim("b")]);
  const failures = outcomes.filter((outcome) => outcome.status === "rejected");
  expect(failures).toHaveLength(1);
  expect(failures[0]?.reason).toMatchObject({
    name: "ConditionalCheckFailedException",
    Item: { version: { N: "2" } },
  });
});

test("a parameter that the local DynamoDB would ignore is refused", async () => {
  const client = documents(operator);
  const body = JSON.stringify({ TableName: "instances", Key: { instanceId: { N: "1" } }, Colour: "red" });
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign(args.request as object, { body });
      Object.assign((args.request as { headers: object }).headers, { "content-length": String(body.length) });
      return next(args);
    },
    { step: "build", priority: "low" },
  );
  await expect(client.send(get())).rejects.toThrow("does not know the parameter Colour of GetItem");
});

test("an unknown access key is refused with the error of each service", async () => {
  const stranger = { ...worker, accessKeyId: "AKIASTRANGER" };
  await expect(documents(stranger).send(get())).rejects.toMatchObject({
    name: "UnrecognizedClientException",
  });
  const list = objects(stranger).send(new ListObjectsV2Command({ Bucket: "linkspan-rescue" }));
  await expect(list).rejects.toMatchObject({ name: "InvalidAccessKeyId" });
  expect(frontDoor.calls()).toEqual([]);
});

test("a request that was signed with another secret is refused", async () => {
  const forger = { ...worker, secretAccessKey: "guessed" };
  await expect(documents(forger).send(get())).rejects.toMatchObject({ name: "InvalidSignatureException" });
  const read = objects(forger).send(new GetObjectCommand({ Bucket: "linkspan-rescue", Key: "rescue/1" }));
  await expect(read).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
});

test("a request whose body was changed after signing is refused", async () => {
  const client = documents();
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body: unknown; headers: Record<string, string> };
      request.body = JSON.stringify({ TableName: "instances", Key: { instanceId: { N: "2" } } });
      request.headers["content-length"] = String(request.body).length.toString();
      return next(args);
    },
    { step: "deserialize", priority: "low" },
  );
  await expect(client.send(get())).rejects.toMatchObject({ name: "InvalidSignatureException" });
});

test("a request without a signature is refused", async () => {
  const answer = await fetch(frontDoor.url, {
    method: "POST",
    body: "{}",
    headers: { "x-amz-target": "DynamoDB_20120810.GetItem" },
  });
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ __type: "MissingAuthenticationTokenException" });
});

test("a request to another host name is refused, whatever it contains", async () => {
  const { status, body } = await new Promise<{ status: number | undefined; body: string }>(
    (resolve, reject) => {
      const options = { port: frontDoor.port, host: "127.0.0.1", headers: { Host: "evil.example" } };
      request(options, async (answer) => resolve({ status: answer.statusCode, body: await text(answer) }))
        .on("error", reject)
        .end();
    },
  );
  expect(status).toBe(421);
  expect(body).not.toContain("Signature");
});

test("a body that is too long is refused before it is read", async () => {
  const long = put({ padding: "x".repeat(1100 * 1024) });
  await expect(documents().send(long)).rejects.toMatchObject({ $metadata: { httpStatusCode: 413 } });
});

test("the Date of every answer follows the clock, also in refusals and in S3's errors", async () => {
  const dates: number[] = [];
  const watch = <T extends DynamoDBDocumentClient | S3Client>(client: T): T => {
    (client.middlewareStack as DynamoDBDocumentClient["middlewareStack"]).add(
      (next) => async (args) => {
        const result = await next(args);
        dates.push(Date.parse((result.response as { headers: Record<string, string> }).headers.date ?? ""));
        return result;
      },
      { step: "deserialize", priority: "low" },
    );
    return client;
  };
  clock.advance(86_400_000);
  await watch(documents()).send(get());
  await watch(documents(sweep))
    .send(get())
    .catch(() => {});
  await watch(objects(operator)).send(
    new PutObjectCommand({ Bucket: "linkspan-rescue", Key: "rescue/1", Body: "1" }),
  );
  await watch(objects(operator))
    .send(new GetObjectCommand({ Bucket: "linkspan-rescue", Key: "rescue/2" }))
    .catch(() => {});
  expect(dates).toHaveLength(4);
  for (const date of dates) expect(Math.abs(date - clock.now())).toBeLessThan(10_000);
  // SDKs correct their clock by the answers; a request that is signed with tomorrow's time must still be accepted.
  const client = documents();
  await client.send(get());
  clock.advance(86_400_000);
  await client.send(get());
  await client.send(get());
});

test("a removed permission is refused until permissions are restored", async () => {
  frontDoor.removePermission("RefreshWorker", "dynamodb:GetItem");
  await expect(documents().send(get())).rejects.toThrow(
    /dynamodb:GetItem on resource: .*instances because a test removed/,
  );
  await documents().send(put());
  frontDoor.restorePermissions();
  expect((await documents().send(get())).Item).toEqual(key);
});

test("permissions can also be checked for calls that do not pass the front door", () => {
  expect(frontDoor.isAllowed("RefreshWorker", "dynamodb:GetItem", tableArn)).toBe(true);
  expect(
    frontDoor.isAllowed(
      "RefreshWorker",
      "lambda:InvokeFunction",
      "arn:aws:lambda:eu-west-1:000000000000:function:x",
    ),
  ).toBe(false);
  expect(() => frontDoor.isAllowed("Nobody", "dynamodb:GetItem", tableArn)).toThrow(
    "there is no principal Nobody",
  );
});

test("a permission that does not exist cannot be removed", () => {
  expect(() => frontDoor.removePermission("RefreshWorker", "dynamodb:Scan")).toThrow(
    "does not have dynamodb:Scan",
  );
  expect(() => frontDoor.removePermission("Nobody", "dynamodb:GetItem")).toThrow(
    "there is no principal Nobody",
  );
});

test("a fault affects as many calls as asked for, only of that principal and action", async () => {
  await documents().send(put());
  frontDoor.fail({
    service: "dynamodb",
    action: "GetItem",
    principal: "RefreshWorker",
    status: 400,
    count: 2,
  });
  await documents(operator).send(get());
  await documents().send(put());
  for (const _ of [1, 2]) {
    await expect(documents().send(get())).rejects.toMatchObject({
      name: "ProvisionedThroughputExceededException",
      $metadata: { httpStatusCode: 400 },
    });
  }
  expect((await documents().send(get())).Item).toEqual(key);
});

test("the SDK retries after a fault as it does after a real error", async () => {
  await documents().send(put());
  frontDoor.fail({ service: "dynamodb", action: "dynamodb:GetItem", status: 500, count: 2 });
  const { Item, $metadata } = await documents(worker, 3).send(get());
  expect(Item).toEqual(key);
  expect($metadata.attempts).toBe(3);
});

test("a connection that breaks before the call acts leaves the item unchanged", async () => {
  await documents().send(put({ count: 0 }));
  frontDoor.fail({ service: "dynamodb", action: "UpdateItem", reset: "before" });
  await expect(documents().send(increment())).rejects.toThrow(/ECONNRESET|socket hang up/);
  expect((await documents().send(get())).Item?.count).toBe(0);
});

test("a connection that breaks after the call acts leaves the item changed", async () => {
  await documents().send(put({ count: 0 }));
  frontDoor.fail({ service: "dynamodb", action: "UpdateItem", reset: "after" });
  await expect(documents().send(increment())).rejects.toThrow(/ECONNRESET|socket hang up/);
  expect((await documents().send(get())).Item?.count).toBe(1);
  expect(frontDoor.calls().filter((call) => call.status === 0)).toMatchObject([
    { action: "dynamodb:UpdateItem" },
  ]);
});

test("an object is stored although the answer to its write was lost", async () => {
  frontDoor.fail({ service: "s3", action: "PutObject", reset: "after" });
  const object = { Bucket: "linkspan-rescue", Key: "rescue/1" };
  await expect(objects().send(new PutObjectCommand({ ...object, Body: "kept" }))).rejects.toThrow(
    /ECONNRESET|socket hang up/,
  );
  const { Body } = await objects().send(new GetObjectCommand(object));
  expect(await Body?.transformToString()).toBe("kept");
});

test("a delayed call ends when the front door closes", async () => {
  frontDoor.fail({ service: "dynamodb", delayMs: 60_000 });
  // One of the two calls meets the fault and hangs; when the other call is answered, it certainly has.
  const calls = [documents().send(get()), documents().send(get())];
  const outcomes = Promise.allSettled(calls);
  await Promise.race(calls);
  const before = performance.now();
  await frontDoor.close();
  expect((await outcomes).map((outcome) => outcome.status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(performance.now() - before).toBeLessThan(2000);
  frontDoor = await start();
});

test("the call log has the caller, the action, the time and the result of each call", async () => {
  await documents().send(put());
  await documents(sweep)
    .send(get())
    .catch(() => {});
  expect(frontDoor.calls()).toEqual([
    {
      service: "dynamodb",
      action: "dynamodb:PutItem",
      resource: tableArn,
      principal: "RefreshWorker",
      status: 200,
      at: expect.any(Number),
    },
    {
      service: "dynamodb",
      action: "dynamodb:GetItem",
      resource: tableArn,
      principal: "RefreshSweep",
      status: 400,
      code: "AccessDeniedException",
      at: expect.any(Number),
    },
  ]);
  frontDoor.clearCalls();
  expect(frontDoor.calls()).toEqual([]);
});

test("policy actions that were never used can be listed across several processes", async () => {
  await documents().send(put());
  await documents(operator).send(get());
  const file = path.join(folder, "uses.jsonl");
  await appendUseRecord(file, { granted: frontDoor.grantedActions(), used: frontDoor.usedActions() });
  await frontDoor.close();
  frontDoor = await start();
  await documents().send(get());
  await appendUseRecord(file, { granted: frontDoor.grantedActions(), used: frontDoor.usedActions() });
  const { used, unused } = await readUseRecords(file);
  expect(used).toContainEqual({ principal: "RefreshWorker", action: "dynamodb:PutItem", resource: tableArn });
  expect(unused).toContainEqual({
    principal: "RefreshWorker",
    action: "dynamodb:UpdateItem",
    resource: tableArn,
  });
  expect(unused.map((use) => use.action)).not.toContain("dynamodb:GetItem");
  expect(used).toContainEqual({ principal: "operator", action: "*", resource: "*" });
});

test("tables and objects are still there after a restart", async () => {
  await documents().send(put({ refreshShard: 3, dueAt: 100, name: "kept" }));
  await objects().send(
    new PutObjectCommand({ Bucket: "linkspan-rescue", Key: "rescue/a b/1", Body: "kept too" }),
  );
  await frontDoor.close();
  frontDoor = await start();
  expect((await documents().send(get())).Item?.name).toBe("kept");
  const { Body } = await objects().send(
    new GetObjectCommand({ Bucket: "linkspan-rescue", Key: "rescue/a b/1" }),
  );
  expect(await Body?.transformToString()).toBe("kept too");
});

test("a data folder that another platform has open is refused", async () => {
  await expect(start()).rejects.toThrow(/is another local platform using it/);
});

test("a table whose keys differ from the template's is refused, not used", async () => {
  await frontDoor.close();
  const [table] = resources.tables;
  const changed = { ...resources, tables: [{ ...table, globalSecondaryIndexes: [] }] } as AwsResources;
  const restarted = startFrontDoor({ clock, dataFolder: folder, resources: changed, principals: [] });
  await expect(restarted).rejects.toThrow(/instances in .* has other keys or indexes than the template/);
  frontDoor = await start();
});

test("a statement that cannot be evaluated stops the start, and the error names the unknown part", async () => {
  const odd = { ...worker.statements[0], Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } };
  const starting = start([{ ...worker, statements: [odd as Principal["statements"][number]] }]);
  await expect(starting).rejects.toThrow(
    /statement 1 of RefreshWorker: the condition operator IpAddress is not known here/,
  );
});

test("an object can be written once, read, listed by prefix and deleted", async () => {
  const object = { Bucket: "linkspan-rescue", Key: "rescue/42/7" };
  await objects().send(new PutObjectCommand({ ...object, Body: "{}", IfNoneMatch: "*" }));
  await expect(
    objects().send(new PutObjectCommand({ ...object, Body: "{}", IfNoneMatch: "*" })),
  ).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
  await objects(operator).send(new PutObjectCommand({ ...object, Key: "other/1", Body: "{}" }));
  const list = new ListObjectsV2Command({ Bucket: "linkspan-rescue", Prefix: "rescue/" });
  const { Contents } = await objects(sweep).send(list);
  expect(Contents?.map((entry) => entry.Key)).toEqual(["rescue/42/7"]);
  await objects().send(new DeleteObjectCommand(object));
  expect((await objects(sweep).send(list)).Contents ?? []).toEqual([]);
});

test("the permission to list a prefix does not extend to other prefixes, nor to the whole bucket", async () => {
  for (const Prefix of ["staging/", undefined]) {
    const list = new ListObjectsV2Command({ Bucket: "linkspan-rescue", ...(Prefix && { Prefix }) });
    await expect(objects(sweep).send(list)).rejects.toMatchObject({ name: "AccessDenied" });
  }
});

test("a missing object is a 404 only for principals that may list the bucket", async () => {
  const missing = new GetObjectCommand({ Bucket: "linkspan-rescue", Key: "rescue/none" });
  await expect(objects().send(missing)).rejects.toMatchObject({
    name: "AccessDenied",
    $metadata: { httpStatusCode: 403 },
  });
  await expect(objects(operator).send(missing)).rejects.toMatchObject({
    name: "NoSuchKey",
    $metadata: { httpStatusCode: 404 },
  });
});

test("no key is stored outside the bucket's folder", async () => {
  for (const Key of ["../linkspan-other/1", "rescue/../../x", "rescue/1._S3rver_object"]) {
    const write = objects(operator).send(new PutObjectCommand({ Bucket: "linkspan-rescue", Key, Body: "x" }));
    await expect(write).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  }
});

test("an operator can read the outputs of a stack; a missing output is an error", async () => {
  const client = kept(new CloudFormationClient(settings(operator)));
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: "linkspan-dev-data" }));
  expect(Stacks?.[0]?.Outputs).toEqual([
    { OutputKey: "InstancesTable", OutputValue: "instances" },
    { OutputKey: "Odd", OutputValue: '<&">' },
  ]);
  const missing = client.send(new DescribeStacksCommand({ StackName: "linkspan-prod-data" }));
  await expect(missing).rejects.toMatchObject({
    name: "ValidationError",
    message: expect.stringContaining("does not exist"),
  });
  const refused = kept(new CloudFormationClient(settings(sweep))).send(new DescribeStacksCommand({}));
  await expect(refused).rejects.toMatchObject({ name: "AccessDenied" });
});
