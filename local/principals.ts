import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { localRegion, type Principal } from "./aws/types.ts";
import type { Identity, PlatformIdentities } from "./identities.ts";
import type { Template } from "./template.ts";

const OPERATOR = "Operator";

/** The operator's access to the front door, in place of an AWS profile. */
export interface OperatorAccess {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Identity;
}

/**
 * Each function and each pipe with its role, and the operator, who may call every local service except
 * EventBridge.
 */
export function principalsOf(template: Template, identities: PlatformIdentities): Principal[] {
  return [
    ...[...template.functions, ...template.pipes].map(({ name, statements }) => ({
      name,
      statements,
      ...identities.of(name),
    })),
    {
      name: OPERATOR,
      ...identities.of(OPERATOR),
      statements: [
        {
          Effect: "Allow" as const,
          Action: ["dynamodb:*", "kms:*", "sqs:*", "s3:*", "cloudformation:*"],
          Resource: "*",
        },
      ],
    },
  ];
}

export function operatorAccess(endpoint: string, identities: PlatformIdentities): OperatorAccess {
  return { endpoint, region: localRegion, credentials: identities.of(OPERATOR) };
}

/**
 * Writes platform.json for `npm run admin`.
 * @returns a function that removes the file when the platform ends
 */
export function writePlatformFile(
  dataFolder: string,
  operator: OperatorAccess,
  template: Template,
): () => void {
  const file = path.join(dataFolder, "platform.json");
  const stack = template.stacks.find(({ outputs }) => outputs.InstancesTable !== undefined)?.name;
  const { endpoint: endpointUrl, region, credentials } = operator;
  writeFileSync(file, `${JSON.stringify({ endpointUrl, region, credentials, stack }, null, 2)}\n`, {
    mode: 0o600,
  });
  return () => rmSync(file, { force: true });
}
