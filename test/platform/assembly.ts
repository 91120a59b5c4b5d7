import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

export type TestResource = { Type: string; [section: string]: unknown };
export type TestStack = {
  Resources: Record<string, TestResource>;
  [section: string]: unknown;
};

const lambdaUri = (logicalId: string, action: string): unknown => ({
  "Fn::Join": [
    "",
    [
      "arn:",
      { Ref: "AWS::Partition" },
      ":apigateway:",
      { Ref: "AWS::Region" },
      `:lambda:path/${action.split("/")[0]}/functions/`,
      { "Fn::GetAtt": [logicalId, "Arn"] },
      `/${action.split("/")[1]}`,
    ],
  ],
});

const streamingUri = (logicalId: string): unknown =>
  lambdaUri(logicalId, "2021-11-15/response-streaming-invocations");

/** A stack with one function behind every path of a small API; each test changes the part that it tests. */
export function smallStack(): TestStack {
  return {
    Resources: {
      Role: { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument: {} } },
      RolePolicy: {
        Type: "AWS::IAM::Policy",
        Properties: {
          PolicyName: "p",
          Roles: [{ Ref: "Role" }],
          PolicyDocument: {
            Statement: [
              { Effect: "Allow", Action: "dynamodb:GetItem", Resource: { "Fn::GetAtt": ["Table", "Arn"] } },
            ],
          },
        },
      },
      Table: {
        Type: "AWS::DynamoDB::Table",
        Properties: {
          BillingMode: "PAY_PER_REQUEST",
          KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
          AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        },
      },
      Queue: { Type: "AWS::SQS::Queue", Properties: { VisibilityTimeout: 360 } },
      Handler: {
        Type: "AWS::Lambda::Function",
        Properties: {
          Runtime: "nodejs24.x",
          Handler: "index.handler",
          Timeout: 60,
          Code: { S3Bucket: "assets", S3Key: "code.zip" },
          Role: { "Fn::GetAtt": ["Role", "Arn"] },
          Environment: { Variables: { TABLE: { Ref: "Table" } } },
        },
        Metadata: { "aws:cdk:path": "small/Documents/Resource" },
      },
      Permission: {
        Type: "AWS::Lambda::Permission",
        Properties: {
          Action: "lambda:InvokeFunction",
          FunctionName: { "Fn::GetAtt": ["Handler", "Arn"] },
          Principal: "apigateway.amazonaws.com",
          SourceArn: "arn:aws:execute-api:eu-west-1:000000000000:api/*/*/*",
        },
      },
      Api: { Type: "AWS::ApiGateway::RestApi", Properties: { Name: "small", BinaryMediaTypes: ["*/*"] } },
      Node: {
        Type: "AWS::ApiGateway::Resource",
        Properties: {
          ParentId: { "Fn::GetAtt": ["Api", "RootResourceId"] },
          PathPart: "{proxy+}",
          RestApiId: { Ref: "Api" },
        },
      },
      Any: {
        Type: "AWS::ApiGateway::Method",
        Properties: {
          AuthorizationType: "NONE",
          HttpMethod: "ANY",
          ResourceId: { Ref: "Node" },
          RestApiId: { Ref: "Api" },
          Integration: {
            Type: "AWS_PROXY",
            IntegrationHttpMethod: "POST",
            ResponseTransferMode: "STREAM",
            Uri: streamingUri("Handler"),
          },
        },
      },
      Deployment: {
        Type: "AWS::ApiGateway::Deployment",
        Properties: { RestApiId: { Ref: "Api" } },
        DependsOn: ["Any"],
      },
      Stage: {
        Type: "AWS::ApiGateway::Stage",
        Properties: { StageName: "elements", RestApiId: { Ref: "Api" }, DeploymentId: { Ref: "Deployment" } },
      },
    },
  };
}

/** Writes a cloud assembly as `cdk synth` does; `code.zip` is an asset with an empty handler. */
export function writeAssembly(folder: string, stacks: Readonly<Record<string, TestStack>>): string {
  mkdirSync(path.join(folder, "asset.code"), { recursive: true });
  writeFileSync(path.join(folder, "asset.code", "index.mjs"), "export const handler = async () => {};\n");
  const artifacts: Record<string, unknown> = {
    assets: { type: "cdk:asset-manifest", properties: { file: "assets.json" } },
  };
  for (const [name, stack] of Object.entries(stacks)) {
    writeFileSync(path.join(folder, `${name}.template.json`), JSON.stringify(stack));
    artifacts[name] = {
      type: "aws:cloudformation:stack",
      properties: { templateFile: `${name}.template.json` },
    };
  }
  const files = {
    code: {
      source: { path: "asset.code", packaging: "zip" },
      destinations: { here: { objectKey: "code.zip" } },
    },
  };
  writeFileSync(path.join(folder, "assets.json"), JSON.stringify({ files }));
  writeFileSync(path.join(folder, "manifest.json"), JSON.stringify({ artifacts }));
  return folder;
}
