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

/** Name of the stage: the first part of the default URL's path. A custom domain uses the same path. */
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
      // These names are known without a reference to the API, so that no stack output is needed.
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
        description: "Catalogue and authorization URLs; every path that no other function answers",
        timeout: Duration.seconds(120),
        environment: { ...tenants, ...transients, ...tenantBound },
      }),
      connections: new ServiceFunction(this, "Connections", {
        settings,
        folder: "connections",
        description: "Instances, connect sessions, callbacks: the function that creates grants",
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
      // API Gateway passes every body to a function as bytes, base64-encoded in the event.
      binaryMediaTypes: ["*/*"],
      cloudWatchRole: settings.apiGatewayLogRole,
      // All APIs of the account and region use this role: another stage may still need it when this stage is
      // deleted.
      cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN,
      deployOptions: {
        stageName: apiStageName,
        tracingEnabled: settings.tracing,
        throttlingRateLimit: settings.throttleRate,
        throttlingBurstLimit: settings.throttleBurst,
        metricsEnabled: false,
        // Always off: execution logs contain whole requests, including Authorization headers and bodies.
        dataTraceEnabled: false,
        loggingLevel: MethodLoggingLevel.OFF,
        accessLogDestination: new LogGroupLogDestination(accessLog),
        accessLogFormat,
      },
    });
    // Requires TLS 1.2 or newer; without this policy, the default URL of a regional API accepts TLS 1.0.
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
      // All three refresh grants, so they store and delete which OAuth clients the vendors refuse. Documents keeps jobs there, too.
      each.allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], [data.transients.tableArn]);
    }
    authorization.allow(["dynamodb:PutItem"], [data.transients.tableArn]);
    allowOAuthProxies(connections, data);
    allowGrants(connections, data, [
      "dynamodb:GetItem",
      "dynamodb:BatchGetItem",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      // Reads an instance's pending sign-ins, which a later sign-in ends.
      "dynamodb:Query",
    ]);
    // May send events to the audit trail, but not read or change it.
    connections.allow(["sqs:SendMessage"], [data.audit.queue.queueArn]);
    connections.allow(["dynamodb:Query"], [`${data.instances.tableArn}/index/owner`]);
    for (const each of [documents, proxy])
      allowGrants(each, data, ["dynamodb:GetItem", "dynamodb:UpdateItem"]);
    // Finds tags and descriptions that a vendor does not keep.
    allowGrants(documents, data, ["dynamodb:BatchGetItem", "dynamodb:Query"]);
  }

  private acknowledge(api: RestApi, { waf }: Settings): void {
    const logRole = api.node.tryFindChild("CloudWatchRole");
    if (logRole !== undefined) {
      Validations.of(logRole).acknowledge({
        id: "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
        reason: "API Gateway requires this policy; all APIs of the account and region share the role",
      });
    }
    if (waf === undefined) {
      Validations.of(api).acknowledge({
        id: "AwsSolutions-APIG3",
        reason:
          "A web ACL costs money by month and by request, so the operator chooses it with the context value waf",
      });
    }
    Validations.of(api).acknowledge(
      {
        id: "AwsSolutions-APIG2",
        reason: "Each function checks its calls, and answers errors in the API's error shape",
      },
      {
        id: "AwsSolutions-APIG4",
        reason:
          "The functions authorize callers: they look up secrets by hash; reads of the catalogue need no secret",
      },
      {
        id: "AwsSolutions-APIG6",
        reason:
          "Execution logs contain Authorization headers; access logs and the functions' logs have the same facts without them",
      },
      {
        id: "AwsSolutions-COG4",
        reason: "The API has its own users and secrets; there is no Cognito user pool",
      },
    );
  }
}
