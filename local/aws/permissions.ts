import { distinctUses, useId } from "./call-log.ts";
import { type Policy, readPolicy } from "./iam.ts";
import { type AccessNeed, AwsError, type CommonErrors } from "./service.ts";
import { localAccountId, type PolicyUse, type Principal } from "./types.ts";

/** The principals, their permissions, the permissions that calls used, and those that tests removed. */
export interface Permissions {
  principal(accessKeyId: string): Principal | undefined;
  /** @throws {Error} there is no such principal */
  principalCalled(name: string): Principal;
  /** Whether the policy allows the need; records the statements that allow it. */
  allows(principal: Principal, need: AccessNeed): boolean;
  /** @throws {AwsError} access denied, with a message that names principal, action and resource */
  require(principal: Principal, need: AccessNeed, errors: CommonErrors): void;
  remove(principalName: string, action: string): void;
  restore(): void;
  used(): PolicyUse[];
  granted(): PolicyUse[];
}

/**
 * @throws {UnknownPolicy} a principal's statement has an element, operator or key that the evaluator does
 * not know
 */
export function permissions(principals: readonly Principal[]): Permissions {
  const byKey = new Map<string, Principal>();
  const policies = new Map<string, Policy>();
  for (const principal of principals) {
    if (byKey.has(principal.accessKeyId))
      throw new Error(`two principals have the access key ${principal.accessKeyId}`);
    if (policies.has(principal.name)) throw new Error(`two principals are called ${principal.name}`);
    byKey.set(principal.accessKeyId, principal);
    policies.set(principal.name, readPolicy(principal.name, principal.statements));
  }
  const used = new Map<string, PolicyUse>();
  const removed = new Set<string>();

  function policyOf(name: string): Policy {
    const policy = policies.get(name);
    if (policy === undefined)
      throw new Error(`there is no principal ${name}; there are ${[...policies.keys()].join(", ")}`);
    return policy;
  }

  function judge(principal: Principal, need: AccessNeed): string | undefined {
    if (removed.has(removalId(principal.name, need.action))) return "because a test removed the permission";
    const verdict = policyOf(principal.name).judge({ ...need, context: { ...alwaysThere, ...need.context } });
    for (const use of verdict.allowedBy) {
      const record = { principal: principal.name, ...use };
      used.set(useId(record), record);
    }
    return verdict.allowed ? undefined : verdict.reason;
  }

  return {
    principal: (accessKeyId) => byKey.get(accessKeyId),
    principalCalled(name) {
      const principal = principals.find((candidate) => candidate.name === name);
      if (principal === undefined) throw new Error(`there is no principal ${name}`);
      return principal;
    },
    allows: (principal, need) => judge(principal, need) === undefined,
    require(principal, need, errors) {
      const refusal = judge(principal, need);
      if (refusal === undefined) return;
      const [status, code] = errors.accessDenied;
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
      const user = `arn:aws:sts::${localAccountId}:assumed-role/${principal.name}/local`;
      throw new AwsError(
        status,
        code,
        `User: ${user} is not authorized to perform: ${need.action} on resource: ${need.resource} ${refusal}`,
      );
    },
    remove(principalName, action) {
      if (!policyOf(principalName).grants(action)) {
        throw new Error(`${principalName} does not have ${action}: there is nothing to remove`);
      }
      removed.add(removalId(principalName, action));
    },
    restore: () => removed.clear(),
    used: () => [...used.values()],
    granted: () =>
      distinctUses(
        [...policies].flatMap(([principal, policy]) => policy.granted.map((use) => ({ principal, ...use }))),
      ),
  };
}

/** On AWS every SDK call uses TLS; here the loopback interface counts as TLS. */
const alwaysThere = { "aws:securetransport": ["true"] };

function removalId(principalName: string, action: string): string {
  return `${principalName} ${action.toLowerCase()}`;
}
