import type { Threat } from "../threat.ts";

/** Threats between the user's browser, the app, Linkspan and the vendor's authorization server. */
export const oauthThreats: readonly Threat[] = [
  {
    id: "code-injection",
    threat: "A stolen code is put into another session: without PKCE the vendor would take it from anybody",
    from: ["RFC 9700 2.1.1", "RFC 9700 4.5", "RFC 6819 4.4.1.1"],
    guard: { file: "functions/core/oauth/authorization-request.ts", name: "authorizationUrl" },
    test: {
      file: "test/unit/oauth/authorization-url.test.ts",
      name: "asks Google for offline access and consent, with PKCE when a challenge is given",
    },
    takenOut: {
      find: '{ code_challenge: request.codeChallenge, code_challenge_method: "S256" }',
      put: "{}",
    },
  },
  {
    id: "pkce-downgrade",
    threat: "The code is sent without the verifier that its challenge asked for",
    from: ["RFC 9700 4.8"],
    guard: { file: "functions/core/oauth/token-endpoint.ts", name: "codeVerifier" },
    test: {
      file: "test/unit/oauth/token-endpoint.test.ts",
      name: "sends the code, its redirect URI and the verifier, with the client in the form",
    },
    takenOut: { find: "codeVerifier ?? nopkce,", put: "nopkce," },
  },
  {
    id: "state-guessed",
    threat: "A state of ours is guessed, or confused with an app's own",
    from: ["RFC 9700 4.7", "RFC 6819 4.4.1.8"],
    guard: { file: "functions/core/oauth/authorization-request.ts", name: "newState" },
    test: {
      file: "test/unit/oauth/authorization-url.test.ts",
      name: "has 256 random bits and a prefix that distinguishes it from an app's own state",
    },
    takenOut: {
      find: "return `ls_${randomBytes(32).toString",
      put: "return `ls_${randomBytes(8).toString",
    },
  },
  {
    id: "state-replayed",
    threat: "A state, and the sign-in that hangs on it, is used twice",
    from: ["RFC 9700 4.7", "RFC 6819 4.4.1.10"],
    guard: { file: "functions/aws/transient-table.ts", name: "consume" },
    test: {
      file: "test/unit/tenants/transient-table.test.ts",
      name: "returns an item to only one of several simultaneous consumers",
    },
    takenOut: {
      find: " AND (attribute_not_exists(takenBy) OR takenBy = :by)",
      put: " AND :by = :by",
    },
  },
  {
    id: "state-old",
    threat: "A state, session or code is used after its time, since the table deletes days later",
    from: ["RFC 9700 4.7", "RFC 6819 5.1.5.3"],
    guard: { file: "functions/aws/transient-table.ts", name: "get" },
    test: {
      file: "test/unit/tenants/transient-table.test.ts",
      name: "treats an expired item as deleted in every call, though it is still stored",
    },
    takenOut: { find: "|| found.expiresAt <= clock.now()", put: "" },
  },
  {
    id: "mix-up-wrong-issuer",
    threat: "An attacker's authorization server answers in the place of the vendor (mix-up)",
    from: ["RFC 9700 2.1", "RFC 9700 4.4"],
    guard: { file: "functions/core/oauth/authorization-response.ts", name: "checkIssuer" },
    test: {
      file: "test/unit/oauth/authorization-url.test.ts",
      name: "must be the expected one whenever the answer has one",
    },
    takenOut: { find: "if (missing || wrong)", put: "if (missing)" },
  },
  {
    id: "mix-up-no-issuer",
    threat: "The issuer is left out where the vendor promises to send it",
    from: ["RFC 9700 4.4"],
    guard: { file: "functions/core/oauth/authorization-response.ts", name: "checkIssuer" },
    test: {
      file: "test/unit/oauth/authorization-url.test.ts",
      name: "must be in the answer when the connector says that the vendor always sends it",
    },
    takenOut: {
      find: "const missing = iss === undefined && issRequired === true;",
      put: "const missing = false;",
    },
  },
  {
    id: "redirect-uri",
    threat: "The code goes to a redirect URI that only looks like the registered one",
    from: ["RFC 9700 2.1", "RFC 9700 4.1", "RFC 6819 4.1.5"],
    guard: { file: "functions/core/oauth/choose-client.ts", name: "chooseRedirectUri" },
    test: {
      file: "test/unit/oauth/choose-client.test.ts",
      name: "must be one of the registered app's, compared exactly: not %s",
    },
    takenOut: {
      find: "!registered.includes(redirectUri)",
      put: "!registered.some((each) => new URL(redirectUri).href.startsWith(new URL(each).href))",
    },
  },
  {
    id: "redirect-scheme",
    threat: "A redirect URI runs a script in the browser",
    from: ["RFC 9700 4.1", "own"],
    guard: { file: "functions/core/oauth/choose-client.ts", name: "BROWSER_SCHEMES" },
    test: {
      file: "test/unit/oauth/choose-client.test.ts",
      name: "must not run or read something in a browser: not %s",
    },
    takenOut: { find: "if (BROWSER_SCHEMES.has(scheme))", put: "if (scheme === undefined)" },
  },
  {
    id: "open-redirector",
    threat: "The hosted flow sends a browser, and a claim with it, to a place that is not the app's",
    from: ["RFC 9700 4.11", "RFC 6819 4.1.5"],
    guard: { file: "functions/core/tenants/allow-lists.ts", name: "isReturnUrlAllowed" },
    test: { file: "test/unit/tenants/allow-lists.test.ts", name: "allows exactly its entries" },
    takenOut: { find: "if (!isPrefix) return isHost && asked === listed;", put: "" },
  },
  {
    id: "open-redirector-slash",
    threat: "An encoded slash leads out of the folder that an entry with * names (/done/..%2fother)",
    from: ["RFC 9700 4.11", "own"],
    guard: { file: "functions/core/tenants/allow-lists.ts", name: "withSlashes" },
    test: {
      file: "test/unit/tenants/allow-lists.test.ts",
      name: "compares an encoded slash both as it is and as a slash",
    },
    takenOut: { find: " && withSlashes(url).startsWith(listed)", put: "" },
  },
  {
    id: "open-redirector-host",
    threat: "An entry that ends in * is made to cover another host (app.example.evil)",
    from: ["RFC 9700 4.11"],
    guard: { file: "functions/core/tenants/allow-lists.ts", name: "readEntry" },
    test: { file: "test/unit/tenants/allow-lists.test.ts", name: "refuses an entry like %j" },
    takenOut: { find: 'plain.includes("*") || !afterPath', put: 'plain.includes("*")' },
  },
  {
    id: "oauth-proxy-url",
    threat: "The callback that many apps share forwards a code to a URL of the attacker's",
    from: ["RFC 9700 4.11", "RFC 9700 4.1", "own"],
    guard: { file: "functions/core/tenants/allow-lists.ts", name: "isApplicationUrlAllowed" },
    test: {
      file: "test/unit/tenants/allow-lists.test.ts",
      name: "never allows a host that no entry has, whatever the URL",
    },
    takenOut: {
      find: "url.hostname.endsWith(`.${pattern.hostname}`)",
      put: "url.href.includes(pattern.hostname)",
    },
  },
  {
    id: "oauth-proxy-entry",
    threat: "An entry of an OAuth proxy's list covers the hosts of everybody (https://*.com)",
    from: ["RFC 9700 4.1", "own"],
    guard: { file: "functions/core/tenants/allow-lists.ts", name: "checkApplicationUrl" },
    test: { file: "test/unit/tenants/allow-lists.test.ts", name: "refuses an application URL like %j" },
    takenOut: { find: "|| (isBelow && !isName)", put: "" },
  },
  {
    id: "login-csrf",
    threat: "A victim's browser finishes an attacker's connect session, or the other way round",
    from: ["RFC 9700 4.7", "RFC 6819 4.4.1.8", "OWASP API2"],
    guard: { file: "functions/connections/session-browser.ts", name: "isSessionBrowser" },
    test: {
      file: "test/unit/connections/session-browser.test.ts",
      name: "is only the one with the session's cookie",
    },
    takenOut: { find: "&& sameHash(session.browser, hashSecret(value))", put: "" },
  },
  {
    id: "session-cookie",
    threat: "Another host, a script or another site's form sets, reads or uses the session's cookie",
    from: ["RFC 6819 4.4.1.8", "own"],
    guard: { file: "functions/connections/session-browser.ts", name: "newSessionCookie" },
    test: {
      file: "test/unit/connections/session-browser.test.ts",
      name: "has a cookie that other hosts cannot set, scripts cannot read, and forms of other sites do not send",
    },
    takenOut: {
      find: "; Path=/; HttpOnly; SameSite=Lax; Max-Age=${SESSION_MS",
      put: "; Path=/; Max-Age=${SESSION_MS",
    },
  },
  {
    id: "code-twice",
    threat: "A code is sent to its vendor twice, which ends the grant of the first time",
    from: ["RFC 6819 4.4.1.1", "RFC 6749 4.1.2"],
    guard: { file: "functions/core/grant/sign-in/exchange-code.ts", name: "reserve" },
    test: {
      file: "test/grant/sign-ins.test.ts",
      name: "twice at the same time sends the code once and creates one instance",
    },
    takenOut: {
      find: "if (!request.repeated && (await transients.put(item))) return;",
      put: "if ((await transients.put(item)) || !request.repeated) return;",
    },
  },
  {
    id: "client-in-url",
    threat: "A value of the caller's in the vendor's URL leads the code or the client secret to another host",
    from: ["RFC 6819 4.6.4", "OWASP API7", "own"],
    guard: { file: "functions/core/endpoint/value-format.ts", name: "formatted" },
    test: {
      file: "test/unit/endpoint/endpoint.test.ts",
      name: "that is a host label cannot lead to another host",
    },
    takenOut: { find: "return HOST_LABEL.test(label) ? label : undefined;", put: "return label;" },
  },
  {
    id: "callback-host",
    threat: "A forged callback names the host that gets the code and the client secret (ShareFile's apicp)",
    from: ["RFC 9700 4.4", "OWASP API7", "own"],
    guard: { file: "functions/core/endpoint/value-format.ts", name: "formatted" },
    test: {
      file: "test/unit/oauth/sign-in-endpoint.test.ts",
      name: "is never at a host that a forged callback names: $subdomain . $apicp",
    },
    takenOut: {
      find: 'if ("oneOf" in format) return format.oneOf.includes(value) ? value : undefined;',
      put: 'if ("oneOf" in format) return value;',
    },
  },
  {
    id: "endpoint-moved",
    threat:
      "A change of an instance's configuration sends its tokens to another customer's host of the same vendor",
    from: ["OWASP API7", "own"],
    guard: { file: "functions/core/endpoint/endpoint.ts", name: "endpointValues" },
    test: {
      file: "test/unit/endpoint/endpoint.test.ts",
      name: "that decide the host are those of the grant, whatever the configuration says later",
    },
    takenOut: {
      find: "const bound = decidesHost(format) ? won.endpoint?.[key] : undefined;",
      put: "const bound = undefined;",
    },
  },
  {
    id: "carried-elsewhere",
    threat:
      "A sign-in again at an attacker's server, which names the same account, takes the stored refresh token of another server there",
    from: ["OWASP API7", "own"],
    guard: { file: "functions/core/endpoint/endpoint.ts", name: "isSameEndpoint" },
    test: {
      file: "test/grant/carried-tokens.test.ts",
      name: "keeps no refresh token when %s; answer and event say so",
    },
    takenOut: {
      find: "return hostsOf(one).every((value, index) => value === ofOther[index]);",
      put: "return true;",
    },
  },
  {
    id: "discovery-host",
    threat:
      "A metadata document of a customer's server sends codes and refresh tokens to a host of an attacker",
    from: ["RFC 8414 6.2", "OWASP API7"],
    guard: { file: "functions/core/oauth/discover.ts", name: "urlIn" },
    test: {
      file: "test/unit/oauth/discover.test.ts",
      name: "may name its own host, the connector's or the organization's as its %s, and no other",
    },
    takenOut: { find: "if (!allowed.some((each) => isBelow(url.host, each))) {", put: "if (false) {" },
  },
  {
    id: "discovery-issuer",
    threat: "A server passes another server's metadata off as its own, and gets that one's codes (mix-up)",
    from: ["RFC 8414 3.3", "RFC 9700 4.4"],
    guard: { file: "functions/core/oauth/discover.ts", name: "isSameIssuer" },
    test: {
      file: "test/unit/oauth/discover.test.ts",
      name: "must name its issuer; a slash at the end makes no other",
    },
    takenOut: {
      find: "function isSameIssuer(told: unknown, issuer: string): told is string {",
      put: "function isSameIssuer(told: unknown, issuer: string): told is string {\n  return true;",
    },
  },
  {
    id: "endpoint-suffix",
    threat: "A host that the callback or the token answer names leads tokens out of the vendor's own domain",
    from: ["OWASP API7", "own"],
    guard: { file: "functions/core/endpoint/value-format.ts", name: "isBelow" },
    test: {
      file: "test/unit/endpoint/endpoint.test.ts",
      name: "that is a host must be below a declared suffix; it may be a host or an https URL",
    },
    takenOut: { find: "host.endsWith(entry.slice(1))", put: "host.includes(entry.slice(2))" },
  },
  {
    id: "revocation",
    threat: "A deleted connection lives on at the vendor",
    from: ["RFC 7009", "RFC 6819 5.2.2.4", "own"],
    guard: { file: "functions/core/grant/revocation/delete-instance.ts", name: "revokeStored" },
    test: {
      file: "test/grant/sign-ins.test.ts",
      name: "is handed to the worker, which revokes and removes",
    },
    takenOut: {
      find: "return await deps.tokens.revoke(connector, client, grant);",
      put: "return client !== undefined;",
    },
  },
  {
    id: "claim-by-another",
    threat: "Somebody who was tricked into finishing another one's session hands his account over",
    from: ["RFC 9700 4.7", "RFC 6819 4.4.1.8", "OWASP API6"],
    guard: { file: "functions/connections/claim.ts", name: "claimSession" },
    test: {
      file: "test/unit/connections/claim.test.ts",
      name: "by another end user than the one who began is refused, and ends the session",
    },
    takenOut: {
      find: "const isBeginner = sameHash(session.endUser, hashSecret(body.endUser));",
      put: 'const isBeginner = body.endUser !== "";',
    },
  },
  {
    id: "claim-guessed",
    threat: "A session's grant is claimed without the claim that went to the return URL",
    from: ["OWASP API2"],
    guard: { file: "functions/connections/claim.ts", name: "claimSession" },
    test: {
      file: "test/unit/connections/claim.test.ts",
      name: "with a wrong value is refused, and the session stays open",
    },
    takenOut: { find: "if (!sameHash(claim, hashSecret(body.claim)))", put: 'if (claim === "")' },
  },
  {
    id: "claim-of-another",
    threat: "A user claims another user's session",
    from: ["OWASP API1"],
    guard: { file: "functions/connections/claim.ts", name: "claimSession" },
    test: { file: "test/unit/connections/claim.test.ts", name: "of another user's session is 404" },
    takenOut: {
      find: "session.organizationId !== user.organizationId ||\n      session.userId !== user.id",
      put: 'session.organizationId === ""',
    },
  },
  {
    id: "another-account",
    threat:
      "A victim signs in by an attacker's session, and the attacker's instance shows the victim's files",
    from: ["RFC 6819 4.4.1.8", "OWASP API6"],
    guard: { file: "functions/core/grant/pending/claim-sign-in.ts", name: "acceptedAccounts" },
    test: {
      file: "test/grant/pending-sign-ins.test.ts",
      name: "needs the claim's consent when it is another one; without it the claim stays valid",
    },
    takenOut: {
      find: "account.id !== before.id && claim.acceptOtherAccount !== true",
      put: 'account.id === "" && claim.acceptOtherAccount !== true',
    },
  },
  {
    id: "unknown-account",
    threat: "The same, where the vendor does not tell whose account it is",
    from: ["RFC 6819 4.4.1.8", "OWASP API6"],
    guard: { file: "functions/core/grant/pending/claim-sign-in.ts", name: "acceptedAccounts" },
    test: {
      file: "test/grant/pending-sign-ins.test.ts",
      name: "needs the claim's consent when %s is unknown; without it the claim stays valid",
    },
    takenOut: { find: "if (claim.acceptUnknownAccount !== true) {", put: "if (claim.isNew) {" },
  },
  {
    id: "live-before-claim",
    threat: "What a hosted sign-in brought works, or shows in a list, before it is claimed",
    from: ["OWASP API5", "own"],
    guard: { file: "functions/aws/instances/pending.ts", name: "storedPending" },
    test: {
      file: "test/grant/pending-table.test.ts",
      name: "is not an instance: it is not found by the id and is in no list",
    },
    takenOut: {
      find: "    organization: organizationId,\n    dueAt",
      put: "    organization: organizationId,\n    ...{ organizationId },\n    dueAt",
    },
  },
  {
    id: "never-claimed",
    threat: "A sign-in that nobody claims lives on at the vendor",
    from: ["RFC 9700 4.14", "own"],
    guard: { file: "functions/core/grant/pending/settle-pending.ts", name: "settlePending" },
    test: {
      file: "test/grant/pending-sign-ins.test.ts",
      name: "is revoked and removed at its end; before that, a worker only sets the right due time",
    },
    takenOut: { find: "if (now < pending.endsAt && !isHopeless", put: "if (now >= 0 && !isHopeless" },
  },
];
