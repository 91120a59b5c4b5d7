import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FrontDoor, type IamStatement, startFrontDoor } from "../../local/aws/front-door.ts";
import { systemClock } from "../../local/clock.ts";

const keyArn = "arn:aws:kms:eu-west-1:000000000000:key/vault";
const otherArn = "arn:aws:kms:eu-west-1:000000000000:key/other";
const keys = [
  { id: "vault", arn: keyArn },
  { id: "other", arn: otherArn },
];

let folder: string;
let frontDoor: FrontDoor;
let client: KMSClient;

async function start(
  statements: IamStatement[] = [{ Effect: "Allow", Action: "kms:*", Resource: "*" }],
  kept = keys,
) {
  frontDoor = await startFrontDoor({
    clock: systemClock(),
    dataFolder: folder,
    resources: { tables: [], queues: [], buckets: [], eventBuses: [], keys: kept, stacks: [] },
    principals: [{ name: "Proxy", accessKeyId: "AKIAPROXY", secretAccessKey: "secret", statements }],
  });
  client = new KMSClient({
    endpoint: frontDoor.url,
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIAPROXY", secretAccessKey: "secret" },
    maxAttempts: 1,
  });
}

async function stop() {
  client.destroy();
  await frontDoor.close();
}

const context = (organization: string) => ({ EncryptionContext: { organization } });
const dataKey = () =>
  client.send(new GenerateDataKeyCommand({ KeyId: keyArn, KeySpec: "AES_256", ...context("one") }));

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "linkspan-kms-"));
  await start();
});

afterEach(async () => {
  await stop();
  await rm(folder, { recursive: true, force: true });
});

test("a data key can be unwrapped under the context with which it was generated", async () => {
  const { Plaintext, CiphertextBlob, KeyId } = await dataKey();
  expect(Plaintext).toHaveLength(32);
  expect(KeyId).toBe(keyArn);
  const opened = await client.send(new DecryptCommand({ CiphertextBlob, ...context("one") }));
  expect(opened.Plaintext).toEqual(Plaintext);
  expect(opened.KeyId).toBe(keyArn);
});

test("two data keys differ", async () => {
  const [a, b] = await Promise.all([dataKey(), dataKey()]);
  expect(a.Plaintext).not.toEqual(b.Plaintext);
});

test("a wrong, missing or longer context is refused without a reason", async () => {
  const { CiphertextBlob } = await dataKey();
  for (const EncryptionContext of [
    { organization: "two" },
    undefined,
    { organization: "one", purpose: "x" },
  ]) {
    const opening = client.send(
      new DecryptCommand({ CiphertextBlob, ...(EncryptionContext && { EncryptionContext }) }),
    );
    await expect(opening).rejects.toMatchObject({
      name: "InvalidCiphertextException",
      message: expect.not.stringContaining("one"),
    });
  }
});

test("the order of the context's pairs does not matter", async () => {
  const made = await client.send(
    new GenerateDataKeyCommand({
      KeyId: "vault",
      KeySpec: "AES_256",
      EncryptionContext: { a: "1", b: "2" },
    }),
  );
  const opened = await client.send(
    new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext: { b: "2", a: "1" } }),
  );
  expect(opened.Plaintext).toEqual(made.Plaintext);
});

test("a blob with any byte changed cannot be decrypted", async () => {
  const { CiphertextBlob = new Uint8Array() } = await dataKey();
  for (let index = 0; index < CiphertextBlob.length; index++) {
    const changed = Uint8Array.from(CiphertextBlob);
    changed[index] = (changed[index] ?? 0) ^ 1;
    const opening = client.send(new DecryptCommand({ CiphertextBlob: changed, ...context("one") }));
    await expect(opening).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  }
});

test("a blob of one key cannot be decrypted with another key", async () => {
  const { CiphertextBlob } = await dataKey();
  const opening = client.send(new DecryptCommand({ KeyId: otherArn, CiphertextBlob, ...context("one") }));
  await expect(opening).rejects.toMatchObject({ name: "IncorrectKeyException" });
});

test("an unknown key and an invalid blob give different errors", async () => {
  const unknown = client.send(new GenerateDataKeyCommand({ KeyId: "none", KeySpec: "AES_256" }));
  await expect(unknown).rejects.toMatchObject({ name: "NotFoundException", message: "Invalid keyId 'none'" });
  const noBlob = client.send(new DecryptCommand({ CiphertextBlob: Buffer.from("not a blob") }));
  await expect(noBlob).rejects.toMatchObject({ name: "InvalidCiphertextException" });
});

test("keys are kept over a restart, in a file that only their owner can read", async () => {
  const { Plaintext, CiphertextBlob } = await dataKey();
  const file = path.join(folder, "kms", "keys.json");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const before = await readFile(file, "utf8");
  await stop();
  await start(undefined, [...keys, { id: "third", arn: `${keyArn}3` }]);
  const opened = await client.send(new DecryptCommand({ CiphertextBlob, ...context("one") }));
  expect(opened.Plaintext).toEqual(Plaintext);
  expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject(JSON.parse(before));
});

test("a blob of a key that is no longer in the template cannot be decrypted, but the key is kept", async () => {
  const { CiphertextBlob, Plaintext } = await dataKey();
  await stop();
  await start(undefined, [{ id: "other", arn: otherArn }]);
  const opening = client.send(new DecryptCommand({ CiphertextBlob, ...context("one") }));
  await expect(opening).rejects.toMatchObject({ name: "AccessDeniedException" });
  await stop();
  await start();
  expect((await client.send(new DecryptCommand({ CiphertextBlob, ...context("one") }))).Plaintext).toEqual(
    Plaintext,
  );
});

test("a policy can limit a function to the names of the encryption context", async () => {
  await stop();
  await start([
    {
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: keyArn,
      Condition: {
        "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["organization"] },
        StringLike: { "kms:EncryptionContext:organization": "*" },
      },
    },
  ]);
  await dataKey();
  const withoutContext = client.send(new GenerateDataKeyCommand({ KeyId: keyArn, KeySpec: "AES_256" }));
  await expect(withoutContext).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringMatching(
      /Proxy.*kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:000000000000:key\/vault /,
    ),
  });
  const otherKey = client.send(
    new GenerateDataKeyCommand({ KeyId: otherArn, KeySpec: "AES_256", ...context("one") }),
  );
  await expect(otherKey).rejects.toMatchObject({ name: "AccessDeniedException" });
});
