import { localAccountId, localRegion } from "../aws/types.ts";
import { type Assembly, type StackTemplate, UnsupportedTemplate } from "./assembly.ts";
import { type Identity, physicalIdentity } from "./physical-names.ts";

/** Resolves the intrinsic functions of one stack. */
export interface Resolver {
  /**
   * @throws {UnsupportedTemplate} the value has an unknown function, or refers to something that does not
   * exist
   */
  resolve(value: unknown): unknown;
  /** Whether the resource exists: its condition holds, or it has no condition. */
  exists(logicalId: string): boolean;
  identity(logicalId: string): Identity;
}

/**
 * Resolvers for each stack of an assembly, by the stack's name. Values are resolved only on request, so
 * that a dashboard may use functions that the platform does not know.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */
export function resolvers(
  assembly: Assembly,
  options: { queueUrl(name: string): string },
): ReadonlyMap<string, Resolver> {
  const made = new Map<string, Resolver>();
  const imported = (name: unknown): unknown => {
    for (const stack of assembly.stacks) {
      const resolver = made.get(stack.name);
      for (const output of Object.values(stack.outputs)) {
        if (output.Export !== undefined && resolver?.resolve(output.Export.Name) === name)
          return resolver?.resolve(output.Value);
      }
    }
    throw new UnsupportedTemplate(`no stack of the assembly exports ${String(name)}`);
  };
  for (const stack of assembly.stacks)
    made.set(stack.name, stackResolver(stack, { imported, queueUrl: options.queueUrl }));
  return made;
}

function stackResolver(
  stack: StackTemplate,
  options: { imported(name: unknown): unknown; queueUrl(name: string): string },
): Resolver {
  const identities = new Map<string, Identity>();
  const refuse = (what: string): never => {
    throw new UnsupportedTemplate(`${stack.name}: ${what}`);
  };

  function identity(logicalId: string): Identity {
    const known = identities.get(logicalId);
    if (known !== undefined) return known;
    const resource = stack.resources[logicalId];
    if (resource === undefined) return refuse(`there is no resource ${logicalId}`);
    if (!exists(logicalId)) return refuse(`the condition of ${logicalId} does not hold`);
    const made = physicalIdentity(stack, logicalId, resource, { resolve, queueUrl: options.queueUrl });
    if (made === undefined)
      return refuse(`the platform does not know Ref and GetAtt of ${resource.Type} (${logicalId})`);
    identities.set(logicalId, made);
    return made;
  }

  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
  const pseudo: Readonly<Record<string, unknown>> = {
    "AWS::Region": localRegion,
    "AWS::AccountId": localAccountId,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": stack.name,
    "AWS::StackId": `arn:aws:cloudformation:${localRegion}:${localAccountId}:stack/${stack.name}/local`,
    "AWS::NoValue": undefined,
  };

  function ref(name: string): unknown {
    if (name in pseudo) return pseudo[name];
    const parameter = stack.parameters[name];
    if (parameter === undefined) return identity(name).ref;
    if (parameter.Type.startsWith("AWS::SSM::") || parameter.Default === undefined)
      return refuse(`the parameter ${name} has no value here`);
    return parameter.Default;
  }

  function attribute(logicalId: string, name: string): string {
    const value = identity(logicalId).attributes[name];
    return value ?? refuse(`the platform does not know the attribute ${name} of ${logicalId}`);
  }

  function substitute(text: string, values: Readonly<Record<string, unknown>>): string {
    return text.replaceAll(/\$\{(!?)([^{}]+)\}/g, (_, literal: string, name: string) => {
      if (literal === "!") return `\${${name}}`;
      if (name in values) return asText(resolve(values[name]));
      const dot = name.indexOf(".");
      return asText(dot < 0 ? ref(name) : attribute(name.slice(0, dot), name.slice(dot + 1)));
    });
  }

  function asText(value: unknown): string {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      return String(value);
    return refuse(`text was expected in place of ${JSON.stringify(value)}`);
  }

  function condition(value: unknown): boolean {
    const resolved = resolve(value);
    return typeof resolved === "boolean" ? resolved : refuse(`${JSON.stringify(value)} is not a condition`);
  }

  const functions: Readonly<Record<string, (argument: never) => unknown>> = {
    Ref: (name: string) => ref(name),
    Condition: (name: string) => condition(stack.conditions[name]),
    "Fn::GetAtt": (argument: string | readonly [string, unknown]) => {
      const [logicalId, name] =
        typeof argument === "string" ? (argument.split(/\.(.*)/s) as [string, string]) : argument;
      return attribute(logicalId, asText(resolve(name)));
    },
    "Fn::Join": ([separator, parts]: [string, unknown]) => list(parts).map(asText).join(separator),
    "Fn::Sub": (argument: string | readonly [string, Record<string, unknown>]) =>
      typeof argument === "string" ? substitute(argument, {}) : substitute(argument[0], argument[1]),
    "Fn::Select": ([index, values]: [unknown, unknown]) => {
      const chosen = list(values)[Number(resolve(index))];
      return chosen ?? refuse(`Fn::Select has no value at ${String(index)}`);
    },
    "Fn::Split": ([separator, text]: [string, unknown]) => asText(resolve(text)).split(separator),
    "Fn::ImportValue": (name: unknown) => options.imported(resolve(name)),
    "Fn::FindInMap": ([map, first, second]: [unknown, unknown, unknown]) => {
      const [name, top, below] = [map, first, second].map((each) => asText(resolve(each)));
      const value = stack.mappings[name as string]?.[top as string]?.[below as string];
      return value ?? refuse(`there is no mapping ${name}.${top}.${below}`);
    },
    "Fn::If": ([name, yes, no]: [string, unknown, unknown]) =>
      resolve(condition(stack.conditions[name]) ? yes : no),
    "Fn::Equals": ([left, right]: [unknown, unknown]) => asText(resolve(left)) === asText(resolve(right)),
    "Fn::And": (all: readonly unknown[]) => all.every(condition),
    "Fn::Or": (all: readonly unknown[]) => all.some(condition),
    "Fn::Not": ([one]: [unknown]) => !condition(one),
  };

  function list(value: unknown): unknown[] {
    const resolved = resolve(value);
    return Array.isArray(resolved) ? resolved : refuse(`a list was expected, not ${JSON.stringify(value)}`);
  }

  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve).filter((each) => each !== undefined);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value);
    const [first] = entries;
    if (entries.length === 1 && first !== undefined) {
      const [name, argument] = first;
      // `Condition` is a function inside of conditions. In an IAM statement it is a plain key whose value
      // is an object.
      const isFunction = name in functions && (name !== "Condition" || typeof argument === "string");
      if (isFunction) return functions[name]?.(argument as never);
      if (name.startsWith("Fn::")) return refuse(`the platform does not know ${name}`);
    }
    return Object.fromEntries(
      entries.map(([name, each]) => [name, resolve(each)]).filter(([, each]) => each !== undefined),
    );
  }

  function exists(logicalId: string): boolean {
    const name = stack.resources[logicalId]?.Condition;
    return name === undefined || condition(stack.conditions[name]);
  }

  return { resolve, exists, identity };
}
