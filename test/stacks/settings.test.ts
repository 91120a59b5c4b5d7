import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { afterAll, describe, expect, it } from "vitest";
import { readSettings } from "../../lib/settings.ts";

// An App creates its folder at once. Without `outdir` it would leave folders among the temporary files.
const outdir = mkdtempSync(join(tmpdir(), "linkspan-settings-"));
afterAll(() => rmSync(outdir, { recursive: true, force: true }));

const read = (context: Record<string, unknown>) => readSettings(new App({ outdir, context }).node);
const certificateArn = "arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";

describe("the settings", () => {
  it("all have a default", () => {
    expect(read({})).toEqual({
      stage: "dev",
      throttleRate: 500,
      throttleBurst: 1000,
      reservedConcurrency: {},
      workerConcurrency: 10,
      refreshShards: 8,
      activeWindowDays: 7,
      logRetentionDays: 30,
      auditRetentionDays: 365,
      tracing: false,
      connectorMetrics: false,
      overdueAlarmMinutes: 10,
      disableExecuteApiEndpoint: false,
      apiGatewayLogRole: true,
    });
  });

  it("can be given as text of the command line for numbers, switches and objects", () => {
    expect(
      read({
        stage: "prod",
        throttleRate: "20",
        tracing: "true",
        reservedConcurrency: '{"Documents": 50, "RefreshWorker": 10}',
        alarmEmail: "ops@example.com",
        domainName: "api.example.com",
        certificateArn,
      }),
    ).toMatchObject({
      stage: "prod",
      throttleRate: 20,
      tracing: true,
      reservedConcurrency: { Documents: 50, RefreshWorker: 10 },
      alarmEmail: "ops@example.com",
      domain: { name: "api.example.com", certificateArn },
    });
  });

  it.each([
    ["stage", "Prod", "stage must be 1 to 16 lower-case letters"],
    ["stage", "a-stage-with-too-long-a-name", "stage must be 1 to 16"],
    ["throttleRate", "0", "throttleRate must be a whole number from 1 to 10000"],
    ["throttleRate", "many", "throttleRate must be a whole number"],
    ["refreshShards", "1.5", "refreshShards must be a whole number"],
    ["workerConcurrency", "1", "workerConcurrency must be a whole number from 2 to 1000"],
    ["logRetentionDays", "31", "logRetentionDays must be one of 1, 3, 5"],
    ["auditRetentionDays", "366", "auditRetentionDays must be one of 1, 3, 5"],
    ["tracing", "yes", "tracing must be true or false"],
    ["connectorMetrics", "all", "connectorMetrics must be true or false"],
    ["alarmEmail", "nobody", "alarmEmail must be an e-mail address"],
    ["reservedConcurrency", "50", "reservedConcurrency must be an object"],
    ["reservedConcurrency", '{"Nobody": 5}', "reservedConcurrency must be an object of Authorization"],
    ["reservedConcurrency", '{"Proxy": 0}', "reservedConcurrency must be an object"],
    ["reservedConcurrency", "{", "reservedConcurrency must be an object"],
    [
      "disableExecuteApiEndpoint",
      "true",
      "needs domainName and certificateArn: without a custom domain the API",
    ],
    ["waf", "yes", "waf must be managed, or the ARN of a regional web ACL"],
    ["waf", "arn:aws:wafv2:us-east-1:111122223333:global/webacl/x/0a1b", "regional web ACL"],
    ["wafRequestsPerMinute", "100", "wafRequestsPerMinute needs waf=managed"],
    ["tenantRequestsPerMinute", "0", "tenantRequestsPerMinute must be a whole number from 1"],
    ["domainName", "https://api.example.com", "domainName must be a host name"],
    ["domainName", "api.example.com", "set both context values"],
    ["certificateArn", certificateArn, "set both context values"],
    ["certificateArn", "arn:aws:iam::111122223333:role/x", "certificateArn must be the ARN of a certificate"],
  ])("refuse %s=%s and name the allowed values", (name, value, message) => {
    expect(() => read({ [name]: value })).toThrow(message);
  });

  it.each([
    ["alarmEmial", "alarmEmail"],
    ["alarmemail", "alarmEmail"],
    ["refreshShard", "refreshShards"],
    ["Stage", "stage"],
  ])("refuse %s and suggest %s", (name, meant) => {
    expect(() => read({ [name]: "x" })).toThrow(`no context value ${name}: did you mean ${meant}?`);
  });

  it("accept the ARN of a web ACL, or create one whose rate is half of the throttle or as set", () => {
    const arn = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/mine/0a1b2c3d-0a1b";
    expect(read({ waf: arn }).waf).toEqual({ arn });
    // 500 requests a second are 30,000 a minute.
    expect(read({ waf: "managed" }).waf).toEqual({ requestsPerMinute: 15_000 });
    expect(read({ waf: "managed", throttleRate: 1 }).waf).toEqual({ requestsPerMinute: 30 });
    expect(read({ waf: "managed", wafRequestsPerMinute: "600" }).waf).toEqual({ requestsPerMinute: 600 });
    expect(() => read({ waf: arn, wafRequestsPerMinute: 600 })).toThrow("needs waf=managed");
    expect(() => read({ waf: "managed", wafRequestsPerMinute: 9 })).toThrow("from 10");
  });

  it("ignore context values of others", () => {
    expect(read({ "aws:cdk:stage": 1, "@aws-cdk/core:stage": true, team: "blue" }).stage).toBe("dev");
  });

  it("refuse more workers than reserved executions", () => {
    expect(() => read({ workerConcurrency: 20, reservedConcurrency: { RefreshWorker: 10 } })).toThrow(
      "workerConcurrency",
    );
  });
});
