import type { Threat } from "../threat.ts";

/** Threats by requests to vendors and by their answers. */
export const vendorThreats: readonly Threat[] = [
  {
    id: "ssrf-address",
    threat:
      "A vendor's name leads to an address inside: the metadata service, Lambda's endpoints, a private network",
    from: ["OWASP API7"],
    guard: { file: "functions/vendor-http/allowed-addresses.ts", name: "publicLookup" },
    test: {
      file: "test/unit/vendor-http/allowed-addresses.test.ts",
      name: "reach the socket only when they are public; a name without public addresses is refused",
    },
    takenOut: {
      find: "addresses.filter(({ address }) => isAllowedAddress(address))",
      put: 'addresses.filter(({ address }) => address !== "")',
    },
  },
  {
    id: "ssrf-list",
    threat: "An address inside is written so that it looks like one outside (v4-mapped, NAT64, 6to4)",
    from: ["OWASP API7"],
    guard: { file: "functions/vendor-http/allowed-addresses.ts", name: "isAllowedAddress" },
    test: { file: "test/unit/vendor-http/allowed-addresses.test.ts", name: "may not be %s" },
    takenOut: {
      find: 'return global6.check(address, "ipv6") && !refused.check(address, "ipv6");',
      put: 'return !refused.check(address, "ipv6");',
    },
  },
  {
    id: "ssrf-literal",
    threat: "A host is an IP address, which never reaches a look-up",
    from: ["OWASP API7"],
    guard: { file: "functions/vendor-http/vendor-http.ts", name: "checked" },
    test: {
      file: "test/unit/vendor-http/vendor-http.test.ts",
      name: "that a connector declares are still refused when they are inside the network",
    },
    takenOut: { find: "if (!overridden) checkHostname(hostname);", put: "" },
  },
  {
    id: "ssrf-host",
    threat: "A request goes to a host that the connector does not declare",
    from: ["OWASP API7"],
    guard: { file: "functions/vendor-http/vendor-http.ts", name: "matchesHost" },
    test: {
      file: "test/unit/vendor-http/vendor-http.test.ts",
      name: "that are not declared are refused: %s",
    },
    takenOut: {
      find: "return host === wanted || host === `${wanted}:443`;",
      put: "return host.startsWith(wanted);",
    },
  },
  {
    id: "ssrf-redirect",
    threat: "A redirect takes the access token along to another host",
    from: ["OWASP API7", "RFC 9700 4.9.1"],
    guard: { file: "functions/vendor-http/vendor-http.ts", name: "redirected" },
    test: {
      file: "test/unit/vendor-http/vendor-http.test.ts",
      name: "are followed to a declared suffix, without the credential",
    },
    takenOut: {
      find: "headers: request.headers.filter(([name]) => !credentials.includes(name.toLowerCase())),",
      put: "headers: request.headers.filter(([name]) => name !== credentials[99]),",
    },
  },
  {
    id: "hook-host",
    threat: "A connector's hook sends client secrets to a host that nobody declared",
    from: ["OWASP API7", "own"],
    guard: { file: "functions/core/oauth/token-request.ts", name: "tokenHosts" },
    test: {
      file: "test/unit/oauth/token-hooks.test.ts",
      name: "can send requests only to hosts that the connector declares",
    },
    takenOut: {
      find: "return [...[url, ...urls].map((each) => new URL(each).host), ...knownHosts(connector, values)];",
      put: 'return ["*.com", "*.example", "*.test"];',
    },
  },
  {
    id: "proxy-host",
    threat: "A path of the proxy leads, token and all, to a host of the caller's choice (//evil.example)",
    from: ["OWASP API7", "RFC 9700 4.9.1"],
    guard: { file: "functions/proxy/vendor-url.ts", name: "vendorUrl" },
    test: {
      file: "test/unit/proxy/vendor-url.test.ts",
      name: "reaches only declared hosts, whatever the path and the query",
    },
    takenOut: {
      find: "return `${new URL(origin).origin}${target}${pairs",
      put: "return `${new URL(target, origin).href}${pairs",
    },
  },
  {
    id: "token-to-vendor",
    threat: "The vendor gets to see our instance token, and logs it",
    from: ["RFC 9700 4.9", "RFC 9700 4.10"],
    guard: { file: "functions/proxy/proxy-headers.ts", name: "headersForVendor" },
    test: {
      file: "test/unit/proxy/proxy-headers.test.ts",
      name: "never contain the instance token, wherever else the request has it",
    },
    takenOut: { find: "&& !value.includes(token),", put: "," },
  },
  {
    id: "token-misplaced",
    threat: "The same in another form: in the path, in a name, in base64",
    from: ["RFC 9700 4.9", "RFC 6750 2.3"],
    guard: { file: "functions/proxy/misplaced-token.ts", name: "refuseMisplacedToken" },
    test: {
      file: "test/unit/proxy/forward.test.ts",
      name: "refuses a request that would carry the instance token to the vendor in another encoding",
    },
    takenOut: {
      find: "const isIn = tokenFinder(token);",
      put: "const isIn = (text: string) => text === token;",
    },
  },
  {
    id: "caller-told",
    threat: "The vendor learns who called, or a caller pretends to be somebody (X-Forwarded-For, Forwarded)",
    from: ["OWASP API8", "own"],
    guard: { file: "functions/proxy/proxy-headers.ts", name: "notToVendor" },
    test: { file: "test/unit/proxy/proxy-headers.test.ts", name: "are not passed on: %s" },
    takenOut: { find: '  "x-forwarded-*",\n', put: "" },
  },
  {
    id: "hop-headers",
    threat: "Connection names a header of ours, which then gets lost or smuggled on",
    from: ["own"],
    guard: { file: "functions/proxy/proxy-headers.ts", name: "headersForVendor" },
    test: {
      file: "test/unit/proxy/proxy-headers.test.ts",
      name: "do not include those that the Connection header names",
    },
    takenOut: {
      find: "([name, value]) => !notToVendor(name) && !ofThisHop.has(name) &&",
      put: "([name, value]) => !notToVendor(name) &&",
    },
  },
  {
    id: "shared-cache",
    threat: "A cache between us and the callers gives one caller's answer to another: all share each URL",
    from: ["RFC 6750 5.3", "RFC 9700 4.10"],
    guard: { file: "functions/proxy/private-caching.ts", name: "withPrivateCaching" },
    test: {
      file: "test/unit/proxy/private-caching.test.ts",
      name: "may not be kept by a shared cache: %s becomes %s",
    },
    takenOut: { find: '["public", "private", "s-maxage", "proxy-revalidate"]', put: '["private"]' },
  },
  {
    id: "header-injection",
    threat: "A vendor's text (a file's type or name) adds a header to our answer, or makes it fail",
    from: ["OWASP API10"],
    guard: { file: "functions/http/header-values.ts", name: "sendableHeaders" },
    test: {
      file: "test/unit/http/header-values.test.ts",
      name: "turns every text into a value that can be sent, and adds no header",
    },
    takenOut: { find: 'value.replace(/[^\\t\\x20-\\x7e\\x80-\\xff]/g, " ").trim()', put: "value" },
  },
  {
    id: "file-type",
    threat: "A stored file's type is one that a browser would run on our origin",
    from: ["OWASP API10", "own"],
    guard: { file: "functions/documents/answer-download.ts", name: "sendableType" },
    test: {
      file: "test/unit/documents/answer-download.test.ts",
      name: "uses application/octet-stream for a media type that a header cannot hold: %j",
    },
    takenOut: { find: "MEDIA_TYPE.test(mimeType) ? mimeType : UNKNOWN_TYPE", put: "mimeType" },
  },
  {
    id: "huge-answer",
    threat: "A vendor's answer fills the memory",
    from: ["OWASP API10", "OWASP API4"],
    guard: { file: "functions/core/vendor-answer/collect-body.ts", name: "collectBody" },
    test: { file: "test/unit/oauth/token-endpoint.test.ts", name: "an answer of more than 1 MB" },
    takenOut: { find: "if (size > maxBytes) {", put: "if (size > maxBytes * 1_000) {" },
  },
  {
    id: "packed-answer",
    threat: "A small packed answer unpacks to one that fills the memory",
    from: ["OWASP API10", "OWASP API4"],
    guard: { file: "functions/core/vendor-answer/unpack.ts", name: "unpack" },
    test: {
      file: "test/unit/oauth/token-endpoint.test.ts",
      name: "is refused when it is larger than 1 MB after decompression",
    },
    takenOut: {
      find: "decoded(codec, current.bytes, maxBytes)",
      put: "decoded(codec, current.bytes, maxBytes * 100)",
    },
  },
  {
    id: "lenient-framing",
    threat:
      "An answer that is framed in two ways is read by the proxy as one thing and by a cache as another",
    from: ["OWASP API10"],
    guard: { file: "functions/vendor-http/vendor-http.ts", name: "start" },
    test: {
      file: "test/unit/oauth/framing.test.ts",
      name: "is not used for other requests: the hub and the proxy refuse an answer with two kinds of framing",
    },
    takenOut: { find: "insecureHTTPParser: lenient,", put: "insecureHTTPParser: true," },
  },
  {
    id: "secret-in-error",
    threat: "A vendor repeats our secret or code in its error, and it goes on to callers and logs",
    from: ["OWASP API10", "RFC 6819 5.1.4.1.2"],
    guard: { file: "functions/core/cut-secrets.ts", name: "cutSecrets" },
    test: {
      file: "test/unit/oauth/token-endpoint.test.ts",
      name: "removes the secrets that were sent from the vendor's words",
    },
    takenOut: { find: "if (secret.length >= 4) clean = masked(clean, secret);", put: "" },
  },
  {
    id: "token-in-error",
    threat: "The hub's errors repeat an access token",
    from: ["OWASP API10", "RFC 9700 4.10"],
    guard: { file: "functions/core/documents/vendor-failure.ts", name: "withoutSecrets" },
    test: {
      file: "test/unit/documents/vendor-failure.test.ts",
      name: "never contains the token that was sent, wherever the vendor repeats it, and is shortened",
    },
    takenOut: { find: "return cutSecrets(text, secrets)\n", put: "return text\n" },
  },
  {
    id: "url-in-error",
    threat: "An error or its log line shows a URL with a token in its query",
    from: ["RFC 9700 4.3", "RFC 6819 5.1.4.1.2"],
    guard: { file: "functions/vendor-http/vendor-http.ts", name: "Exchange" },
    test: {
      file: "test/unit/vendor-http/vendor-http.test.ts",
      name: "has no path and no header in its error",
    },
    takenOut: {
      find: '`the connection to ${this.#hostHeader} failed (${error.code ?? "unknown"})`',
      put: '`the connection to ${this.#hostHeader}${this.#request.url} failed (${error.code ?? "unknown"})`',
    },
  },
  {
    id: "tls",
    threat: "Somebody in between answers in a vendor's place, with a certificate of his own",
    from: ["RFC 9700 2.6", "RFC 6819 5.1.2"],
    guard: { file: "functions/vendor-http/connections.ts", name: "connections" },
    test: {
      file: "test/unit/vendor-http/vendor-http.test.ts",
      name: "is verified, and the handshake is complete before the request counts as sent",
    },
    takenOut: {
      find: "...present({ ca }),",
      put: "...present({ ca }),\n        ...({ rejectUnauthorized: false } as object),",
    },
  },
  {
    id: "clear-text",
    threat: "A token goes to a vendor in clear",
    from: ["RFC 9700 2.6", "RFC 6819 5.1.1"],
    guard: { file: "functions/vendor-http/vendor-http.ts", name: "checked" },
    test: {
      file: "test/unit/vendor-http/vendor-http.test.ts",
      name: "that are not declared are refused: %s",
    },
    takenOut: { find: 'if (scheme !== "https") throw', put: 'if (scheme === "") throw' },
  },
  {
    id: "unusable-token",
    threat: "A token with a line break in it goes into a header of each call, and adds others",
    from: ["OWASP API10"],
    guard: { file: "functions/core/vendor-http.ts", name: "isHeaderText" },
    test: {
      file: "test/unit/oauth/token-endpoint.test.ts",
      name: "%j is reported as unusable, with the members beside it",
    },
    takenOut: { find: "return /^[\\t\\x20-\\x7e\\x80-\\xff]+$/.test(text);", put: 'return text !== "";' },
  },
  {
    id: "huge-token-answer",
    threat: "Hundreds of members beside a token make a grant that the table cannot hold",
    from: ["OWASP API10", "OWASP API4"],
    guard: { file: "functions/core/instances/fit-grant.ts", name: "fitExtra" },
    test: {
      file: "test/unit/instances/fit-grant.test.ts",
      name: "are all kept while there is room, and never beyond it",
    },
    takenOut: { find: "if (size <= budgets.extra) break;", put: "if (size <= budgets.extra * 1_000) break;" },
  },
];
