import type { ServiceFunction } from "./constructs/service-function.ts";
import type { DataStack } from "./data-stack.ts";

/** Data keys are wrapped under the organization's name, and under nothing else. */
const organizationContext = {
  StringLike: { "kms:EncryptionContext:organization": "?*" },
  "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["organization"] },
};

/** Reads organizations, users and single registered apps, and opens what is sealed under an organization's data key. */
export function allowTenants(to: ServiceFunction, data: DataStack): void {
  to.allow(["dynamodb:GetItem"], [data.tenants.tableArn]);
  to.allow(["kms:Decrypt"], [data.vaultKey.keyArn], organizationContext);
}

/** Finds the app that an organization registered for a connector. */
export function allowRegisteredApps(to: ServiceFunction, data: DataStack): void {
  to.allow(["dynamodb:Query"], [data.tenants.tableArn]);
}

/** Lists and changes OAuth proxies, and no other item of the tenants table. */
export function allowOAuthProxies(to: ServiceFunction, data: DataStack): void {
  to.allow(["dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"], [data.tenants.tableArn], {
    "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["oauth-proxies#*"] },
  });
}

/** Adds up what organizations use (`usage#…`), and touches no other transient item by it. */
export function allowTenantUse(to: ServiceFunction, data: DataStack): void {
  to.allow(["dynamodb:UpdateItem"], [data.transients.tableArn], {
    "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["usage#*"] },
  });
}

/** Reads or changes instances and the grants in them. */
export function allowGrants(to: ServiceFunction, data: DataStack, actions: readonly string[]): void {
  to.allow(actions, [data.instances.tableArn]);
}

/** Reads or writes rescue records, and asks S3's listing which there are. */
export function allowRescue(to: ServiceFunction, data: DataStack, actions: readonly string[]): void {
  if (actions.length > 0) {
    to.allow(actions, [data.rescueBucket.arnForObjects("rescue/*")]);
    to.acknowledgeWildcard(
      `${exportName(data, data.rescueBucket.bucketArn)}/rescue/*`,
      "One record for each grant under rescue, its key made of instance and fence",
    );
  }
  to.allow(["s3:ListBucket"], [data.rescueBucket.bucketArn], { StringLike: { "s3:prefix": ["rescue/*"] } });
}

/** The name under which a stack exports a value to the others. */
function exportName(from: DataStack, value: string): string {
  const reference: { readonly "Fn::ImportValue": string } = from.resolve(from.exportValue(value));
  return reference["Fn::ImportValue"];
}
