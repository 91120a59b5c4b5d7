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

  it("logs each access without query string, path, body or Authorization", () => {
    const line: Record<string, string> = JSON.parse(stage.AccessLogSetting.Format);
    expect(text(stage.AccessLogSetting.DestinationArn)).toContain("AccessLog");
    expect(line).toMatchObject({ requestId: "$context.requestId", resource: "$context.resourcePath" });
    const variables = stage.AccessLogSetting.Format.match(/\$[\w.]+/g);
    expect(variables).toHaveLength(Object.keys(line).length);
    for (const variable of variables) {
      expect(variable).toMatch(/^\$context\./);
      expect(variable).not.toMatch(/^\$context\.(path|requestOverride|authorizer)|query|header|body/i);
    }
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
    ]);
    for (const response of responses) {
      expect(response.ResponseParameters).toMatchObject({
        "gatewayresponse.header.Elements-Request-Id": "context.requestId",
        "gatewayresponse.header.Elements-Error-Source": "'linkspan'",
        "gatewayresponse.header.X-Content-Type-Options": "'nosniff'",
      });
      const body = JSON.parse(response.ResponseTemplates["application/json"]);
      expect(body).toEqual({
        requestId: "$context.requestId",
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
