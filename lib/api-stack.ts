import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import {
  type CfnRestApi,
  EndpointType,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RestApi,
} from "aws-cdk-lib/aws-apigateway";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { accessLogFormat } from "./constructs/access-log-format.ts";
import { addCustomDomain } from "./constructs/custom-domain.ts";
import { addFirewall } from "./constructs/firewall.ts";
import { addGatewayErrors } from "./constructs/gateway-errors.ts";
import { buildRouteTree } from "./constructs/route-tree.ts";
import { ServiceFunction } from "./constructs/service-function.ts";
import type { DataStack } from "./data-stack.ts";
import {
  allowGrants,
  allowOAuthProxies,
  allowRegisteredApps,
  allowRescue,
  allowTenants,
  allowTenantUse,
} from "./permissions.ts";
import { connectorMetrics, type Settings } from "./settings.ts";
import { stackProps } from "./stack-props.ts";

/** The stage's name is the first part of the default URL's path, so that a custom domain looks alike. */
const apiStageName = "elements";

/** The REST API and the four functions behind it. */
export class ApiStack extends Stack {
  readonly api: RestApi;
  readonly functions: {
    readonly authorization: ServiceFunction;
    readonly connections: ServiceFunction;
    readonly documents: ServiceFunction;
    readonly proxy: ServiceFunction;
  };

  constructor(
    scope: Construct,
    id: string,
    props: { readonly settings: Settings; readonly data: DataStack },
  ) {
    const { settings, data } = props;
    super(scope, id, stackProps(id, "REST API and its functions", settings));
    this.functions = this.createFunctions(settings, data);
    this.allow(data, settings);
    this.api = this.createApi(settings);

    const { authorization, connections, documents, proxy } = this.functions;
    buildRouteTree(this.api, {
      "": authorization,
      "{proxy+}": authorization,
      "api-v2": authorization,
      "api-v2/{proxy+}": documents,
      "api-v2/openapi.json": authorization,
      "api-v2/openapi.json/{proxy+}": authorization,
      "api-v2/hubs": authorization,
      "api-v2/hubs/{hub}": authorization,
      "api-v2/hubs/{hub}/{proxy+}": authorization,
      "api-v2/hubs/documents": authorization,
      "api-v2/hubs/documents/elements": authorization,
      "api-v2/hubs/documents/elements/{proxy+}": authorization,
      "api-v2/hubs/documents/{proxy+}": documents,
      "api-v2/elements": authorization,
      "api-v2/elements/oauthProxies": connections,
      "api-v2/elements/oauthProxies/{proxy+}": connections,
      "api-v2/elements/{keyOrId}": authorization,
      "api-v2/elements/{keyOrId}/{proxy+}": authorization,
      "api-v2/elements/{keyOrId}/instances": connections,
      "api-v2/elements/{keyOrId}/instances/{proxy+}": connections,
      "api-v2/instances": connections,
      "api-v2/instances/{proxy+}": connections,
      "api-v2/connect": connections,
      "api-v2/connect/{proxy+}": connections,
      "api-v2/oauth": connections,
      "api-v2/oauth/{proxy+}": connections,
      "api-v2/proxy": proxy,
      "api-v2/proxy/{proxy+}": proxy,
    });
    addGatewayErrors(this.api);
    if (settings.waf !== undefined) addFirewall(this.api, settings.stage, settings.waf);
    const host =
      settings.domain === undefined ? undefined : addCustomDomain(this.api, settings.domain, apiStageName);
    new CfnOutput(this, "BaseUrl", {
      value: host === undefined ? `${this.api.url}api-v2` : `https://${host}/${apiStageName}/api-v2`,
    });
  }

  /** One of API Gateway's own metrics: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html */
  metric(
    metricName: "Count" | "4XXError" | "5XXError" | "Latency",
    options: { readonly statistic: string; readonly period: Duration; readonly label?: string },
  ): Metric {
    return new Metric({
      namespace: "AWS/ApiGateway",
      metricName,
      // Names that are known without asking the API, so that nothing has to be exported for them.
      dimensionsMap: { ApiName: this.stackName, Stage: apiStageName },
      ...options,
    });
  }

  private createFunctions(settings: Settings, data: DataStack): ApiStack["functions"] {
    const tenants = {
      TENANTS_TABLE: data.tenants.tableName,
      VAULT_KEY_ARN: data.vaultKey.keyArn,
    };
    const transients = { TRANSIENTS_TABLE: data.transients.tableName };
    const { tenantRequestsPerMinute: bound } = settings;
    const tenantBound = bound === undefined ? {} : { TENANT_REQUESTS_PER_MINUTE: String(bound) };
    const grants = {
      ...tenants,
      ...transients,
      ...tenantBound,
      INSTANCES_TABLE: data.instances.tableName,
      RESCUE_BUCKET: data.rescueBucket.bucketName,
      REFRESH_QUEUE_URL: data.workQueue.queueUrl,
      REFRESH_SHARDS: String(settings.refreshShards),
      ACTIVE_WINDOW_DAYS: String(settings.activeWindowDays),
      ...connectorMetrics(settings),
    };
    return {
      authorization: new ServiceFunction(this, "Authorization", {
        settings,
        folder: "authorization",
        description: "Catalogue and authorization URLs; every path that nobody else has",
        timeout: Duration.seconds(120),
        environment: { ...tenants, ...transients, ...tenantBound },
      }),
      connections: new ServiceFunction(this, "Connections", {
        settings,
        folder: "connections",
        description: "Instances, connect sessions, callbacks: the one that creates grants",
        timeout: Duration.seconds(120),
        environment: { ...grants, AUDIT_QUEUE_URL: data.audit.queue.queueUrl },
      }),
      documents: new ServiceFunction(this, "Documents", {
        settings,
        folder: "documents",
        description: "The uniform Documents hub",
        timeout: Duration.minutes(15),
        environment: grants,
      }),
      proxy: new ServiceFunction(this, "Proxy", {
        settings,
        folder: "proxy",
        description: "The raw proxy to the vendors' APIs",
        timeout: Duration.minutes(15),
        environment: grants,
      }),
    };
  }

  private createApi(settings: Settings): RestApi {
    const accessLog = new LogGroup(this, "AccessLog", {
      retention: settings.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const api = new RestApi(this, "Api", {
      restApiName: this.stackName,
      description: `Linkspan ${settings.stage}`,
      endpointTypes: [EndpointType.REGIONAL],
      disableExecuteApiEndpoint: settings.disableExecuteApiEndpoint,
      // Every body reaches a function as bytes, base64 in its event.
      binaryMediaTypes: ["*/*"],
      cloudWatchRole: settings.apiGatewayLogRole,
      // The role serves every API of the account and region: another stage may still need it when this one goes.
      cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN,
      deployOptions: {
        stageName: apiStageName,
        tracingEnabled: settings.tracing,
        throttlingRateLimit: settings.throttleRate,
        throttlingBurstLimit: settings.throttleBurst,
        metricsEnabled: false,
        // Never on: they write whole requests, their Authorization headers and bodies too.
        dataTraceEnabled: false,
        loggingLevel: MethodLoggingLevel.OFF,
        accessLogDestination: new LogGroupLogDestination(accessLog),
        accessLogFormat,
      },
    });
    // TLS 1.2 at least; without it the default URL of a regional API still takes TLS 1.0.
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html
    const resource = api.node.defaultChild as CfnRestApi;
    resource.securityPolicy = "SecurityPolicy_TLS13_1_2_2021_06";
    resource.endpointAccessMode = "BASIC";
    this.acknowledge(api, settings);
    return api;
  }

  private allow(data: DataStack, { tenantRequestsPerMinute }: Settings): void {
    const { authorization, connections, documents, proxy } = this.functions;
    for (const each of [authorization, connections, documents, proxy]) {
      allowTenants(each, data);
      if (tenantRequestsPerMinute !== undefined) allowTenantUse(each, data);
    }
    for (const each of [authorization, connections]) allowRegisteredApps(each, data);
    for (const each of [connections, documents, proxy]) {
      allowRescue(each, data, ["s3:GetObject", "s3:PutObject"]);
      each.allow(["sqs:SendMessage"], [data.workQueue.queueArn]);
      // All three refresh, and so remember and forget which clients their vendors refuse.
      each.allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], [data.transients.tableArn]);
    }
    authorization.allow(["dynamodb:PutItem"], [data.transients.tableArn]);
    allowOAuthProxies(connections, data);
    allowGrants(connections, data, [
      "dynamodb:GetItem",
      "dynamodb:BatchGetItem",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      // An instance's pending sign-ins, which a later sign-in ends.
      "dynamodb:Query",
    ]);
    // It may add to the audit trail, and do nothing else with it.
    connections.allow(["sqs:SendMessage"], [data.audit.queue.queueArn]);
    connections.allow(["dynamodb:Query"], [`${data.instances.tableArn}/index/owner`]);
    for (const each of [documents, proxy])
      allowGrants(each, data, ["dynamodb:GetItem", "dynamodb:UpdateItem"]);
  }

  private acknowledge(api: RestApi, { waf }: Settings): void {
    const logRole = api.node.tryFindChild("CloudWatchRole");
    if (logRole !== undefined) {
      Validations.of(logRole).acknowledge({
        id: "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
        reason:
          "The policy that API Gateway asks for; the role is one for all APIs of the account and region",
      });
    }
    if (waf === undefined) {
      Validations.of(api).acknowledge({
        id: "AwsSolutions-APIG3",
        reason:
          "A web ACL costs by the month and by the request: the context value waf is the operator's choice",
      });
    }
    Validations.of(api).acknowledge(
      {
        id: "AwsSolutions-APIG2",
        reason: "Each call is checked in its function, which also answers in the API's error shape",
      },
      {
        id: "AwsSolutions-APIG4",
        reason:
          "Callers are authorized in the functions: secrets are looked up by hash, catalogue reads need none",
      },
      {
        id: "AwsSolutions-APIG6",
        reason:
          "Execution logs hold Authorization headers; access logs and the functions' own logs tell the same without",
      },
      {
        id: "AwsSolutions-COG4",
        reason: "The API has its own users and secrets; there is no Cognito user pool",
      },
    );
  }
}
