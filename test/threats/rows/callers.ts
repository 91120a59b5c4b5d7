import type { Threat } from "../threat.ts";

/** Threats by callers: who calls, for what, and how much. */
export const callerThreats: readonly Threat[] = [
  {
    id: "foreign-instance",
    threat: "A user asks for another user's or organization's instance by its id",
    from: ["OWASP API1"],
    guard: { file: "functions/connections/own-instance.ts", name: "instanceOfUser" },
    test: {
      file: "test/unit/connections/own-instance.test.ts",
      name: "is not found, like an instance that does not exist",
    },
    takenOut: {
      find: "    instance.organizationId !== user.organizationId ||\n    instance.userId !== user.id\n",
      put: '    instance.organizationId === ""\n',
    },
  },
  {
    id: "foreign-parts",
    threat: "Somebody else's secrets stand beside an instance token, and count",
    from: ["OWASP API1", "OWASP API2"],
    guard: { file: "functions/http/authorize.ts", name: "assertOwnParts" },
    test: {
      file: "test/unit/connections/authorize.test.ts",
      name: "with another user's or organization's secrets is 404",
    },
    takenOut: { find: "if (foreign) throw", put: "if (foreign && instance.id < 0) throw" },
  },
  {
    id: "mixed-organizations",
    threat: "A user's secret is used with another organization's",
    from: ["OWASP API1", "OWASP API2"],
    guard: { file: "functions/http/authorize.ts", name: "platformCaller" },
    test: {
      file: "test/unit/connections/authorize.test.ts",
      name: "answers 401 to a user with another organization's secret, or with another user's secret in place of the organization's",
    },
    takenOut: { find: "|| wrongOrganization) throw", put: ") throw" },
  },
  {
    id: "token-does-more",
    threat: "An instance token alone, which lies wherever the instance is used, changes the instance",
    from: ["OWASP API5", "RFC 9700 2.3"],
    guard: { file: "functions/connections/own-instance.ts", name: "assertAllowed" },
    test: {
      file: "test/unit/connections/own-instance.test.ts",
      name: "needs the user's secrets together with the instance token",
    },
    takenOut: {
      find: "  if (!speaksForUser(request)) {\n    throw new Forbidden(",
      put: '  if (request.method === "") {\n    throw new Forbidden(',
    },
  },
  {
    id: "browser-changes",
    threat: "A page on a listed origin changes an instance with what it finds in the browser",
    from: ["OWASP API5", "RFC 6819 4.4.1.8"],
    guard: { file: "functions/connections/own-instance.ts", name: "assertAllowed" },
    test: {
      file: "test/unit/connections/own-instance.test.ts",
      name: "is refused when it comes from a browser page",
    },
    takenOut: {
      find: "if (request.headers.origin !== undefined) {",
      put: 'if (request.headers.origin === "") {',
    },
  },
  {
    id: "superseded-token",
    threat: "An instance token that was rotated away goes on working",
    from: ["OWASP API2", "RFC 6819 5.1.5.3"],
    guard: { file: "functions/http/authorize.ts", name: "instanceCaller" },
    test: {
      file: "test/unit/connections/authorize.test.ts",
      name: "that was replaced is valid until its grace period ends, by the store's time",
    },
    takenOut: {
      find: "sameHash(hash, claimed.hash) && (until === undefined || until > now),",
      put: "sameHash(hash, claimed.hash) && until !== now,",
    },
  },
  {
    id: "suspended",
    threat: "A suspended user's instance tokens go on working",
    from: ["OWASP API2", "OWASP API5"],
    guard: { file: "functions/core/tenants/suspended-users.ts", name: "isOfSuspendedUser" },
    test: {
      file: "test/unit/connections/authorize.test.ts",
      name: "of a suspended user is 401, with or without the user's secrets",
    },
    takenOut: {
      find: "if (userSuspended === true || suspendedUsers?.includes(userId) === true) return true;\n  return suspendedUsers === undefined &&",
      put: 'return id === "" &&',
    },
  },
  {
    id: "timing",
    threat: "The time of a refusal tells how much of a guessed secret was right",
    from: ["RFC 6819 4.4.1.3", "OWASP API2"],
    guard: { file: "functions/core/secret-hash.ts", name: "sameHash" },
    test: {
      file: "test/unit/connections/same-hash.test.ts",
      name: "are compared in a time that does not depend on where they differ",
    },
    takenOut: {
      find: "a.length === b.length && timingSafeEqual(a, b)",
      put: "a.length === b.length && a.equals(b)",
    },
  },
  {
    id: "guesses-fill-cache",
    threat: "Guessed secrets push good ones out of the cache, so that each call costs reads",
    from: ["OWASP API4"],
    guard: { file: "functions/aws/tenants/table.ts", name: "cached" },
    test: {
      file: "test/unit/tenants/tenant-table.test.ts",
      name: "are read each time, once per call, when they were not found",
    },
    takenOut: {
      find: "if (value !== undefined) cache.set(name, value);",
      put: "cache.set(name, value ?? {});",
    },
  },
  {
    id: "tenant-flood",
    threat: "One organization uses up what all share",
    from: ["OWASP API4"],
    guard: { file: "functions/core/tenants/tenant-use.ts", name: "countTenantUse" },
    test: {
      file: "test/unit/tenants/tenant-use.test.ts",
      name: "allows a number of requests per minute, then answers with Retry-After, and starts again with the next minute",
    },
    takenOut: { find: "if (own.sum + own.unwritten >= requestsPerMinute)", put: "if (own.sum < 0)" },
  },
  {
    id: "tenant-flood-spread",
    threat: "A flood is spread over many processes, each of which sees little of it",
    from: ["OWASP API4"],
    guard: { file: "functions/core/tenants/tenant-use.ts", name: "writeDown" },
    test: {
      file: "test/unit/tenants/tenant-use.test.ts",
      name: "includes the other processes' requests up to five seconds ago",
    },
    takenOut: {
      find: "own.sum = Math.max(own.sum, await add(organizationId, minute, requests));",
      put: "await add(organizationId, minute, requests);",
    },
  },
  {
    id: "foreign-origin",
    threat: "A page of any origin reads answers with an instance token",
    from: ["OWASP API8", "RFC 9700 4.17"],
    guard: { file: "functions/http/cors.ts", name: "corsHeaders" },
    test: {
      file: "test/unit/connections/authorize.test.ts",
      name: "may read an answer only when the instance's organization lists them",
    },
    takenOut: { find: "(allowed.get(request) ?? []).includes(origin)", put: "allowed.has(request)" },
  },
  {
    id: "slow-filter",
    threat: "A filter, a few wildcards and a long name, holds a processor",
    from: ["OWASP API4"],
    guard: { file: "functions/core/documents/like.ts", name: "likeTest" },
    test: {
      file: "test/unit/documents/like.test.ts",
      name: "takes a time that grows only with the text, with %s",
    },
    takenOut: {
      // Quadratic, not exponential as an expression would be, because the test must end.
      find: "const found = find(folded, at);",
      put: "let found = -1;\n      for (let from = at; from < folded.length && found < 0; from += 64) found = find(folded, from);",
    },
  },
  {
    id: "deep-json",
    threat: "Thousands of nested lists end the stack",
    from: ["OWASP API4"],
    guard: { file: "functions/core/parse-json.ts", name: "parseJson" },
    test: {
      file: "test/unit/http/request-body.test.ts",
      name: "refuses a body whose nesting would overflow the stack",
    },
    takenOut: { find: "if (nestsTooDeep(text)) throw new JsonTooDeep();", put: "" },
  },
  {
    id: "cursor-moved",
    threat: "A cursor of one list is used for another folder, filter, instance or organization",
    from: ["OWASP API1", "OWASP API7"],
    guard: { file: "functions/core/documents/next-page.ts", name: "nextPageTokens" },
    test: {
      file: "test/unit/documents/next-page.test.ts",
      name: "of %s are refused with a 400 that names nextPage",
    },
    takenOut: { find: "    version: digest(call),\n", put: "    version: digest({}),\n" },
  },
  {
    id: "head-acts",
    threat: "A link scanner's HEAD makes a public link",
    from: ["OWASP API6", "own"],
    guard: { file: "functions/http/route-table.ts", name: "answersHead" },
    test: {
      file: "test/unit/http/route-table.test.ts",
      name: "answers HEAD where it answers GET, except where GET changes something",
    },
    takenOut: { find: 'route.method === "GET" && route.head !== false', put: 'route.method === "GET"' },
  },
  {
    id: "secret-shown",
    threat: "A secret of an instance's configuration is shown, or kept in clear, under another name",
    from: ["OWASP API3"],
    guard: { file: "functions/core/instances/secret-keys.ts", name: "isSecretKey" },
    test: {
      file: "test/unit/connections/representation.test.ts",
      name: "is separated into plain, secret, masked and grant values",
    },
    takenOut: {
      find: "  return isSecretName(key);\n}\n\n/** The values",
      put: "  return false;\n}\n\n/** The values",
    },
  },
  {
    id: "token-shown-again",
    threat: "Whoever reads an instance gets its token",
    from: ["OWASP API3", "RFC 9700 4.10"],
    guard: { file: "functions/connections/instance-representation.ts", name: "shownConfiguration" },
    test: {
      file: "test/unit/connections/representation.test.ts",
      name: "has every field of the contract, and no secret",
    },
    takenOut: { find: "isShownMasked(connector, key) ? MASK : value,", put: "value," },
  },
  {
    id: "label-html",
    threat: "A name or tag brings HTML to a page that shows it",
    from: ["own"],
    guard: { file: "functions/connections/strip-html.ts", name: "stripHtml" },
    test: {
      file: "test/unit/connections/strip-html.test.ts",
      name: "leaves no start of a tag in any label",
    },
    takenOut: { find: "if (/[a-z/!?]/i.test(value.charAt(begin + 1)))", put: 'if (value === "")' },
  },
  {
    id: "no-trace",
    threat: "Changes leave no trace of who made them",
    from: ["OWASP API9", "own"],
    guard: { file: "functions/connections/audit-calls.ts", name: "auditCalls" },
    test: {
      file: "test/unit/connections/audit-calls.test.ts",
      name: "records who, what, from which address and with which result, before the answer",
    },
    takenOut: {
      find: 'after: (middy) => leave(middy, middy.event.request.logContext.code ?? "done"),',
      put: "",
    },
  },
  {
    id: "huge-configuration",
    threat: "An instance is filled until no grant fits into its item any more, and its refreshes fail",
    from: ["OWASP API4"],
    guard: { file: "functions/core/instances/budgets.ts", name: "checkConfiguration" },
    test: {
      file: "test/unit/instances/budgets.test.ts",
      name: "is counted in bytes, names and secret values included",
    },
    takenOut: {
      find: "<= Math.max(budgets.configuration, stored)) return;",
      put: "<= Number.POSITIVE_INFINITY - stored) return;",
    },
  },
];
