import type { Threat } from "../threat.ts";

/** The deployment, its permissions, what it writes, and the laptop. */
export const operationThreats: readonly Threat[] = [
  {
    id: "key-without-context",
    threat: "A function opens data keys of no organization, or of any, with one call",
    from: ["OWASP API8", "own"],
    guard: { file: "lib/permissions.ts", name: "allowTenants" },
    test: {
      file: "test/stacks/functions.test.ts",
      name: "opens sealed values for a named organization only, wraps none, and not at all in the sweep",
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
      name: "takes rescue records away only in the worker, and lists only their prefix",
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
      name: "lets each function that callers reach add to sums of use, and to no other transient item",
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
      name: "may invoke the sweep and nothing else, and only schedules of its group may use that",
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
      name: "is piped only once the pipe's role may read, and by this pipe alone",
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
      name: "reach the topic under a key of ours, which CloudWatch may use for this stage's alarms and nothing else",
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
      name: "keeps what was deleted or overwritten for seven days, markers too, and ends no record that is in use",
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
      name: "logs each access in variables that no caller can fill: nothing would escape a quote in them",
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
      name: "answers its own errors in our shape, with nothing in them that the caller sent",
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
      name: "leaves no path unmatched: each resource has ANY, and each that may have more below it a catch-all",
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
      name: "closes the default URL, which else goes on beside the custom domain",
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
      name: "bounds what one address sends before the throttle that all share, and says so in our shape",
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
      name: "is regional, takes every body as bytes, and refuses TLS below 1.2",
    },
    takenOut: { find: 'resource.securityPolicy = "SecurityPolicy_TLS13_1_2_2021_06";', put: "" },
  },
  {
    id: "misspelt-setting",
    threat: "A guard that an operator turned on is off, since its name was misspelt",
    from: ["OWASP API8"],
    guard: { file: "lib/misspelt-context.ts", name: "refuseMisspelt" },
    test: { file: "test/stacks/settings.test.ts", name: "refuse %s, and ask whether %s was meant" },
    takenOut: { find: "if (meant !== undefined) throw", put: 'if (meant === "") throw' },
  },
  {
    id: "laptop-runtime",
    threat: "Another user of the laptop takes a function's events, secrets in them, from its Runtime API",
    from: ["OWASP API2", "own"],
    guard: { file: "local/lambda/runtime-api.ts", name: "isOwnProcess" },
    test: {
      file: "test/platform/runtime-api.test.ts",
      name: "refuses whoever does not know its secret, on every route, and gives the event to who does",
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
      name: "refuses a name that is not its own, were the secret right",
    },
    takenOut: { find: "return request.headers.host === host && given", put: "return given" },
  },
];
