import { type Assembly, UnsupportedTemplate } from "./assembly.ts";
import type { FunctionModel, RoleModel } from "./function-model.ts";
import type { ResolvedResource, Resources } from "./resources.ts";

/**
 * Checks limits that no linter checks, but by which CloudFormation, Lambda or IAM refuse a deployment while
 * it runs.
 */
export function checkLimits(
  assembly: Assembly,
  resources: Resources,
  parts: { readonly functions: readonly FunctionModel[]; readonly roles: ReadonlyMap<string, RoleModel> },
): void {
  checkStacks(assembly);
  checkPermissions(resources, parts.functions);
  checkRoles(parts.roles);
  for (const { name, environment } of parts.functions)
    atMost(
      4096,
      Buffer.byteLength(JSON.stringify(environment)),
      `bytes of environment variables of ${name}`,
      "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
    );
  // An API's default quota, which AWS can raise.
  atMost(
    300,
    resources.all("AWS::ApiGateway::Resource").length,
    "resources of the REST API",
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html",
  );
  checkDeployments(resources);
}

function atMost(limit: number, number: number, of: string, page: string): void {
  if (number > limit) throw new UnsupportedTemplate(`${number} ${of} are more than AWS's ${limit}: ${page}`);
}

function checkStacks(assembly: Assembly): void {
  const page = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html";
  for (const stack of assembly.stacks) {
    atMost(500, Object.keys(stack.resources).length, `resources in the stack ${stack.name}`, page);
    atMost(200, Object.keys(stack.outputs).length, `outputs in the stack ${stack.name}`, page);
    atMost(200, Object.keys(stack.parameters).length, `parameters in the stack ${stack.name}`, page);
    atMost(1_000_000, stack.bytes, `bytes in the template of ${stack.name}`, page);
  }
}

/**
 * Checks each function's resource policy: it allows API Gateway to invoke the function, and stays below 20
 * KB.
 */
function checkPermissions(resources: Resources, functions: readonly FunctionModel[]): void {
  const statements = new Map<string, object[]>();
  for (const permission of resources.all("AWS::Lambda::Permission")) {
    const { Action, FunctionName, Principal, SourceArn } = permission.properties([
      "Action",
      "FunctionName",
      "Principal",
      "SourceAccount",
      "SourceArn",
    ]);
    const target = functions.find(({ arn, functionName }) =>
      [arn, functionName].includes(String(FunctionName)),
    );
    if (target === undefined) permission.refuse("its function is in no stack");
    const list = statements.get(target?.name ?? "") ?? [];
    list.push({
      Sid: `${permission.stack}-${permission.logicalId}-000000000000`,
      Effect: "Allow",
      Principal: { Service: Principal },
      Action,
      Resource: target?.arn,
      Condition: { ArnLike: { "AWS:SourceArn": SourceArn } },
    });
    statements.set(target?.name ?? "", list);
  }
  for (const { name } of functions)
    atMost(
      20_480,
      JSON.stringify({ Version: "2012-10-17", Id: "default", Statement: statements.get(name) ?? [] }).length,
      `bytes of permissions to invoke ${name}`,
      "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
    );
  for (const method of resources.all("AWS::ApiGateway::Method")) {
    const { Uri } = method.properties([
      "ApiKeyRequired",
      "AuthorizationType",
      "HttpMethod",
      "Integration",
      "ResourceId",
      "RestApiId",
    ]).Integration as { Uri: string };
    const target = functions.find(({ arn }) => Uri.includes(`/${arn}/`));
    // Without this permission the caller gets a 500:
    // https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
    const allowed = JSON.stringify(statements.get(target?.name ?? "") ?? []);
    if (!allowed.includes("apigateway.amazonaws.com"))
      method.refuse(`API Gateway has no permission to invoke ${target?.name}`);
  }
}

/** Checks the size of each role's inline policies; AWS does not count white space. */
function checkRoles(roles: ReadonlyMap<string, RoleModel>): void {
  for (const { name, statements } of roles.values())
    atMost(
      10_240,
      JSON.stringify({ Version: "2012-10-17", Statement: statements }).replaceAll(/\s/g, "").length,
      `characters of inline policies of the role ${name}`,
      "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
    );
}

/**
 * A deployment is a snapshot of the API at the time of its creation: it lacks the methods that it does not
 * depend on.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html
 */
function checkDeployments(resources: Resources): void {
  const waitedFor = (deployments: readonly ResolvedResource[]) =>
    new Set(deployments.flatMap(({ dependsOn }) => dependsOn));
  const all = waitedFor(resources.all("AWS::ApiGateway::Deployment"));
  for (const method of resources.all("AWS::ApiGateway::Method"))
    if (!all.has(method.logicalId)) method.refuse("no deployment depends on it: the stage would not have it");
}
