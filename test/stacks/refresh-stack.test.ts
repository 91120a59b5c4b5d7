import { describe, expect, it } from "vitest";
import { find, synthesize, text } from "./templates.ts";

const { data, refresh } = synthesize();

describe("the schedule", () => {
  const { Properties: schedule } = find(refresh, "AWS::Scheduler::Schedule");

  it("starts the sweep every minute, without a flexible window", () => {
    expect(schedule.ScheduleExpression).toBe("cron(* * * * ? *)");
    expect(schedule.FlexibleTimeWindow).toEqual({ Mode: "OFF" });
    expect(schedule.State).toBe("ENABLED");
    expect(text(schedule.Target.Arn)).toMatch(/^\{RefreshSweep\w+\.Arn\}$/);
  });

  it("does not retry a missed minute, because the next one follows", () => {
    expect(schedule.Target.RetryPolicy).toEqual({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
  });

  it("has a role that may only invoke the sweep, and that only schedules of its group may use", () => {
    const role = find(refresh, "AWS::IAM::Role", "ScheduleRole").Properties;
    expect(role.AssumeRolePolicyDocument.Statement).toEqual([
      expect.objectContaining({
        Principal: { Service: "scheduler.amazonaws.com" },
        Condition: {
          StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } },
          ArnEquals: {
            "aws:SourceArn": { "Fn::GetAtt": [expect.stringMatching(/^Schedules\w{8}$/), "Arn"] },
          },
        },
      }),
    ]);
    expect(schedule.GroupName).toBe(find(refresh, "AWS::Scheduler::ScheduleGroup").Properties.Name);
    const [statement, ...more] = find(refresh, "AWS::IAM::Policy", "ScheduleRole").Properties.PolicyDocument
      .Statement;
    expect(more).toEqual([]);
    expect(statement.Action).toBe("lambda:InvokeFunction");
    expect(text(statement.Resource)).toBe(text(schedule.Target.Arn));
  });
});

describe("the workers", () => {
  const { Properties: source } = find(refresh, "AWS::Lambda::EventSourceMapping");

  it("receive messages in batches and return only those that failed", () => {
    expect(source).toMatchObject({
      BatchSize: 10,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      ScalingConfig: { MaximumConcurrency: 10 },
    });
    expect(text(source.EventSourceArn)).toMatch(/^\{RefreshQueue\w+\.Arn\}$/);
  });

  it("hide a message for six times their timeout", () => {
    const { Timeout } = find(refresh, "AWS::Lambda::Function", "RefreshWorker").Properties;
    const { VisibilityTimeout } = find(data, "AWS::SQS::Queue", "RefreshQueue").Properties;
    expect(VisibilityTimeout).toBeGreaterThanOrEqual(6 * Timeout);
  });

  it("have enough time for a whole refresh with its lease of 100 s", () => {
    expect(find(refresh, "AWS::Lambda::Function", "RefreshWorker").Properties.Timeout).toBeGreaterThan(200);
    // A sweep must end before the next one starts.
    expect(find(refresh, "AWS::Lambda::Function", "RefreshSweep").Properties.Timeout).toBeLessThanOrEqual(60);
  });
});
