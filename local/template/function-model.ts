import { existsSync } from "node:fs";
import type { IamStatement } from "../aws/types.ts";
import type { Assembly } from "./assembly.ts";
import type { ResolvedResource, Resources } from "./resources.ts";

/** A Lambda function, with all intrinsic functions resolved. */
export interface FunctionModel {
  /** The construct's id, such as `Documents`; logs, faults and refusals use it. */
  readonly name: string;
  /** The function's name on AWS. */
  readonly functionName: string;
  readonly arn: string;
  /** Folder of the bundle in the cloud assembly. */
  readonly codeFolder: string;
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly logGroup: string;
  readonly statements: readonly IamStatement[];
}

/** A role with its policy statements. */
export interface RoleModel {
  readonly arn: string;
  readonly name: string;
  readonly statements: readonly IamStatement[];
  readonly resource: ResolvedResource;
}

// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaBasicExecutionRole.html
const managedPolicies: Readonly<Record<string, readonly IamStatement[]>> = {
  "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole": [
    {
      Effect: "Allow",
      Action: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: "*",
    },
  ],
  // API Gateway's policy, for its access log; no part of the platform uses it.
  "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs": [],
};

/** @throws {UnsupportedTemplate} a policy or managed policy that the platform does not know */
export function readRoles(resources: Resources): ReadonlyMap<string, RoleModel> {
  const statements = new Map<string, IamStatement[]>();
  const add = (role: string, document: unknown) => {
    const { Statement = [] } = document as { Statement?: IamStatement | IamStatement[] };
    statements.set(role, [...(statements.get(role) ?? []), ...[Statement].flat()]);
  };
  for (const policy of resources.all("AWS::IAM::Policy")) {
    const { Roles, PolicyDocument } = policy.properties(["PolicyDocument", "PolicyName", "Roles"]);
    for (const role of (Roles ?? []) as string[]) add(role, PolicyDocument);
  }
  return new Map(
    resources.all("AWS::IAM::Role").map((resource) => {
      const { ref: name, attributes } = resource.identity();
      const { Policies = [], ManagedPolicyArns = [] } = resource.properties([
        "AssumeRolePolicyDocument",
        "Description",
        "ManagedPolicyArns",
        "MaxSessionDuration",
        "Path",
        "Policies",
        "RoleName",
        "Tags",
      ]);
      for (const { PolicyDocument } of Policies as { PolicyDocument: unknown }[]) add(name, PolicyDocument);
      for (const managed of ManagedPolicyArns as string[]) {
        const known = managedPolicies[managed];
        if (known === undefined) return resource.refuse(`the managed policy ${managed} is not known here`);
        add(name, { Statement: known });
      }
      const arn = attributes.Arn as string;
      return [arn, { arn, name, statements: statements.get(name) ?? [], resource }];
    }),
  );
}

/** @throws {UnsupportedTemplate} a property, runtime or code that the platform does not know */
export function readFunctions(
  assembly: Assembly,
  resources: Resources,
  roles: ReadonlyMap<string, RoleModel>,
): FunctionModel[] {
  const names = new Set<string>();
  return resources.all("AWS::Lambda::Function").map((resource) => {
    const properties = resource.properties([
      "Architectures",
      "Code",
      "Description",
      "Environment",
      "FunctionName",
      "Handler",
      "LoggingConfig",
      "MemorySize",
      "RecursiveLoop",
      "ReservedConcurrentExecutions",
      "Role",
      "Runtime",
      "Tags",
      "Timeout",
      "TracingConfig",
    ]);
    const name = resource.constructId;
    if (names.has(name)) resource.refuse(`two functions are called ${name}`);
    names.add(name);
    if (properties.Runtime !== "nodejs24.x")
      resource.refuse(`the local platform runs nodejs24.x only, not ${String(properties.Runtime)}`);
    const role = roles.get(String(properties.Role));
    if (role === undefined) return resource.refuse("its role is in no stack");
    const { attributes } = resource.identity();
    const functionName = resource.identity().ref;
    const logging = properties.LoggingConfig as { LogGroup?: string; LogFormat?: string } | undefined;
    if (logging?.LogFormat === "JSON") resource.refuse("the local platform writes logs as text only");
    const code = properties.Code as { S3Key?: string };
    const codeFolder = assembly.assets.get(code.S3Key ?? "");
    if (codeFolder === undefined || !existsSync(codeFolder))
      return resource.refuse("its code is not a file asset of the assembly");
    return {
      name,
      functionName,
      arn: attributes.Arn as string,
      codeFolder,
      handler: String(properties.Handler),
      environment: environmentOf(resource, properties.Environment),
      // https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html, configuration-memory.html
      timeoutSeconds: between(resource, "Timeout", properties.Timeout ?? 3, 1, 900),
      memoryMegabytes: between(resource, "MemorySize", properties.MemorySize ?? 128, 128, 10_240),
      logGroup: logging?.LogGroup ?? `/aws/lambda/${functionName}`,
      statements: role.statements,
    };
  });
}

function between(
  resource: ResolvedResource,
  name: string,
  value: unknown,
  least: number,
  most: number,
): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < least || number > most)
    resource.refuse(`${name} must be from ${least} to ${most}, not ${String(value)}`);
  return number;
}

function environmentOf(resource: ResolvedResource, environment: unknown): Record<string, string> {
  const { Variables = {} } = (environment ?? {}) as { Variables?: Record<string, unknown> };
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(Variables)) {
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    if (
      /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_|AWS_ACCESS_KEY|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_)/.test(
        name,
      )
    )
      resource.refuse(`Lambda reserves the environment variable ${name}`);
    if (typeof value === "object") resource.refuse(`the environment variable ${name} is not text`);
    text[name] = String(value);
  }
  return text;
}
