import type { Threat } from "../threat.ts";

/** Threats to grants: a refresh token must be sent once, stored sealed, and never ended for another instance. */
export const grantThreats: readonly Threat[] = [
  {
    id: "sealed-elsewhere",
    threat: "Who can write the table moves a sealed token to an instance of his own and uses it",
    from: ["RFC 6819 5.1.4.1.3", "own"],
    guard: { file: "functions/core/vault/sealed-format.ts", name: "additionalData" },
    test: {
      file: "test/unit/vault/vault.test.ts",
      name: "does not open a secret at a place that differs only in its %s",
    },
    takenOut: { find: "    place.item,\n", put: "" },
  },
  {
    id: "sealed-changed",
    threat: "A stored ciphertext is changed",
    from: ["RFC 6819 5.1.4.1.3"],
    guard: { file: "functions/core/vault/sealed-format.ts", name: "openWith" },
    test: { file: "test/unit/vault/vault.test.ts", name: "detects a change of any bit" },
    takenOut: {
      find: "    end = decipher.final();",
      put: "    try {\n      end = decipher.final();\n    } catch {\n      end = Buffer.alloc(0);\n    }",
    },
  },
  {
    id: "token-in-clear",
    threat: "A copy of the table gives instance tokens away",
    from: ["RFC 6819 5.1.4.1.3", "RFC 9700 4.10", "OWASP API2"],
    guard: { file: "functions/core/instances/instance-token.ts", name: "newInstanceToken" },
    test: {
      file: "test/grant/sign-ins.test.ts",
      name: "stores the sealed grant before it answers, and only the hash of the token",
    },
    takenOut: { find: "${secret}`, hash: hashSecret(secret) };", put: "${secret}`, hash: secret };" },
  },
  {
    id: "refresh-twice",
    threat: "A refresh token is sent twice: the vendor takes that for theft and ends the whole grant",
    from: ["RFC 9700 2.2.2", "RFC 9700 4.14"],
    guard: { file: "functions/aws/instances/items.ts", name: "takeLease" },
    test: {
      file: "test/grant/instance-table.test.ts",
      name: "is taken on the version and fence that were read, and only once",
    },
    takenOut: {
      find: '        condition: "#version = :version AND #fence = :fence",\n        values: { version, fence },\n      }),\n\n    async release',
      put: '        condition: "#version = :version",\n        values: { version },\n      }),\n\n    async release',
    },
  },
  {
    id: "refresh-too-late",
    threat: "A request goes out so late that its lease ends before the answer is stored",
    from: ["RFC 9700 4.14", "own"],
    guard: { file: "functions/core/grant/refresh/exchange.ts", name: "exchange" },
    test: {
      file: "test/grant/refresh.test.ts",
      name: "sends nothing when too much time has passed since the item was read",
    },
    takenOut: { find: "if (now > lease.sendBefore)", put: "if (now < 0)" },
  },
  {
    id: "refresh-past-rescue",
    threat: "An old refresh token is sent while a newer one lies in the rescue bucket",
    from: ["RFC 9700 4.14", "own"],
    guard: { file: "functions/core/grant/store/lease.ts", name: "lookForRescue" },
    test: {
      file: "test/grant/refresh.test.ts",
      name: "a process that cannot read the bucket sends nothing",
    },
    takenOut: {
      find: "if (instance.until === undefined) return undefined;",
      put: "if (instance.fence >= 0) return undefined;",
    },
  },
  {
    id: "refresh-unknown-end",
    threat: "After no answer the token is sent again at once, though the vendor may have rotated it",
    from: ["RFC 9700 4.14", "own"],
    guard: { file: "functions/core/grant/refresh/after-answer.ts", name: "afterAnswer" },
    test: {
      file: "test/grant/refresh.test.ts",
      name: "no answer at a vendor that rotates: the lease stays, so that the token is not sent again before the lease ends",
    },
    takenOut: {
      find: "if (connector.oauth2.refreshToken?.rotates !== false) {",
      put: "if (sealer === undefined) {",
    },
  },
  {
    id: "sign-in-overtaken",
    threat: "An older sign-in overwrites a later one's grant",
    from: ["own"],
    guard: { file: "functions/aws/instances/items.ts", name: "signIn" },
    test: {
      file: "test/grant/instance-table.test.ts",
      name: "is refused for an earlier or the same sign-in, for another fence or version, and during a deletion",
    },
    takenOut: {
      find: "condition: `#epoch < :epoch AND #fence",
      put: "condition: `(#epoch < :epoch OR #epoch >= :epoch) AND #fence",
    },
  },
  {
    id: "commit-over-sign-in",
    threat: "A late refresh is written over the grant of a sign-in, or over a deletion",
    from: ["own"],
    guard: { file: "functions/aws/instances/items.ts", name: "commit" },
    test: {
      file: "test/grant/instance-table.test.ts",
      name: "is refused for another version",
    },
    takenOut: {
      find: "condition: `#version = :version AND ${NOT_DELETING}`,\n        values: { version: base.version },",
      put: "condition: NOT_DELETING,\n        values: {},",
    },
  },
  {
    id: "loser-is-living",
    threat: "The end of an overtaken grant ends the living one, which is the same token",
    from: ["own"],
    guard: { file: "functions/core/grant/revocation/revoke-orphan.ts", name: "isLivedBy" },
    test: {
      file: "test/grant/unwanted-grants.test.ts",
      name: "is not revoked when its sign-in lost against a later one",
    },
    takenOut: {
      find: "if (await isLivedBy(deps, owner.id, grant)) return true;",
      put: "",
    },
  },
  {
    id: "sibling-revoked",
    threat: "A delete ends a consent that another instance, of another organization too, lives by",
    from: ["OWASP API1", "own"],
    guard: { file: "functions/core/grant/revocation/delete-instance.ts", name: "isShared" },
    test: {
      file: "test/grant/siblings.test.ts",
      name: "asks the vendor for the account, and keeps the grant for a sibling",
    },
    takenOut: {
      find: 'const shared = ends === "grant" ? await isShared(deps, connector, instance) : false;',
      put: "const shared = ends === undefined ? await isShared(deps, connector, instance) : false;",
    },
  },
  {
    id: "unproven-sibling",
    threat: "An import with somebody else's public client id keeps that organization's consents from ending",
    from: ["OWASP API6", "own"],
    guard: { file: "functions/core/grant/consent/key.ts", name: "unprovenKey" },
    test: {
      file: "test/grant/siblings.test.ts",
      name: "is no sibling of another organization's unproven import",
    },
    takenOut: {
      find: "return `${group}@${short(organizationId)}#${account}`;",
      put: 'return organizationId === "" ? "" : `${group}#${account}`;',
    },
  },
  {
    id: "reuse-tried-again",
    threat: "A grant whose token the vendor saw twice is sent once more",
    from: ["RFC 9700 4.14"],
    guard: { file: "functions/core/grant/store/death.ts", name: "isRevivable" },
    test: {
      file: "test/grant/dead-grants.test.ts",
      name: "never sends the token again when the vendor has seen it twice, before or in this try",
    },
    takenOut: {
      find: '(death.reason === "invalid_grant" || death.reason === "refused")',
      put: 'death.reason !== "restored"',
    },
  },
  {
    id: "restored-backup",
    threat: "A refresh token from a backup is sent, and ends its user's grant",
    from: ["RFC 9700 4.14", "own"],
    guard: { file: "functions/core/grant/operator/mark-restored.ts", name: "isUnsafe" },
    test: {
      file: "test/grant/restored.test.ts",
      name: "is never sent to a vendor that rotates, neither by the worker nor for a caller",
    },
    takenOut: {
      find: "connector === undefined || connector.oauth2.refreshToken?.rotates === true;",
      put: "connector === undefined;",
    },
  },
  {
    id: "refresh-flood",
    threat: "A caller has the vendor asked for tokens again and again, until it blocks the client",
    from: ["OWASP API4", "OWASP API6"],
    guard: { file: "functions/core/grant/refresh/access-token.ts", name: "tooSoon" },
    test: {
      file: "test/grant/forced-refresh.test.ts",
      name: "is one request at the vendor, however often it is asked for within a minute",
    },
    takenOut: {
      find: 'wait(forcedAt === undefined ? undefined : forcedAt + every, "too_soon");',
      put: 'wait(forcedAt === undefined ? undefined : forcedAt + every - every, "too_soon");',
    },
  },
  {
    id: "false-deaths",
    threat: "A vendor's incident, in which it refuses everybody, ends all of a connector's grants at once",
    from: ["OWASP API10", "own"],
    guard: { file: "functions/core/grant/refresh/refused-grants.ts", name: "mayEnd" },
    test: {
      file: "test/grant/refused-grants.test.ts",
      name: "loses none when more than a fifth would be given up in a day, and an operator is told",
    },
    takenOut: { find: "near.length * SHARE <= grants", put: "near.length <= grants" },
  },
  {
    id: "dead-token-kept",
    threat: "The tokens of a dead grant lie in the table for ever",
    from: ["RFC 6819 5.1.5.3", "own"],
    guard: { file: "functions/core/grant/store/death.ts", name: "withoutTokens" },
    test: {
      file: "test/grant/dead-grants.test.ts",
      name: "keeps its tokens for 30 days, then they are deleted, and the instance still gives the same reason",
    },
    takenOut: {
      find: "export function withoutTokens({ obtainedAt, obtainedBy, client }: Grant): Grant {",
      put: 'export function withoutTokens({ obtainedAt, obtainedBy, client, ...rest }: Grant): Grant {\n  if (rest.accessToken !== "") return { ...rest, obtainedAt, obtainedBy, client };',
    },
  },
];
