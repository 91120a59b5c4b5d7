import type { AccessNeed, ConditionContext } from "./service.ts";
import type { IamStatement, PolicyUse } from "./types.ts";

/** A policy that the evaluator cannot judge; the message names the statement and its unknown part. */
class UnknownPolicy extends Error {}

/**
 * An identity policy that can be evaluated.
 *
 * Within one account, without boundaries and organization policies, an explicit Deny wins over any Allow,
 * and an action that no statement allows is refused:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export interface Policy {
  judge(need: AccessNeed): Verdict;
  /** Whether an Allow statement names this action, whatever the resource. */
  grants(action: string): boolean;
  /** Each action and resource pattern of the Allow statements. */
  readonly granted: readonly Omit<PolicyUse, "principal">[];
}

export interface Verdict {
  readonly allowed: boolean;
  /** In the words of AWS's messages. */
  readonly reason:
    | "allowed"
    | "with an explicit deny in an identity-based policy"
    | "because no identity-based policy allows the action";
  /** The patterns of the Allow statements that allowed the action. */
  readonly allowedBy: readonly Omit<PolicyUse, "principal">[];
}

interface Pattern {
  readonly text: string;
  matches(value: string): boolean;
}

interface Condition {
  holds(context: ConditionContext): boolean;
}

interface Statement {
  readonly effect: "Allow" | "Deny";
  readonly actions: readonly Pattern[];
  readonly resources: readonly Pattern[];
  readonly conditions: readonly Condition[];
}

/**
 * Reads the statements of a principal.
 * @param owner name of the principal, for messages
 * @throws {UnknownPolicy} a statement has an element, operator or key that this evaluator does not know
 */
export function readPolicy(owner: string, statements: readonly IamStatement[]): Policy {
  const read = statements.map((statement, index) => {
    try {
      return readStatement(statement);
    } catch (error) {
      if (!(error instanceof UnknownPolicy)) throw error;
      throw new UnknownPolicy(
        `statement ${index + 1} of ${owner}: ${error.message} (${JSON.stringify(statement)})`,
      );
    }
  });
  const allows = read.filter((statement) => statement.effect === "Allow");
  return {
    judge(need) {
      const applies = (statement: Statement) =>
        statement.actions.some((action) => action.matches(need.action)) &&
        statement.resources.some((resource) => resource.matches(need.resource)) &&
        statement.conditions.every((condition) => condition.holds(need.context ?? {}));
      if (read.some((statement) => statement.effect === "Deny" && applies(statement))) {
        return { allowed: false, reason: "with an explicit deny in an identity-based policy", allowedBy: [] };
      }
      const allowedBy = allows.filter(applies).flatMap((statement) => {
        const actions = statement.actions.filter((action) => action.matches(need.action));
        const resources = statement.resources.filter((resource) => resource.matches(need.resource));
        return pairs(actions, resources);
      });
      return allowedBy.length > 0
        ? { allowed: true, reason: "allowed", allowedBy }
        : { allowed: false, reason: "because no identity-based policy allows the action", allowedBy };
    },
    grants: (action) =>
      allows.some((statement) => statement.actions.some((pattern) => pattern.matches(action))),
    granted: allows.flatMap((statement) => pairs(statement.actions, statement.resources)),
  };
}

function pairs(actions: readonly Pattern[], resources: readonly Pattern[]): Omit<PolicyUse, "principal">[] {
  return actions.flatMap((action) =>
    resources.map((resource) => ({ action: action.text, resource: resource.text })),
  );
}

function readStatement(statement: IamStatement): Statement {
  for (const element of Object.keys(statement)) {
    if (!["Sid", "Effect", "Action", "Resource", "Condition"].includes(element)) {
      throw new UnknownPolicy(`the element ${element} is not known here`);
    }
  }
  if (statement.Effect !== "Allow" && statement.Effect !== "Deny") {
    throw new UnknownPolicy(`Effect must be Allow or Deny, not ${JSON.stringify(statement.Effect)}`);
  }
  return {
    effect: statement.Effect,
    actions: texts("Action", statement.Action).map(actionPattern),
    resources: texts("Resource", statement.Resource).map(resourcePattern),
    conditions: readConditions(statement.Condition ?? {}),
  };
}

function texts(element: string, value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0 || !list.every((text) => typeof text === "string" && text !== "")) {
    throw new UnknownPolicy(`${element} must be text or a list of texts; was every Ref and GetAtt resolved?`);
  }
  for (const text of list as string[]) {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    if (text.includes("${"))
      throw new UnknownPolicy(`the policy variable in ${element} ${text} is not known here`);
  }
  return list as string[];
}

/** `*` matches any number of characters, `?` exactly one. */
function glob(text: string, flags = ""): RegExp {
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[\\s\\S]*")
    .replaceAll("?", "[\\s\\S]");
  return new RegExp(`^${source}$`, flags);
}

/**
 * The comparison of actions ignores case:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
 */
function actionPattern(text: string): Pattern {
  if (text !== "*" && !/^[a-z0-9-]+:[\w*?]+$/i.test(text)) {
    throw new UnknownPolicy(`${text} is not an action`);
  }
  const expression = glob(text, "i");
  return { text, matches: (action) => expression.test(action) };
}

/**
 * A wildcard matches within its segment of the ARN; only in the last segment, the resource itself, it also
 * matches colons:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
function resourcePattern(text: string): Pattern {
  if (text === "*") return { text, matches: () => true };
  const expressions = arnSegments(text).map((segment) => glob(segment));
  if (expressions.length !== 6) throw new UnknownPolicy(`Resource ${text} is not an ARN`);
  return {
    text,
    matches: (arn) => {
      const segments = arnSegments(arn);
      return expressions.every((expression, index) => expression.test(segments[index] ?? ""));
    },
  };
}

function arnSegments(arn: string): string[] {
  const parts = arn.split(":");
  return parts.length < 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(":")];
}

/**
 * Condition keys whose values the front door knows; `many`: the key has several values and needs a set
 * operator.
 */
const conditionKeys: readonly { readonly key: RegExp; readonly many: boolean }[] = [
  { key: /^aws:securetransport$/, many: false },
  { key: /^dynamodb:leadingkeys$/, many: true },
  { key: /^kms:encryptioncontext:.+$/, many: false },
  { key: /^kms:encryptioncontextkeys$/, many: true },
  { key: /^s3:prefix$/, many: false },
];

const comparisons: Readonly<Record<string, (expected: string) => (value: string) => boolean>> = {
  StringEquals: (expected) => (value) => value === expected,
  StringLike: (expected) => {
    const expression = glob(expected);
    return (value) => expression.test(value);
  },
  Bool: (expected) => (value) => value.toLowerCase() === expected.toLowerCase(),
};

/**
 * All conditions of a statement must hold; the values of one key are alternatives.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
 * Set operators, and their result for a key that the request does not have:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
function readConditions(block: NonNullable<IamStatement["Condition"]>): Condition[] {
  return Object.entries(block).flatMap(([operator, keys]) => {
    const [, quantifier, name = ""] = /^(?:(ForAllValues|ForAnyValue):)?(\w+)$/.exec(operator) ?? [];
    const compare = Object.hasOwn(comparisons, name) ? comparisons[name] : undefined;
    if (compare === undefined)
      throw new UnknownPolicy(`the condition operator ${operator} is not known here`);
    return Object.entries(keys).map(([key, values]): Condition => {
      const lowerKey = key.toLowerCase();
      const known = conditionKeys.find((candidate) => candidate.key.test(lowerKey));
      if (known === undefined) throw new UnknownPolicy(`the condition key ${key} is not known here`);
      if (known.many && quantifier === undefined) {
        throw new UnknownPolicy(
          `the condition key ${key} has several values: ${operator} needs ForAllValues or ForAnyValue`,
        );
      }
      const list = Array.isArray(values) ? values.map(String) : String(values);
      const expected = texts(`Condition ${key}`, list).map(compare);
      const matches = (value: string) => expected.some((test) => test(value));
      return {
        holds: (context) => {
          const actual = context[lowerKey];
          if (quantifier === "ForAllValues") return (actual ?? []).every(matches);
          if (actual === undefined) return false;
          return actual.some(matches);
        },
      };
    });
  });
}
