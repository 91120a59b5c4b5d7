import { type Assembly, UnsupportedTemplate } from "./assembly.ts";
import { type Resolver, resolvers } from "./intrinsics.ts";
import type { Identity } from "./physical-names.ts";

/** A resource of a template; `properties` resolves its properties. */
export interface ResolvedResource {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  /** The construct's id in CDK (`Documents`), or the logical id if the template has no construct path. */
  readonly constructId: string;
  readonly dependsOn: readonly string[];
  identity(): Identity;
  /**
   * @param known names of the properties that the platform uses, or that have no effect on a laptop
   * @throws {UnsupportedTemplate} the resource has another property
   */
  properties(known: readonly string[]): Readonly<Record<string, unknown>>;
  refuse(what: string): never;
}

export interface Resources {
  all(type: string): readonly ResolvedResource[];
  readonly stacks: readonly { readonly name: string; readonly outputs: Readonly<Record<string, string>> }[];
}

/**
 * Types that have no effect on a laptop. Resource policies are among them: roles decide here, and the
 * laptop has one user.
 */
const withoutEffect = new Set([
  "AWS::ApiGateway::Account",
  "AWS::ApiGateway::BasePathMapping",
  "AWS::ApiGateway::DomainName",
  "AWS::CDK::Metadata",
  "AWS::CloudWatch::Alarm",
  "AWS::CloudWatch::CompositeAlarm",
  "AWS::CloudWatch::Dashboard",
  "AWS::KMS::Alias",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Logs::LogGroup",
  "AWS::Logs::LogStream",
  "AWS::Logs::MetricFilter",
  "AWS::Logs::QueryDefinition",
  "AWS::S3::BucketPolicy",
  "AWS::SNS::Subscription",
  "AWS::SNS::Topic",
  "AWS::SNS::TopicPolicy",
  "AWS::SQS::QueuePolicy",
  "AWS::Scheduler::ScheduleGroup",
  "AWS::WAFv2::WebACL",
  "AWS::WAFv2::WebACLAssociation",
]);

const actedOn = new Set([
  "AWS::ApiGateway::Deployment",
  "AWS::ApiGateway::GatewayResponse",
  "AWS::ApiGateway::Method",
  "AWS::ApiGateway::Resource",
  "AWS::ApiGateway::RestApi",
  "AWS::ApiGateway::Stage",
  "AWS::DynamoDB::Table",
  "AWS::Events::EventBus",
  "AWS::Events::Rule",
  "AWS::IAM::Policy",
  "AWS::IAM::Role",
  "AWS::KMS::Key",
  "AWS::Lambda::EventSourceMapping",
  "AWS::Lambda::Function",
  "AWS::Lambda::Permission",
  "AWS::Pipes::Pipe",
  "AWS::S3::Bucket",
  "AWS::SQS::Queue",
  "AWS::Scheduler::Schedule",
]);

/** @throws {UnsupportedTemplate} a resource of a type that the platform does not know */
export function readResources(assembly: Assembly, options: { queueUrl(name: string): string }): Resources {
  const byStack = resolvers(assembly, options);
  const byType = new Map<string, ResolvedResource[]>();
  for (const stack of assembly.stacks) {
    const resolver = byStack.get(stack.name) as Resolver;
    for (const [logicalId, resource] of Object.entries(stack.resources)) {
      const refuse = (what: string): never => {
        throw new UnsupportedTemplate(`${stack.name}/${logicalId} (${resource.Type}): ${what}`);
      };
      if (withoutEffect.has(resource.Type)) continue;
      if (!resolver.exists(logicalId)) continue;
      if (!actedOn.has(resource.Type)) refuse("the local platform does not know this type");
      const path = resource.Metadata?.["aws:cdk:path"];
      const list = byType.get(resource.Type) ?? [];
      list.push({
        stack: stack.name,
        logicalId,
        type: resource.Type,
        constructId:
          typeof path === "string"
            ? (path.split("/").at(path.endsWith("/Resource") ? -2 : -1) ?? logicalId)
            : logicalId,
        dependsOn: typeof resource.DependsOn === "string" ? [resource.DependsOn] : (resource.DependsOn ?? []),
        identity: () => resolver.identity(logicalId),
        properties(known) {
          const properties = resource.Properties ?? {};
          const unknown = Object.keys(properties).filter((name) => !known.includes(name));
          if (unknown.length > 0)
            refuse(`the local platform does not know the property ${unknown.join(", ")}`);
          return resolver.resolve(properties) as Record<string, unknown>;
        },
        refuse,
      });
      byType.set(resource.Type, list);
    }
  }
  return {
    all: (type) => byType.get(type) ?? [],
    stacks: assembly.stacks.map((stack) => ({
      name: stack.name,
      outputs: Object.fromEntries(
        Object.entries(stack.outputs).flatMap(([name, output]) => {
          const value = outputValue(byStack.get(stack.name) as Resolver, output.Value);
          return value === undefined ? [] : [[name, value]];
        }),
      ),
    })),
  };
}

/**
 * The output's value, or undefined if it refers to something that does not exist here, such as the host of
 * a custom domain.
 */
function outputValue(resolver: Resolver, value: unknown): string | undefined {
  try {
    return String(resolver.resolve(value));
  } catch (error) {
    if (error instanceof UnsupportedTemplate) return undefined;
    throw error;
  }
}
