import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionNames } from "../../lib/settings.ts";
import { readAssembly, readTemplate } from "../../local/template.ts";
import { filesAtStart } from "./bundle-files.ts";
import { find, type Json, synthesize } from "./templates.ts";

/** Bytes of JavaScript: of the whole bundle, and of the files that a cold start reads. */
const budgets: Readonly<Record<string, object>> = JSON.parse(
  readFileSync(new URL("bundle-budgets.json", import.meta.url), "utf8"),
);
const stacks = synthesize();
const root = new URL("../../", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "linkspan-bundles-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Folder of each bundle, as `cdk synth` made it; bundles with a bound on organizations are made here. */
const folders = new Map<string, string>();

/** The functions for which organizations can have a bound. */
const callersReach = ["Authorization", "Connections", "Documents", "Proxy"];
const withBound = (name: string) => `${name}-with-bound`;

const kebab = (name: string) => name.replace(/(?<=.)[A-Z]/g, "-$&").toLowerCase();

let bounded: typeof stacks;
beforeAll(async () => {
  const { functions } = readTemplate(await readAssembly("cdk.out"), { queueUrl: () => "" });
  for (const { name, codeFolder } of functions) folders.set(name, codeFolder);
  bounded = synthesize({ tenantRequestsPerMinute: 1000 });
  for (const name of callersReach) {
    const into = join(folder, name);
    const args = ["bin/bundle.ts", `functions/${kebab(name)}/handler.ts`, into, "--tenant-use"];
    await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 60_000 });
    folders.set(withBound(name), into);
  }
}, 120_000);

const folderOf = (name: string) => folders.get(name) ?? `there is no bundle ${name}`;
const files = (name: string) => readdirSync(folderOf(name)).filter((file) => file.endsWith(".mjs"));
const source = (name: string, file: string) => readFileSync(join(folderOf(name), file), "utf8");

const readAtStart = (name: string) => filesAtStart(folderOf(name));

/** Operations whose IAM action has another name or service than one of DynamoDB. */
const actions: Readonly<Record<string, string>> = {
  Decrypt: "kms:Decrypt",
  SendMessageBatch: "sqs:SendMessage",
  GetObject: "s3:GetObject",
  PutObject: "s3:PutObject",
  DeleteObject: "s3:DeleteObject",
  ListObjectsV2: "s3:ListBucket",
  PutEvents: "events:PutEvents",
};
/**
 * Code that the SDK always contains: credential providers for other places than Lambda, endpoint discovery, S3 Express
 * sessions.
 */
const unused =
  /^(AssumeRole|CreateOAuth2Token|CreateToken|GetRoleCredentials|DescribeEndpoints|CreateSession)/;

/** The SDK's operations in a bundle; the bundler removes those that are not called. */
function called(name: string): string[] {
  const found = new Set<string>();
  for (const file of files(name))
    for (const match of source(name, file).matchAll(/extends [\w$]+\((?:[\w$]+, ?)+"([A-Z]\w+)", ?[\w$]+\)/g))
      if (!unused.test(match[1] as string)) found.add(actions[match[1] as string] ?? `dynamodb:${match[1]}`);
  return [...found].sort();
}

function granted(name: string, from = stacks): string[] {
  const template = name.startsWith("Refresh") ? from.refresh : from.api;
  const { Statement } = find(template, "AWS::IAM::Policy", `${name}Role`).Properties.PolicyDocument;
  const all = new Set<string>(Statement.flatMap((each: Json) => each.Action));
  for (const action of all) {
    // Lambda itself uses these: to write logs, and to take messages from the worker's queue.
    if (/^logs:|^sqs:(?!SendMessage)/.test(action)) all.delete(action);
  }
  return [...all].sort();
}

describe("each function's bundle", () => {
  it.each(functionNames)("%s calls exactly what its role allows", (name) => {
    expect(granted(name)).toEqual(called(name));
  });

  it.each(callersReach)(
    "%s also calls exactly what its role allows when organizations have a bound",
    (name) => {
      expect(called(withBound(name))).toContain("dynamodb:UpdateItem");
      expect(granted(name, bounded)).toEqual(called(withBound(name)));
    },
  );

  it.each(functionNames)("%s has no file that no other file imports", (name) => {
    const all = files(name).map((file) => source(name, file));
    for (const file of files(name))
      if (file !== "index.mjs")
        expect(
          all.some((text) => text.includes(`"./${file}"`)),
          file,
        ).toBe(true);
  });

  it.each([
    ["Authorization", "S3|SQS|EventBridge"],
    ["Connections", "S3|SQS|EventBridge"],
    ["Documents", "S3|SQS|EventBridge"],
    ["Proxy", "S3|SQS|EventBridge"],
    ["RefreshWorker", "SQS|EventBridge"],
  ])("%s does not read the clients %s at its start, because only rare paths need them", (name, clients) => {
    const client = new RegExp(`class (?:${clients})Client\\b|\\b(?:${clients})Client ?= ?class`);
    const atStart = readAtStart(name);
    expect(atStart.size).toBeGreaterThan(1);
    for (const file of atStart) expect(client.test(source(name, file)), file).toBe(false);
    // If the function may call the service, one of the other files has the client.
    const rare = files(name).filter((file) => !atStart.has(file));
    const holds = rare.some((file) => client.test(source(name, file)));
    expect(holds).toBe(
      called(name).some((action) => /^(?:s3|sqs|events):/.test(action) && action !== "s3:GetObject"),
    );
  });

  it("only the worker's bundle has EventBridge's client", () => {
    const holders = functionNames.filter((name) =>
      files(name).some((file) => source(name, file).includes("EventBridgeClient")),
    );
    expect(holders).toEqual(["RefreshWorker"]);
  });

  it.each(functionNames)("%s stays within its budget (bundle-budgets.json)", (name) => {
    const bytesOf = (all: Iterable<string>) =>
      [...all].reduce((sum, file) => sum + Buffer.byteLength(source(name, file)), 0);
    const measured = { bundle: bytesOf(files(name)), start: bytesOf(readAtStart(name)) };
    const budget = budgets[name] as typeof measured;
    for (const part of ["bundle", "start"] as const) {
      const message = `${name} has ${JSON.stringify(measured)}: raise or lower its budget, and say why in the commit`;
      expect(measured[part], message).toBeLessThan(budget[part] * 1.1);
      expect(measured[part], message).toBeGreaterThan(budget[part] * 0.9);
    }
  });

  it.each(functionNames)("%s imports only its own files and Node's modules", (name) => {
    for (const file of files(name))
      for (const match of source(name, file).matchAll(/^(?:import|\} from|import .* from) ?"(.*?)";$/gm))
        expect(match[1]).toMatch(
          /^\.\/|^node:|^(assert|buffer|crypto|events|fs|http|http2|https|module|os|path|process|stream|tls|url|util|zlib)(\/|$)/,
        );
  });
});
