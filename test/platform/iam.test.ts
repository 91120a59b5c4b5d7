import { expect, test } from "vitest";
import { readPolicy } from "../../local/aws/iam.ts";
import type { ConditionContext } from "../../local/aws/service.ts";
import type { IamStatement } from "../../local/aws/types.ts";

const table = "arn:aws:dynamodb:eu-west-1:000000000000:table/instances";
const allow = (
  Action: IamStatement["Action"],
  Resource: IamStatement["Resource"],
  Condition?: IamStatement["Condition"],
): IamStatement => ({
  Effect: "Allow",
  Action,
  Resource,
  ...(Condition && { Condition }),
});

const isAllowed = (
  statements: IamStatement[],
  action: string,
  resource: string,
  context: ConditionContext = {},
) => readPolicy("Worker", statements).judge({ action, resource, context }).allowed;

test("without a statement nothing is allowed", () => {
  expect(isAllowed([], "dynamodb:GetItem", table)).toBe(false);
});

test("an Allow needs both the action and the resource", () => {
  const statements = [allow(["dynamodb:GetItem", "dynamodb:Query"], [table])];
  expect(isAllowed(statements, "dynamodb:GetItem", table)).toBe(true);
  expect(isAllowed(statements, "dynamodb:PutItem", table)).toBe(false);
  expect(isAllowed(statements, "dynamodb:GetItem", `${table}s`)).toBe(false);
  expect(isAllowed(statements, "dynamodb:Query", `${table}/index/due`)).toBe(false);
});

test("a Deny wins over any Allow, whatever the order", () => {
  const deny: IamStatement = { Effect: "Deny", Action: "dynamodb:DeleteItem", Resource: table };
  const everything = allow("*", "*");
  for (const statements of [
    [deny, everything],
    [everything, deny],
  ]) {
    expect(isAllowed(statements, "dynamodb:DeleteItem", table)).toBe(false);
    expect(isAllowed(statements, "dynamodb:GetItem", table)).toBe(true);
  }
  const verdict = readPolicy("Worker", [everything, deny]).judge({
    action: "dynamodb:DeleteItem",
    resource: table,
  });
  expect(verdict.reason).toContain("explicit deny");
});

test("`*` matches any run of characters, `?` a single one, and actions are case-insensitive", () => {
  expect(isAllowed([allow("dynamodb:Get*", table)], "dynamodb:GetItem", table)).toBe(true);
  expect(isAllowed([allow("dynamodb:Get*", table)], "dynamodb:BatchGetItem", table)).toBe(false);
  expect(isAllowed([allow("DynamoDB:getitem", table)], "dynamodb:GetItem", table)).toBe(true);
  expect(isAllowed([allow("dynamodb:???Item", table)], "dynamodb:PutItem", table)).toBe(true);
  expect(isAllowed([allow("dynamodb:???Item", table)], "dynamodb:UpdateItem", table)).toBe(false);
  expect(
    isAllowed([allow("dynamodb:GetItem", `${table}/index/*`)], "dynamodb:GetItem", `${table}/index/due`),
  ).toBe(true);
});

test("a dot in a pattern is a dot", () => {
  const bucket = "arn:aws:s3:::a.b/*";
  expect(isAllowed([allow("s3:GetObject", bucket)], "s3:GetObject", "arn:aws:s3:::a.b/key")).toBe(true);
  expect(isAllowed([allow("s3:GetObject", bucket)], "s3:GetObject", "arn:aws:s3:::axb/key")).toBe(false);
});

test("a wildcard does not match the colons of an ARN's parts, but matches those of the resource itself", () => {
  const anyRegion = "arn:aws:dynamodb:*:000000000000:table/instances";
  expect(isAllowed([allow("dynamodb:GetItem", anyRegion)], "dynamodb:GetItem", table)).toBe(true);
  const otherAccount = "arn:aws:dynamodb:eu-west-1:*:table/instances";
  const odd = "arn:aws:dynamodb:eu-west-1:1:2:table/instances";
  expect(isAllowed([allow("dynamodb:GetItem", otherAccount)], "dynamodb:GetItem", odd)).toBe(false);
  const objects = allow("s3:GetObject", "arn:aws:s3:::bucket/*");
  expect(isAllowed([objects], "s3:GetObject", "arn:aws:s3:::bucket/a:b/c")).toBe(true);
});

test("StringEquals needs one of its values, and the key must exist", () => {
  const statements = [
    allow("kms:Decrypt", "*", { StringEquals: { "kms:EncryptionContext:organization": ["one", "two"] } }),
  ];
  const key = "arn:aws:kms:eu-west-1:000000000000:key/1";
  const context = (value: string) => ({ "kms:encryptioncontext:organization": [value] });
  expect(isAllowed(statements, "kms:Decrypt", key, context("two"))).toBe(true);
  expect(isAllowed(statements, "kms:Decrypt", key, context("three"))).toBe(false);
  expect(isAllowed(statements, "kms:Decrypt", key)).toBe(false);
});

test("StringLike has wildcards, StringEquals has none", () => {
  const like = [allow("s3:ListBucket", "*", { StringLike: { "s3:prefix": "rescue/*" } })];
  const equal = [allow("s3:ListBucket", "*", { StringEquals: { "s3:prefix": "rescue/*" } })];
  const bucket = "arn:aws:s3:::bucket";
  expect(isAllowed(like, "s3:ListBucket", bucket, { "s3:prefix": ["rescue/1"] })).toBe(true);
  expect(isAllowed(like, "s3:ListBucket", bucket, { "s3:prefix": ["other/rescue/1"] })).toBe(false);
  expect(isAllowed(equal, "s3:ListBucket", bucket, { "s3:prefix": ["rescue/1"] })).toBe(false);
  expect(isAllowed(equal, "s3:ListBucket", bucket, { "s3:prefix": ["rescue/*"] })).toBe(true);
});

test("ForAllValues holds when each value is listed or there is none, ForAnyValue when one is", () => {
  const all = [
    allow("dynamodb:*", "*", { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["sweep"] } }),
  ];
  const any = [
    allow("dynamodb:*", "*", { "ForAnyValue:StringEquals": { "dynamodb:LeadingKeys": ["sweep"] } }),
  ];
  const keys = (...values: string[]) => ({ "dynamodb:leadingkeys": values });
  expect(isAllowed(all, "dynamodb:GetItem", table, keys("sweep"))).toBe(true);
  expect(isAllowed(all, "dynamodb:GetItem", table, keys("sweep", "session#1"))).toBe(false);
  expect(isAllowed(all, "dynamodb:Scan", table)).toBe(true);
  expect(isAllowed(any, "dynamodb:GetItem", table, keys("sweep", "session#1"))).toBe(true);
  expect(isAllowed(any, "dynamodb:Scan", table)).toBe(false);
});

test("all conditions of a statement must hold", () => {
  const statements = [
    allow("kms:Decrypt", "*", {
      StringEquals: { "kms:EncryptionContext:organization": "one" },
      "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["organization"] },
    }),
  ];
  const key = "arn:aws:kms:eu-west-1:000000000000:key/1";
  const one = {
    "kms:encryptioncontext:organization": ["one"],
    "kms:encryptioncontextkeys": ["organization"],
  };
  expect(isAllowed(statements, "kms:Decrypt", key, one)).toBe(true);
  const more = { ...one, "kms:encryptioncontextkeys": ["organization", "purpose"] };
  expect(isAllowed(statements, "kms:Decrypt", key, more)).toBe(false);
});

test("Bool compares as text", () => {
  const statements = [allow("s3:GetObject", "*", { Bool: { "aws:SecureTransport": true } })];
  expect(isAllowed(statements, "s3:GetObject", "arn:aws:s3:::b/k", { "aws:securetransport": ["true"] })).toBe(
    true,
  );
  expect(
    isAllowed(statements, "s3:GetObject", "arn:aws:s3:::b/k", { "aws:securetransport": ["false"] }),
  ).toBe(false);
});

test("a verdict names the patterns that allowed the call", () => {
  const policy = readPolicy("Worker", [allow(["dynamodb:Get*", "dynamodb:PutItem"], [table, "*"])]);
  expect(policy.judge({ action: "dynamodb:GetItem", resource: table }).allowedBy).toEqual([
    { action: "dynamodb:Get*", resource: table },
    { action: "dynamodb:Get*", resource: "*" },
  ]);
  expect(policy.granted).toHaveLength(4);
});

test.each([
  ["element NotAction", { Effect: "Allow", NotAction: "s3:*", Resource: "*" }],
  ["element NotResource", { Effect: "Allow", Action: "s3:*", NotResource: "*" }],
  ["element Principal", { ...allow("s3:*", "*"), Principal: "*" }],
  ["Effect must be Allow or Deny", { Effect: "Maybe", Action: "s3:*", Resource: "*" }],
  [
    "condition operator StringEqualsIfExists",
    allow("s3:*", "*", { StringEqualsIfExists: { "s3:prefix": "a" } }),
  ],
  ["condition operator constructor", allow("s3:*", "*", { constructor: { "s3:prefix": "a" } })],
  [
    "condition operator ForSomeValues:StringEquals",
    allow("s3:*", "*", { "ForSomeValues:StringEquals": { "s3:prefix": "a" } }),
  ],
  ["condition key aws:SourceIp", allow("s3:*", "*", { StringEquals: { "aws:SourceIp": "10.0.0.1" } })],
  [
    "needs ForAllValues or ForAnyValue",
    allow("dynamodb:*", "*", { StringEquals: { "dynamodb:LeadingKeys": "a" } }),
  ],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how IAM writes its variables
  ["policy variable in Resource", allow("s3:*", "arn:aws:s3:::bucket/${aws:username}/*")],
  [
    "policy variable in Condition s3:prefix",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how IAM writes its variables
    allow("s3:*", "*", { StringLike: { "s3:prefix": "${aws:userid}" } }),
  ],
  ["Resource instances is not an ARN", allow("s3:*", "instances")],
  ["GetItem is not an action", allow("GetItem", "*")],
  ["Resource must be text or a list of texts", { ...allow("s3:*", "*"), Resource: { Ref: "Table" } }],
  ["Action must be text or a list of texts", allow([], "*")],
])("a policy with an unknown part is refused: %s", (message, statement) => {
  expect(() => readPolicy("Worker", [allow("s3:*", "*"), statement as IamStatement])).toThrow(
    new RegExp(`^statement 2 of Worker: .*${message}`),
  );
});
