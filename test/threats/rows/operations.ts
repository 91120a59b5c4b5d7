import type { Threat } from "../threat.ts";

/** Threats to the deployment, its permissions, its logs, and the laptop. */
export const operationThreats: readonly Threat[] = [
  {
    id: "key-without-context",
    threat: "A function opens data keys of no organization, or of any, with one call",
    from: ["OWASP API8", "own"],
    guard: { file: "lib/permissions.ts", name: "allowTenants" },
    test: {
      file: "test/stacks/functions.test.ts",
      name: "allows unwrapping only keys of a named organization, no wrapping, and neither in the sweep",
    },
    takenOut: {
      find: 'to.allow(["kms:Decrypt"], [data.vaultKey.keyArn], organizationContext);',
      put: 'to.allow(["kms:Decrypt"], [data.vaultKey.keyArn]);',
    },
  },
  {
    id: "rescue-removed",
    threat: "A function that callers reach deletes rescue records, or lists the whole bucket",
    from: ["OWASP API8", "own"],
    guard: { file: "lib/api-stack.ts", name: "allowRescue" },
    test: {
      file: "test/stacks/functions.test.ts",
      name: "allows deleting rescue records only in the worker, and listing only their prefix",
    },
    takenOut: {
      find: 'allowRescue(each, data, ["s3:GetObject", "s3:PutObject"]);',
      put: 'allowRescue(each, data, ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]);',
    },
  },
  {
    id: "usage-items",
    threat: "A function that may add up what is used changes other transient items by it: states, sessions",
    from: ["OWASP API5", "OWASP API8"],
    guard: { file: "lib/permissions.ts", name: "allowTenantUse" },
    test: {
      file: "test/stacks/api-stack.test.ts",
      name: "allows each function that callers can reach to add to sums of use, and to no other transient item",
    },
    takenOut: {
      find: '"ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["usage#*"] },',
      put: '"ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["usage#*", "*"] },',
    },
  },
  {
    id: "schedule-role",
    threat: "Another schedule of the account acts under our schedule's role (confused deputy)",
    from: ["OWASP API8", "own"],
    guard: { file: "lib/refresh-stack.ts", name: "everyMinute" },
    test: {
      file: "test/stacks/refresh-stack.test.ts",
      name: "has a role that may only invoke the sweep, and that only schedules of its group may use",
    },
    takenOut: { find: 'ArnEquals: { "aws:SourceArn": group.scheduleGroupArn },', put: "" },
  },
  {
    id: "pipe-role",
    threat: "Another pipe of the account reads the audit queue under our pipe's role",
    from: ["OWASP API8", "own"],
    guard: { file: "lib/constructs/audit-trail.ts", name: "role" },
    test: {
      file: "test/stacks/data-stack.test.ts",
      name: "is piped only after the pipe's role may read, and the role trusts only this pipe",
    },
    takenOut: { find: 'ArnEquals: { "aws:SourceArn": pipe },', put: "" },
  },
  {
    id: "alarm-key",
    threat: "Another account's alarms use our key and topic",
    from: ["OWASP API8", "own"],
    guard: { file: "lib/observability-stack.ts", name: "createTopic" },
    test: {
      file: "test/stacks/observability-stack.test.ts",
      name: "publish to the topic with a key of ours, which CloudWatch may use only for this stage's alarms",
    },
    takenOut: { find: 'StringEquals: { "aws:SourceAccount": this.account },', put: "" },
  },
  {
    id: "rescue-lost",
    threat: "A rescue record, the only copy of a grant, is deleted by mistake and gone",
    from: ["own"],
    guard: { file: "lib/data-stack.ts", name: "rescueVersionsKept" },
    test: {
      file: "test/stacks/data-stack.test.ts",
      name: "keeps deleted and overwritten versions for seven days, removes markers afterwards, and never removes a current record",
    },
    takenOut: { find: "versioned: true,", put: "versioned: false," },
  },
  {
    id: "log-forged",
    threat: "A caller writes what he likes into the access log, by a quote in his user agent",
    from: ["OWASP API8", "own"],
    guard: { file: "lib/constructs/access-log-format.ts", name: "accessLogFormat" },
    test: {
      file: "test/stacks/api-stack.test.ts",
      name: "logs each access with variables that no caller can choose, because API Gateway does not escape quotes in them",
    },
    takenOut: {
      find: "    method: AccessLogField.contextHttpMethod(),",
      put: "    userAgent: AccessLogField.contextIdentityUserAgent(),\n    method: AccessLogField.contextHttpMethod(),",
    },
  },
  {
    id: "log-holds-secrets",
    threat: "API Gateway's execution log keeps whole requests, Authorization headers and codes in them",
    from: ["RFC 9700 4.2", "RFC 6819 5.1.4.1.2", "OWASP API8"],
    guard: { file: "lib/api-stack.ts", name: "createApi" },
    test: {
      file: "test/stacks/api-stack.test.ts",
      name: "traces no data and writes no execution log",
    },
    takenOut: { find: "dataTraceEnabled: false,", put: "dataTraceEnabled: true," },
  },
  {
    id: "gateway-echo",
    threat: "API Gateway's own errors repeat the Authorization header",
    from: ["OWASP API8", "own"],
    guard: { file: "lib/constructs/gateway-errors.ts", name: "addGatewayErrors" },
    test: {
      file: "test/stacks/api-stack.test.ts",
      name: "answers its own errors in our shape, without anything that the caller sent",
    },
    takenOut: {
      find: 'detail: { reason: "$context.error.responseType" },',
      put: 'detail: { reason: "$context.error.message" },',
    },
  },
  {
    id: "unmatched-path",
    threat:
      "A path that no function answers is answered by API Gateway, which echoes the Authorization header",
    from: ["OWASP API9", "own"],
    guard: { file: "lib/api-stack.ts", name: "buildRouteTree" },
    test: {
      file: "test/stacks/api-stack.test.ts",
      name: "matches every path: each resource has ANY, and each resource that can have children has a catch-all",
    },
    takenOut: { find: '      "api-v2/oauth/{proxy+}": connections,\n', put: "" },
  },
  {
    id: "default-url",
    threat: "Callers get round what stands in front of the custom domain by the default URL",
    from: ["OWASP API9"],
    guard: { file: "lib/api-stack.ts", name: "disableExecuteApiEndpoint" },
    test: {
      file: "test/stacks/api-stack.test.ts",
      name: "disables the default URL, which otherwise stays beside the custom domain",
    },
    takenOut: {
      find: "disableExecuteApiEndpoint: settings.disableExecuteApiEndpoint,",
      put: "disableExecuteApiEndpoint: false,",
    },
  },
  {
    id: "throttle-used-up",
    threat: "A single address uses up the throttle that all callers share",
    from: ["OWASP API4"],
    guard: { file: "lib/constructs/firewall.ts", name: "managedAcl" },
    test: {
      file: "test/stacks/api-stack.test.ts",
      name: "limits each address before the shared throttle, with an answer in our shape",
    },
    takenOut: { find: "limit: requestsPerMinute,", put: "limit: 2_000_000_000," },
  },
  {
    id: "old-tls",
    threat: "A caller's connection is weak enough to be read",
    from: ["RFC 9700 2.6", "OWASP API8"],
    guard: { file: "lib/api-stack.ts", name: "securityPolicy" },
    test: {
      file: "test/stacks/api-stack.test.ts",
      name: "is regional, treats every body as bytes, and refuses TLS below 1.2",
    },
    takenOut: { find: 'resource.securityPolicy = "SecurityPolicy_TLS13_1_2_2021_06";', put: "" },
  },
  {
    id: "misspelt-setting",
    threat: "A guard that an operator turned on is off, since its name was misspelt",
    from: ["OWASP API8"],
    guard: { file: "lib/misspelt-context.ts", name: "refuseMisspelt" },
    test: { file: "test/stacks/settings.test.ts", name: "refuse %s and suggest %s" },
    takenOut: { find: "if (meant !== undefined) throw", put: 'if (meant === "") throw' },
  },
  {
    id: "laptop-runtime",
    threat: "Another user of the laptop takes a function's events, secrets in them, from its Runtime API",
    from: ["OWASP API2", "own"],
    guard: { file: "local/lambda/runtime-api.ts", name: "isOwnProcess" },
    test: {
      file: "test/platform/runtime-api.test.ts",
      name: "refuses a caller without its secret on every route, and gives the event to the caller with the secret",
    },
    takenOut: {
      find: "given.length === wanted.length && timingSafeEqual(given, wanted)",
      put: "given !== wanted",
    },
  },
  {
    id: "laptop-rebinding",
    threat: "A web page's own name leads to the laptop's Runtime API (DNS rebinding)",
    from: ["OWASP API8", "own"],
    guard: { file: "local/lambda/runtime-api.ts", name: "isOwnProcess" },
    test: {
      file: "test/platform/runtime-api.test.ts",
      name: "refuses another host name, even with the right secret",
    },
    takenOut: { find: "return request.headers.host === host && given", put: "return given" },
  },
];
