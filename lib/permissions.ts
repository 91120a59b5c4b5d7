import type { ServiceFunction } from "./constructs/service-function.ts";
import type { DataStack } from "./data-stack.ts";

/** Condition: the encryption context of a data key holds the organization's id and nothing else. */
const organizationContext = {
  StringLike: { "kms:EncryptionContext:organization": "?*" },
  "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["organization"] },
};

/**
 * Allows to read organizations, users and single registered apps, and to decrypt organizations' data keys.
 */
export function allowTenants(to: ServiceFunction, data: DataStack): void {
  to.allow(["dynamodb:GetItem"], [data.tenants.tableArn]);
  to.allow(["kms:Decrypt"], [data.vaultKey.keyArn], organizationContext);
}

/** Allows to find the app that an organization has registered for a connector. */
export function allowRegisteredApps(to: ServiceFunction, data: DataStack): void {
  to.allow(["dynamodb:Query"], [data.tenants.tableArn]);
}

/** Allows to list and change OAuth proxies, but no other item of the tenants table. */
export function allowOAuthProxies(to: ServiceFunction, data: DataStack): void {
  to.allow(["dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"], [data.tenants.tableArn], {
    "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["oauth-proxies#*"] },
  });
}

/** Allows to count organizations' requests (`usage#…`), but not to update other transient items. */
export function allowTenantUse(to: ServiceFunction, data: DataStack): void {
  to.allow(["dynamodb:UpdateItem"], [data.transients.tableArn], {
    "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["usage#*"] },
  });
}

/** Allows to read or change instances and their grants. */
export function allowGrants(to: ServiceFunction, data: DataStack, actions: readonly string[]): void {
  to.allow(actions, [data.instances.tableArn]);
}

/** Allows to read or write rescue records, and to list them. */
export function allowRescue(to: ServiceFunction, data: DataStack, actions: readonly string[]): void {
  if (actions.length > 0) {
    to.allow(actions, [data.rescueBucket.arnForObjects("rescue/*")]);
    to.acknowledgeWildcard(
      `${exportName(data, data.rescueBucket.bucketArn)}/rescue/*`,
      "One record for each rescued grant; its key contains instance and fence",
    );
  }
  to.allow(["s3:ListBucket"], [data.rescueBucket.bucketArn], { StringLike: { "s3:prefix": ["rescue/*"] } });
}

/** The name under which a stack exports a value to other stacks. */
function exportName(from: DataStack, value: string): string {
  const reference: { readonly "Fn::ImportValue": string } = from.resolve(from.exportValue(value));
  return reference["Fn::ImportValue"];
}
