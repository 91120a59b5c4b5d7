import { readPolicy } from "../aws/iam.ts";
import type { DataModel } from "./data-model.ts";
import type { FunctionModel, RoleModel } from "./function-model.ts";
import type { ResolvedResource, Resources } from "./resources.ts";

/** A queue that Lambda reads for a function. */
export interface EventSourceModel {
  readonly functionName: string;
  readonly queueName: string;
  readonly queueArn: string;
  readonly batchSize: number;
  readonly maximumConcurrency?: number;
  readonly reportsBatchItemFailures: boolean;
}

export interface ScheduleModel {
  readonly name: string;
  readonly arn: string;
  readonly functionName: string;
  readonly everyMinutes: number;
  readonly enabled: boolean;
  /** JSON event for the function; absent: the function gets the Scheduler's own event. */
  readonly input?: string;
}

/** @throws {UnsupportedTemplate} a property or combination that the platform or Lambda refuses */
export function readEventSources(
  resources: Resources,
  functions: readonly FunctionModel[],
  data: DataModel,
): EventSourceModel[] {
  return resources.all("AWS::Lambda::EventSourceMapping").flatMap((mapping) => {
    const properties = mapping.properties([
      "BatchSize",
      "Enabled",
      "EventSourceArn",
      "FunctionName",
      "FunctionResponseTypes",
      "MaximumBatchingWindowInSeconds",
      "ScalingConfig",
      "Tags",
    ]);
    if (properties.Enabled === false) return [];
    const target = functions.find(({ functionName, arn }) =>
      [functionName, arn].includes(String(properties.FunctionName)),
    );
    const queue = data.queues.find(({ arn }) => arn === properties.EventSourceArn);
    if (target === undefined || queue === undefined)
      return mapping.refuse("only queues and functions of the stacks are known here");
    // Lambda refuses this mapping, too; it recommends six times the function's timeout:
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    if ((queue.visibilityTimeout ?? 30) < target.timeoutSeconds)
      mapping.refuse(`the queue's visibility timeout is less than the timeout of ${target.name}`);
    const batchSize = Number(properties.BatchSize ?? 10);
    // With a batching window, Lambda collects messages for some time:
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    if (batchSize > 10 || Number(properties.MaximumBatchingWindowInSeconds ?? 0) > 0)
      mapping.refuse("batching windows, and batches of more than 10, are not known here");
    const { MaximumConcurrency } = (properties.ScalingConfig ?? {}) as { MaximumConcurrency?: number };
    return {
      functionName: target.name,
      queueName: queue.name,
      queueArn: queue.arn,
      batchSize,
      ...(MaximumConcurrency === undefined ? {} : { maximumConcurrency: MaximumConcurrency }),
      reportsBatchItemFailures: ((properties.FunctionResponseTypes ?? []) as string[]).includes(
        "ReportBatchItemFailures",
      ),
    };
  });
}

/** @throws {UnsupportedTemplate} an expression or target that the platform does not know, or a role that may not invoke it */
export function readSchedules(
  resources: Resources,
  functions: readonly FunctionModel[],
  roles: ReadonlyMap<string, RoleModel>,
): ScheduleModel[] {
  const schedules = resources.all("AWS::Scheduler::Schedule").map((schedule) => {
    const { Target, ...properties } = schedule.properties([
      "Description",
      "FlexibleTimeWindow",
      "GroupName",
      "Name",
      "ScheduleExpression",
      "ScheduleExpressionTimezone",
      "State",
      "Target",
    ]);
    const target = Target as { Arn: string; RoleArn: string; Input?: string };
    const model = scheduleModel(schedule, properties, target, functions);
    // For a schedule, the target's role must allow the call, not a permission of the function:
    // https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html#setting-up-execution-role
    const role = roles.get(target.RoleArn);
    const need = { action: "lambda:InvokeFunction", resource: target.Arn };
    if (role === undefined || !readPolicy(role.name, role.statements).judge(need).allowed)
      schedule.refuse("its role may not invoke the function");
    return model;
  });
  const rules = resources.all("AWS::Events::Rule").map((rule) => {
    const { Targets, ...properties } = rule.properties([
      "Description",
      "Name",
      "ScheduleExpression",
      "State",
      "Targets",
    ]);
    const targets = (Targets ?? []) as { Arn: string; Input?: string }[];
    const [target] = targets;
    if (target === undefined || targets.length > 1) return rule.refuse("one target was expected");
    return scheduleModel(rule, properties, target, functions);
  });
  return [...schedules, ...rules];
}

function scheduleModel(
  schedule: ResolvedResource,
  properties: Readonly<Record<string, unknown>>,
  target: { Arn: string; Input?: string },
  functions: readonly FunctionModel[],
): ScheduleModel {
  const found = functions.find(({ arn }) => arn === target.Arn);
  if (found === undefined) return schedule.refuse("its target is not a function of the stacks");
  const expression = String(properties.ScheduleExpression);
  const everyMinutes = minutesBetween(expression);
  if (everyMinutes === undefined)
    return schedule.refuse(`${expression} is not known here: only intervals in whole minutes are known`);
  const { ref, attributes } = schedule.identity();
  return {
    name: ref,
    arn: attributes.Arn as string,
    functionName: found.name,
    everyMinutes,
    enabled: properties.State !== "DISABLED",
    ...(target.Input === undefined ? {} : { input: target.Input }),
  };
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html */
function minutesBetween(expression: string): number | undefined {
  const match =
    /^cron\((?:\*|\*\/(\d+)) \* \* \* \? \*\)$/.exec(expression) ??
    /^rate\((\d+) minutes?\)$/.exec(expression);
  return match === null ? undefined : Number(match[1] ?? 1);
}
