import { describe, expect, it } from "vitest";
import { find, type Json, ofType, type Resource, synthesize, text } from "./templates.ts";

const { api } = synthesize();

/** Path of each resource of the tree, by logical id. */
const paths = new Map<string, string>();
const pathOf = (id: string): string => {
  const resource = api.Resources[id] as Resource;
  const parent: Json = resource.Properties.ParentId;
  const above = "Ref" in parent ? pathOf(parent.Ref) : "";
  return `${above}/${resource.Properties.PathPart}`;
};
for (const [id] of ofType(api, "AWS::ApiGateway::Resource")) paths.set(id, pathOf(id));

const methods = ofType(api, "AWS::ApiGateway::Method").map(([, { Properties }]) => ({
  path: "Ref" in Properties.ResourceId ? (paths.get(Properties.ResourceId.Ref) as string) : "/",
  function: /\{([A-Za-z]+?)[0-9A-F]{8}\.Arn\}/.exec(text(Properties.Integration.Uri))?.[1],
  ...Properties,
}));

describe("the route tree", () => {
  it("leads each path to the function that answers it", () => {
    expect(Object.fromEntries(methods.map((method) => [method.path, method.function]))).toEqual({
      "/": "Authorization",
      "/{proxy+}": "Authorization",
      "/api-v2": "Authorization",
      "/api-v2/{proxy+}": "Documents",
      "/api-v2/openapi.json": "Authorization",
      "/api-v2/openapi.json/{proxy+}": "Authorization",
      "/api-v2/hubs": "Authorization",
      "/api-v2/hubs/{hub}": "Authorization",
      "/api-v2/hubs/{hub}/{proxy+}": "Authorization",
      "/api-v2/hubs/documents": "Authorization",
      "/api-v2/hubs/documents/elements": "Authorization",
      "/api-v2/hubs/documents/elements/{proxy+}": "Authorization",
      "/api-v2/hubs/documents/{proxy+}": "Documents",
      "/api-v2/elements": "Authorization",
      "/api-v2/elements/{keyOrId}": "Authorization",
      "/api-v2/elements/{keyOrId}/{proxy+}": "Authorization",
      "/api-v2/elements/{keyOrId}/instances": "Connections",
      "/api-v2/elements/{keyOrId}/instances/{proxy+}": "Connections",
      "/api-v2/instances": "Connections",
      "/api-v2/instances/{proxy+}": "Connections",
      "/api-v2/connect": "Connections",
      "/api-v2/connect/{proxy+}": "Connections",
      "/api-v2/oauth": "Connections",
      "/api-v2/oauth/{proxy+}": "Connections",
      "/api-v2/proxy": "Proxy",
      "/api-v2/proxy/{proxy+}": "Proxy",
    });
  });

  it("gives no resource two variable children", () => {
    const variable = new Map<string, string[]>();
    for (const path of paths.values()) {
      const cut = path.lastIndexOf("/");
      if (path[cut + 1] === "{")
        variable.set(path.slice(0, cut), [...(variable.get(path.slice(0, cut)) ?? []), path]);
    }
    expect(variable.size).toBeGreaterThan(5);
    for (const children of variable.values()) expect(children).toHaveLength(1);
  });

  it("leaves no path unmatched: each resource has ANY, and each that may have more below it a catch-all", () => {
    const known = new Set(methods.map((method) => method.path));
    for (const path of paths.values()) expect(known).toContain(path);
    for (const method of methods) expect(method.HttpMethod).toBe("ANY");
    for (const path of ["/", ...paths.values()].filter((each) => !each.endsWith("+}"))) {
      const catchAll = `${path === "/" ? "" : path}/{proxy+}`;
      const variable = [...paths.values()].some(
        (each) => each.startsWith(`${path === "/" ? "" : path}/{`) && each !== catchAll,
      );
      expect(known.has(catchAll) || variable, path).toBe(true);
    }
  });
});

describe("the methods", () => {
  it("stream, each by the streaming URI and with the whole time of its function", () => {
    for (const method of methods) {
      const handler = find(api, "AWS::Lambda::Function", method.function);
      expect(method.Integration).toMatchObject({
        Type: "AWS_PROXY",
        IntegrationHttpMethod: "POST",
        ResponseTransferMode: "STREAM",
        TimeoutInMillis: handler.Properties.Timeout * 1000,
      });
      expect(text(method.Integration.Uri)).toMatch(
        /2021-11-15\/functions\/.*\/response-streaming-invocations$/,
      );
    }
  });

  it("need one permission for a function, far below the 20 KB that its policy may hold", () => {
    const permissions = ofType(api, "AWS::Lambda::Permission").map(([, each]) => each.Properties);
    expect(permissions).toHaveLength(4);
    for (const permission of permissions) {
      expect(permission.Principal).toBe("apigateway.amazonaws.com");
      expect(text(permission.SourceArn)).toMatch(/execute-api:.*\{ApiF\w+\}/);
    }
    expect(new Set(permissions.map((each) => text(each.FunctionName))).size).toBe(4);
  });
});

/**
 * Each is a number, one of a fixed set of words, or made by AWS. Not `$context.requestId`, `identity.userAgent`, `path`,
 * `domainName`: these are what a caller sends.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
 */
const notChosenByCallers = [
  "$context.extendedRequestId",
  "$context.requestTimeEpoch",
  "$context.identity.sourceIp",
  "$context.httpMethod",
  "$context.resourcePath",
  "$context.protocol",
  "$context.status",
  "$context.responseLength",
  "$context.responseLatency",
  "$context.integrationLatency",
  "$context.awsEndpointRequestId",
  "$context.error.responseType",
];

describe("the API", () => {
  const stage = find(api, "AWS::ApiGateway::Stage").Properties;

  it("is regional, takes every body as bytes, and refuses TLS below 1.2", () => {
    expect(find(api, "AWS::ApiGateway::RestApi").Properties).toMatchObject({
      EndpointConfiguration: { Types: ["REGIONAL"] },
      BinaryMediaTypes: ["*/*"],
      SecurityPolicy: "SecurityPolicy_TLS13_1_2_2021_06",
      EndpointAccessMode: "BASIC",
    });
  });

  it("calls its stage elements and throttles all of it", () => {
    expect(stage.StageName).toBe("elements");
    expect(stage.MethodSettings).toEqual([
      expect.objectContaining({
        HttpMethod: "*",
        ResourcePath: "/*",
        ThrottlingRateLimit: 500,
        ThrottlingBurstLimit: 1000,
      }),
    ]);
  });

  it("traces no data and writes no execution log", () => {
    for (const settings of stage.MethodSettings)
      expect(settings).toMatchObject({ DataTraceEnabled: false, LoggingLevel: "OFF" });
  });

  it("logs each access in variables that no caller can fill: nothing would escape a quote in them", () => {
    const line: Record<string, string> = JSON.parse(stage.AccessLogSetting.Format);
    expect(text(stage.AccessLogSetting.DestinationArn)).toContain("AccessLog");
    const variables = stage.AccessLogSetting.Format.match(/\$[\w.]+/g);
    expect(variables).toHaveLength(Object.keys(line).length);
    expect(new Set(variables)).toEqual(new Set(notChosenByCallers));
  });

  it("can write its log in a fresh account, and leaves the account's role behind for others", () => {
    const account = find(api, "AWS::ApiGateway::Account");
    expect(text(account.Properties.CloudWatchRoleArn)).toMatch(/^\{ApiCloudWatchRole\w+\.Arn\}$/);
    expect(account.DeletionPolicy).toBe("Retain");
    expect(find(api, "AWS::IAM::Role", "ApiCloudWatchRole").DeletionPolicy).toBe("Retain");
    expect(find(api, "AWS::ApiGateway::Stage").DependsOn).toEqual([expect.stringMatching(/^ApiAccount/)]);
  });

  it("answers its own errors in our shape, with nothing in them that the caller sent", () => {
    const responses = ofType(api, "AWS::ApiGateway::GatewayResponse").map(([, each]) => each.Properties);
    expect(responses.map((each) => each.ResponseType).sort()).toEqual([
      "DEFAULT_4XX",
      "DEFAULT_5XX",
      "REQUEST_TOO_LARGE",
      "THROTTLED",
      "WAF_FILTERED",
    ]);
    for (const response of responses) {
      expect(response.ResponseParameters).toMatchObject({
        "gatewayresponse.header.Elements-Request-Id": "context.extendedRequestId",
        "gatewayresponse.header.Elements-Error-Source": "'linkspan'",
        "gatewayresponse.header.X-Content-Type-Options": "'nosniff'",
      });
      const body = JSON.parse(response.ResponseTemplates["application/json"]);
      expect(body).toEqual({
        requestId: "$context.extendedRequestId",
        message: expect.not.stringContaining("$"),
        code: expect.stringMatching(/^[a-z_]+$/),
        detail: { reason: "$context.error.responseType" },
      });
    }
  });

  it("says where it is", () => {
    expect(text(api.Outputs.BaseUrl.Value)).toMatch(/^https:\/\/\{Api\w+\}\.execute-api\..*\/api-v2$/);
  });
});

describe("a custom domain", () => {
  const certificateArn =
    "arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";
  const { api: own } = synthesize({ domainName: "api.example.com", certificateArn });

  it("serves the API below the same path as the default URL", () => {
    expect(find(own, "AWS::ApiGateway::DomainName").Properties).toMatchObject({
      DomainName: "api.example.com",
      RegionalCertificateArn: certificateArn,
      EndpointConfiguration: { Types: ["REGIONAL"] },
      SecurityPolicy: "TLS_1_2",
    });
    const mapping = find(own, "AWS::ApiGateway::BasePathMapping").Properties;
    expect(mapping.BasePath).toBe("elements");
    expect(text(mapping.Stage)).toMatch(/^\{ApiDeploymentStageelements/);
    expect(own.Outputs.BaseUrl.Value).toBe("https://api.example.com/elements/api-v2");
    expect(own.Outputs.DomainTarget).toBeDefined();
    expect(ofType(api, "AWS::ApiGateway::DomainName")).toEqual([]);
  });
});

describe("disableExecuteApiEndpoint", () => {
  const certificateArn =
    "arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";

  it("closes the default URL, which else goes on beside the custom domain", () => {
    const domain = { domainName: "api.example.com", certificateArn };
    const closed = synthesize({ ...domain, disableExecuteApiEndpoint: true }).api;
    expect(find(closed, "AWS::ApiGateway::RestApi").Properties.DisableExecuteApiEndpoint).toBe(true);
    expect(find(synthesize(domain).api, "AWS::ApiGateway::RestApi").Properties).toMatchObject({
      DisableExecuteApiEndpoint: false,
    });
  });
});

describe("waf", () => {
  const arn = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/mine/0a1b2c3d-0a1b";
  const { api: guarded } = synthesize({ waf: "managed", throttleRate: 100 });
  const rules: Json[] = find(guarded, "AWS::WAFv2::WebACL").Properties.Rules;

  it("puts nothing in front of the stage unless told to", () => {
    expect(JSON.stringify(api)).not.toContain("WAFv2");
  });

  it("puts the operator's own web ACL in front of the stage, and makes none", () => {
    const { api: own } = synthesize({ waf: arn });
    const association = find(own, "AWS::WAFv2::WebACLAssociation").Properties;
    expect(association.WebACLArn).toBe(arn);
    expect(text(association.ResourceArn)).toMatch(
      /:apigateway:\{AWS::Region\}::\/restapis\/\{Api\w+\}\/stages\/\{ApiDeploymentStageelements\w+\}$/,
    );
    expect(ofType(own, "AWS::WAFv2::WebACL")).toEqual([]);
  });

  it("bounds what one address sends before the throttle that all share, and says so in our shape", () => {
    const [rate] = rules;
    expect(rate.Statement.RateBasedStatement).toEqual({
      AggregateKeyType: "IP",
      // Half of 100 a second.
      Limit: 3_000,
      EvaluationWindowSec: 60,
    });
    const { ResponseCode, CustomResponseBodyKey, ResponseHeaders } = rate.Action.Block.CustomResponse;
    expect(ResponseCode).toBe(429);
    // What each error of ours has, and tells it from a vendor's.
    expect(ResponseHeaders).toEqual([
      { Name: "Retry-After", Value: "60" },
      { Name: "Cache-Control", Value: "no-store" },
      { Name: "X-Content-Type-Options", Value: "nosniff" },
      { Name: "Elements-Error-Source", Value: "linkspan" },
    ]);
    const { CustomResponseBodies } = find(guarded, "AWS::WAFv2::WebACL").Properties;
    expect(JSON.parse(CustomResponseBodies[CustomResponseBodyKey].Content)).toMatchObject({
      code: "too_many_requests",
    });
  });

  it("never judges a body, a query of paths and URLs, or the lack of a user agent", () => {
    const groups: Json[] = rules.slice(1).map((rule) => rule.Statement.ManagedRuleGroupStatement);
    expect(groups.map(({ VendorName, Name }) => `${VendorName} ${Name}`)).toEqual([
      "AWS AWSManagedRulesAmazonIpReputationList",
      "AWS AWSManagedRulesCommonRuleSet",
      "AWS AWSManagedRulesKnownBadInputsRuleSet",
    ]);
    const counted = groups.flatMap(({ RuleActionOverrides = [] }) =>
      RuleActionOverrides.map((each: Json) => {
        expect(each.ActionToUse).toEqual({ Count: {} });
        return each.Name;
      }),
    );
    // Each rule of these groups that the page of AWS says looks at a body.
    for (const name of [
      "SizeRestrictions_BODY",
      "EC2MetaDataSSRF_BODY",
      "GenericLFI_BODY",
      "GenericRFI_BODY",
      "CrossSiteScripting_BODY",
      "JavaDeserializationRCE_BODY",
      "Log4JRCE_BODY",
      "ReactJSRCE_BODY",
      "NoUserAgent_HEADER",
      "RestrictedExtensions_QUERYARGUMENTS",
    ])
      expect(counted).toContain(name);
    for (const rule of rules.slice(1)) expect(rule.OverrideAction).toEqual({ None: {} });
  });

  it("keeps no samples of requests: they hold Authorization headers", () => {
    const { VisibilityConfig } = find(guarded, "AWS::WAFv2::WebACL").Properties;
    for (const each of [VisibilityConfig, ...rules.map((rule) => rule.VisibilityConfig)])
      expect(each.SampledRequestsEnabled).toBe(false);
  });
});

describe("tenantRequestsPerMinute", () => {
  const functions = ["Authorization", "Connections", "Documents", "Proxy"];
  const statements = (template: typeof api, name: string): Json[] =>
    find(template, "AWS::IAM::Policy", `${name}Role`).Properties.PolicyDocument.Statement;
  const forUsage = (each: Json) => JSON.stringify(each.Condition ?? {}).includes("usage#");

  it("lets each function that callers reach add to sums of use, and to no other transient item", () => {
    const { api: bounded } = synthesize({ tenantRequestsPerMinute: 1000 });
    for (const name of functions) {
      const { Environment } = find(bounded, "AWS::Lambda::Function", name).Properties;
      expect(Environment.Variables.TENANT_REQUESTS_PER_MINUTE).toBe("1000");
      const [statement, ...more] = statements(bounded, name).filter(forUsage);
      expect(more).toEqual([]);
      expect(statement).toMatchObject({
        Action: "dynamodb:UpdateItem",
        Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["usage#*"] } },
      });
      expect(text(statement.Resource)).toMatch(/^\{Transients\w+\.Arn\}$/);
    }
  });

  it("adds nothing unless set", () => {
    for (const name of functions) {
      expect(statements(api, name).filter(forUsage)).toEqual([]);
      const { Environment } = find(api, "AWS::Lambda::Function", name).Properties;
      expect(Environment.Variables.TENANT_REQUESTS_PER_MINUTE).toBeUndefined();
    }
  });
});
