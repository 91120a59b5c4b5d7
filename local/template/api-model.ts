import type { FunctionModel } from "./function-model.ts";
import type { ResolvedResource, Resources } from "./resources.ts";

/** A method's Lambda proxy integration; our methods have no other kind. */
export interface MethodModel {
  readonly functionName: string;
  readonly mode: "STREAM" | "BUFFERED";
  readonly timeoutMs: number;
}

/** A node of the API's tree. */
export interface ApiResource {
  readonly id: string;
  /** `/api-v2/elements/{keyOrId}` */
  readonly path: string;
  /** `ANY` or an HTTP method. */
  readonly methods: ReadonlyMap<string, MethodModel>;
  readonly literals: ReadonlyMap<string, ApiResource>;
  /** The child `{name}` or `{name+}`; a node can have only one. */
  readonly variable?: { readonly name: string; readonly greedy: boolean; readonly resource: ApiResource };
}

export interface GatewayResponseModel {
  readonly statusCode?: number;
  /** By header name: `'static'` or `context.…`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly template?: string;
}

export interface ApiModel {
  readonly id: string;
  readonly stage: string;
  readonly root: ApiResource;
  readonly binaryMediaTypes: readonly string[];
  readonly throttle?: { readonly rate: number; readonly burst: number };
  /** By response type: `DEFAULT_4XX`, `THROTTLED`, … */
  readonly responses: ReadonlyMap<string, GatewayResponseModel>;
}

interface OpenNode {
  readonly id: string;
  readonly path: string;
  readonly methods: Map<string, MethodModel>;
  readonly literals: Map<string, OpenNode>;
  variable?: { name: string; greedy: boolean; resource: OpenNode };
}

/**
 * Reads the REST API of the stacks. The stacks must have exactly one API with one stage.
 * @throws {UnsupportedTemplate} an integration, property or shape of the tree that the platform (or AWS) refuses
 */
export function readApi(resources: Resources, functions: readonly FunctionModel[]): ApiModel {
  const apis = resources.all("AWS::ApiGateway::RestApi");
  const stages = resources.all("AWS::ApiGateway::Stage");
  const [api] = apis;
  const [stage] = stages;
  if (api === undefined || stage === undefined || apis.length + stages.length > 2)
    throw new Error(`one REST API with one stage was expected, not ${apis.length} and ${stages.length}`);
  const properties = api.properties([
    "BinaryMediaTypes",
    "Description",
    "DisableExecuteApiEndpoint",
    "EndpointAccessMode",
    "EndpointConfiguration",
    "Name",
    "SecurityPolicy",
    "Tags",
  ]);
  const root = readTree(resources, api.identity().attributes.RootResourceId as string);
  readMethods(resources, root, functions);
  return {
    id: api.identity().ref,
    root: root.get("") as OpenNode,
    binaryMediaTypes: (properties.BinaryMediaTypes ?? []) as string[],
    responses: new Map(resources.all("AWS::ApiGateway::GatewayResponse").map(readGatewayResponse)),
    ...readStage(stage),
  };
}

/** Nodes by id; the root also as "". */
function readTree(resources: Resources, rootId: string): Map<string, OpenNode> {
  const node = (id: string, path: string): OpenNode => ({
    id,
    path,
    methods: new Map(),
    literals: new Map(),
  });
  const root = node(rootId, "/");
  const nodes = new Map([
    ["", root],
    [rootId, root],
  ]);
  let left = [...resources.all("AWS::ApiGateway::Resource")];
  while (left.length > 0) {
    const later: ResolvedResource[] = [];
    for (const resource of left) {
      const { ParentId, PathPart } = resource.properties(["ParentId", "PathPart", "RestApiId"]) as {
        ParentId: string;
        PathPart: string;
      };
      const parent = nodes.get(ParentId);
      if (parent === undefined) {
        later.push(resource);
        continue;
      }
      const made = node(resource.identity().ref, `${parent.path === "/" ? "" : parent.path}/${PathPart}`);
      nodes.set(made.id, made);
      const variable = /^\{([\w.-]+)(\+?)\}$/.exec(PathPart);
      if (variable === null) parent.literals.set(PathPart, made);
      else {
        // The message is API Gateway's own; no linter finds this error. A greedy variable may be "only at
        // the end of the path":
        // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html
        if (parent.variable !== undefined)
          resource.refuse(
            `a sibling ({${parent.variable.name}}) of this resource already has a variable path part; only one is allowed`,
          );
        parent.variable = { name: variable[1] as string, greedy: variable[2] === "+", resource: made };
      }
    }
    if (later.length === left.length) later[0]?.refuse("its parent is in no stack");
    left = later;
  }
  for (const { variable } of nodes.values()) {
    if (variable?.greedy && (variable.resource.literals.size > 0 || variable.resource.variable !== undefined))
      throw new Error(`${variable.resource.path}: a greedy path variable must be at the end of the path`);
  }
  return nodes;
}

function readMethods(
  resources: Resources,
  nodes: ReadonlyMap<string, OpenNode>,
  functions: readonly FunctionModel[],
): void {
  for (const method of resources.all("AWS::ApiGateway::Method")) {
    const { HttpMethod, ResourceId, Integration, AuthorizationType, ApiKeyRequired } = method.properties([
      "ApiKeyRequired",
      "AuthorizationType",
      "HttpMethod",
      "Integration",
      "ResourceId",
      "RestApiId",
    ]);
    if (AuthorizationType !== "NONE" || ApiKeyRequired === true)
      method.refuse("the local platform does not know authorizers and API keys");
    const node = nodes.get(String(ResourceId));
    if (node === undefined) method.refuse("its resource is in no stack");
    node?.methods.set(String(HttpMethod), readIntegration(method, Integration, functions));
  }
}

function readIntegration(
  method: ResolvedResource,
  integration: unknown,
  functions: readonly FunctionModel[],
): MethodModel {
  const {
    Type,
    Uri,
    ResponseTransferMode = "BUFFERED",
    TimeoutInMillis,
    ...rest
  } = integration as Record<string, unknown>;
  const unknown = Object.keys(rest).filter(
    (name) =>
      !["IntegrationHttpMethod", "PassthroughBehavior", "CacheKeyParameters", "CacheNamespace"].includes(
        name,
      ),
  );
  if (Type !== "AWS_PROXY" || unknown.length > 0)
    method.refuse(`only Lambda proxy integrations are known here (${String(Type)} ${unknown.join(", ")})`);
  if (rest.IntegrationHttpMethod !== "POST") method.refuse("a Lambda function is invoked with POST");
  // Two actions of Lambda, each with its own URI:
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
  const match =
    /^arn:aws:apigateway:[\w-]+:lambda:path\/([\d-]+)\/functions\/(arn:aws:lambda:[^/]+)\/([\w-]+)$/.exec(
      String(Uri),
    );
  const action = `${match?.[1]}/${match?.[3]}`;
  const wanted =
    ResponseTransferMode === "STREAM"
      ? "2021-11-15/response-streaming-invocations"
      : "2015-03-31/invocations";
  if (action !== wanted)
    method.refuse(
      `the URI of a ${String(ResponseTransferMode)} integration must be of ${wanted}, not ${action}`,
    );
  const target = functions.find(({ arn }) => arn === match?.[2]);
  if (target === undefined) return method.refuse("its function is in no stack");
  // The default is 29 s, also for streams. The maximum is 29 s, for streams 15 minutes.
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
  const timeoutMs = Number(TimeoutInMillis ?? 29_000);
  if (timeoutMs < 50 || timeoutMs > (ResponseTransferMode === "STREAM" ? 900_000 : 29_000))
    method.refuse(
      `an integration timeout of ${timeoutMs} ms is not allowed for ${String(ResponseTransferMode)}`,
    );
  return { functionName: target.name, mode: ResponseTransferMode as MethodModel["mode"], timeoutMs };
}

function readGatewayResponse(response: ResolvedResource): [string, GatewayResponseModel] {
  const { ResponseType, ResponseParameters, ResponseTemplates, StatusCode } = response.properties([
    "ResponseParameters",
    "ResponseTemplates",
    "ResponseType",
    "RestApiId",
    "StatusCode",
  ]);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries((ResponseParameters ?? {}) as Record<string, string>)) {
    const header = /^gatewayresponse\.header\.(.+)$/.exec(name)?.[1];
    if (header === undefined || !/^('.*'|context\.(requestId|extendedRequestId))$/.test(value))
      return response.refuse(`the parameter ${name}: ${value} is not known here`);
    headers[header] = value;
  }
  const templates = (ResponseTemplates ?? {}) as Record<string, string>;
  const template = templates["application/json"];
  const variables = template?.matchAll(/\$[\w.]+/g) ?? [];
  for (const [variable] of variables) {
    if (
      !/^\$context\.(requestId|extendedRequestId|error\.(responseType|message|messageString))$/.test(variable)
    )
      response.refuse(`the variable ${variable} in its template is not known here`);
  }
  return [
    String(ResponseType),
    {
      headers,
      ...(StatusCode === undefined ? {} : { statusCode: Number(StatusCode) }),
      ...(template === undefined ? {} : { template }),
    },
  ];
}

function readStage(stage: ResolvedResource): Pick<ApiModel, "stage" | "throttle"> {
  const { MethodSettings = [] } = stage.properties([
    "AccessLogSetting",
    "DeploymentId",
    "Description",
    "MethodSettings",
    "RestApiId",
    "StageName",
    "Tags",
    "TracingEnabled",
  ]);
  for (const settings of MethodSettings as Record<string, unknown>[]) {
    if (settings.ResourcePath !== "/*" || settings.HttpMethod !== "*" || settings.CachingEnabled === true)
      stage.refuse("settings of single methods are not known here");
    const { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst } = settings;
    if (typeof rate === "number" && typeof burst === "number")
      return { stage: stage.identity().ref, throttle: { rate, burst } };
  }
  return { stage: stage.identity().ref };
}
