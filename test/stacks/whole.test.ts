import { AwsSolutionsChecks } from "cdk-nag";
import { describe, expect, it } from "vitest";
import { type Json, ofType, parts, synthesize, text } from "./templates.ts";

const dev = synthesize();

describe("the whole deployment", () => {
  it("satisfies cdk-nag's AwsSolutions rules", () => {
    // Throws, and prints each finding, when a finding is neither fixed nor suppressed with a reason beside its resource.
    const stacks = synthesize(
      {
        alarmEmail: "ops@example.com",
        waf: "managed",
        tenantRequestsPerMinute: 1000,
        disableExecuteApiEndpoint: true,
        domainName: "api.example.com",
        certificateArn: "arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f",
      },
      (app) => new AwsSolutionsChecks(app),
    );
    expect(Object.keys(stacks)).toHaveLength(parts.length);
    expect(Object.keys(synthesize({}, (app) => new AwsSolutionsChecks(app)))).toHaveLength(parts.length);
  });

  it("stays far within CloudFormation's limits, so that there is room to grow", () => {
    for (const part of parts) {
      const template = dev[part];
      expect(Object.keys(template.Resources).length, part).toBeLessThan(250);
      expect(Object.keys(template.Outputs ?? {}).length, part).toBeLessThan(100);
      expect(JSON.stringify(template).length, part).toBeLessThan(500_000);
    }
  });

  it("keeps each role's inline policies below 10 KB and each function's environment below 4 KB", () => {
    for (const part of parts) {
      for (const [id, { Properties }] of ofType(dev[part], "AWS::IAM::Policy"))
        expect(JSON.stringify(Properties.PolicyDocument).length, id).toBeLessThan(10_000);
      for (const [id, { Properties }] of ofType(dev[part], "AWS::Lambda::Function"))
        expect(JSON.stringify(Properties.Environment).length, id).toBeLessThan(3_000);
    }
  });

  it("contains nothing that only one account or region has", () => {
    for (const part of parts) {
      const written = JSON.stringify(dev[part]);
      expect(written).not.toMatch(/\b\d{12}\b/);
      expect(written).not.toMatch(
        /\b(us|eu|ap|sa|ca|me|af|il)-(east|west|north|south|central|northeast|southeast)-\d/,
      );
    }
  });
});

describe("two stages", () => {
  const prod = synthesize({ stage: "prod" });

  /** Physical names and export names, which must be unique in an account and region. */
  const names = (stacks: typeof dev): string[] =>
    parts.flatMap((part) => [
      ...Object.values(stacks[part].Outputs ?? {}).flatMap((output: Json) =>
        output.Export === undefined ? [] : [text(output.Export.Name)],
      ),
      ...Object.values(stacks[part].Resources).flatMap(({ Type, Properties = {} }) =>
        Object.entries(Properties).flatMap(([key, value]) =>
          [
            "AlarmName",
            "DashboardName",
            "TableName",
            "FunctionName",
            "BucketName",
            "RoleName",
            "Name",
          ].includes(key) &&
          Type !== "AWS::Lambda::Permission" &&
          Type !== "AWS::Lambda::EventSourceMapping"
            ? [`${Type} ${text(value)}`]
            : [],
        ),
      ),
    ]);

  it("share no name, so that both can be in one account", () => {
    const own = names(dev);
    expect(own.length).toBeGreaterThan(20);
    const other = new Set(names(prod));
    // Names with a generated id (`{Ref}`) are always unique.
    expect(own.filter((name) => other.has(name) && !/\{(?!AWS)/.test(name))).toEqual([]);
  });

  it("have different names in their metrics", () => {
    const written = JSON.stringify(prod.observability);
    expect(written).toContain("prod");
    expect(written).not.toMatch(/linkspan-dev|\\"dev\\"|"dev"/);
  });
});
