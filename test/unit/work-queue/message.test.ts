import { describe, expect, test } from "vitest";
import { refreshCauses } from "../../../functions/core/grant/grant-deps.ts";
import type { InstanceEvent } from "../../../functions/core/grant/instance-event.ts";
import { readMessage, UnreadableWork, writeMessage } from "../../../functions/core/work-queue/message.ts";
import type { Work, WorkKind } from "../../../functions/core/work-queue/work.ts";

const event: InstanceEvent = {
  name: "instance.needs_reauth",
  id: "c9",
  at: 1_795_512_600_000,
  organizationId: "org",
  userId: "ann",
  instanceId: 42,
  connector: "dropbox",
  reason: "invalid_grant",
  error: "invalid_grant",
  errorDescription: "Token has been expired or revoked.",
  missingScopes: ["files.read"],
};

/**
 * Messages as the previous version writes them, byte for byte: queues still contain them, and that version's functions can
 * read no other form.
 */
const messages: Record<WorkKind, readonly (readonly [string, Work])[]> = {
  refresh: [
    [
      '{"kind":"refresh","instanceId":42,"cause":"schedule"}',
      { kind: "refresh", instanceId: 42, cause: "schedule" },
    ],
    [
      '{"kind":"refresh","instanceId":42,"cause":"unauthorized","version":3}',
      { kind: "refresh", instanceId: 42, cause: "unauthorized", version: 3 },
    ],
  ],
  delete: [
    [
      '{"kind":"refresh","instanceId":42,"cause":"delete","version":3}',
      { kind: "delete", instanceId: 42, version: 3 },
    ],
    ['{"kind":"refresh","instanceId":42,"cause":"delete"}', { kind: "delete", instanceId: 42 }],
  ],
  pending: [
    [
      '{"kind":"pending","instanceId":42,"sessionId":"cs_1","epoch":"000000000000002-state"}',
      { kind: "pending", instanceId: 42, sessionId: "cs_1", epoch: "000000000000002-state" },
    ],
  ],
  rescue: [['{"kind":"rescue","key":"rescue/42/7"}', { kind: "rescue", key: "rescue/42/7" }]],
  suspension: [
    [
      '{"kind":"suspension","organizationId":"org","userId":"ann"}',
      { kind: "suspension", organizationId: "org", userId: "ann" },
    ],
    [
      '{"kind":"suspension","organizationId":"org","userId":"ann","after":"cursor"}',
      { kind: "suspension", organizationId: "org", userId: "ann", after: "cursor" },
    ],
  ],
  event: [
    [
      '{"kind":"event","event":{"name":"instance.needs_reauth","id":"c9","at":1795512600000,"organizationId":"org",' +
        '"userId":"ann","instanceId":42,"connector":"dropbox","reason":"invalid_grant","error":"invalid_grant",' +
        '"errorDescription":"Token has been expired or revoked.","missingScopes":["files.read"]}}',
      { kind: "event", event },
    ],
    [
      '{"kind":"event","event":{"name":"instance.deleted","id":"d1","at":1795512600000,"organizationId":"org",' +
        '"instanceId":42,"connector":"dropbox"}}',
      {
        kind: "event",
        event: {
          name: "instance.deleted",
          id: "d1",
          at: 1_795_512_600_000,
          organizationId: "org",
          instanceId: 42,
          connector: "dropbox",
        },
      },
    ],
  ],
};
const each = Object.entries(messages).flatMap(([kind, bodies]) =>
  bodies.map(([body, work]) => [kind, body, work] as const),
);

describe("a message of the previous version", () => {
  test.each(each)("is understood: %s %s", (kind, body, work) => {
    expect(readMessage(body)).toEqual(work);
    expect(work.kind).toBe(kind);
  });

  test.each(each)("is the same as this version writes: %s %s", (_, body, work) => {
    expect(writeMessage(work)).toBe(body);
  });

  test.each(refreshCauses)("may name %s as the cause of a refresh", (cause) => {
    const body = `{"kind":"refresh","instanceId":42,"cause":"${cause}"}`;
    expect(readMessage(body)).toEqual({ kind: "refresh", instanceId: 42, cause });
  });
});

describe("a message that is not ours", () => {
  const reading = (body: string) => () => readMessage(body);

  test.each(["webhook", "", "Refresh", "constructor", "__proto__"])(
    "has its unknown kind in the error: %j",
    (kind) => {
      const body = JSON.stringify({ kind, instanceId: 42, cause: "schedule" });
      expect(reading(body)).toThrow(UnreadableWork);
      expect(reading(body)).toThrow(
        `the message names a kind of work that is unknown here: ${JSON.stringify(kind)}`,
      );
    },
  );

  test("has only the beginning of a very long kind in the error", () => {
    const [kind, secret] = ["k".repeat(40), "a secret that strayed here"];
    const body = JSON.stringify({ kind: kind + secret, other: secret });
    expect(reading(body)).toThrow(
      new UnreadableWork(`the message names a kind of work that is unknown here: "${kind}"`),
    );
  });

  test.each(["null", "{}", "3", '"refresh"', "[]", '{"kind":null}', '{"kind":["refresh"]}'])(
    "has its own error when it names no kind: %s",
    (body) => {
      expect(reading(body)).toThrow(new UnreadableWork("the message names no kind of work"));
    },
  );

  test.each(["", "not JSON", '{"kind":"refresh"'])("has its own error when it is not JSON: %j", (body) => {
    expect(reading(body)).toThrow(new UnreadableWork("the message is not JSON"));
  });

  test.each([
    ["refresh", '{"kind":"refresh","instanceId":"42","cause":"schedule"}'],
    ["refresh", '{"kind":"refresh","instanceId":42}'],
    ["refresh", '{"kind":"refresh","instanceId":42,"cause":"whim"}'],
    ["delete", '{"kind":"refresh","cause":"delete"}'],
    ["pending", '{"kind":"pending","instanceId":42,"sessionId":"cs_1"}'],
    ["rescue", '{"kind":"rescue"}'],
    ["suspension", '{"kind":"suspension","organizationId":"org"}'],
    ["event", '{"kind":"event"}'],
    ["event", '{"kind":"event","event":null}'],
    ["event", JSON.stringify({ kind: "event", event: { ...event, name: "instance.x" } })],
    ...["name", "id", "at", "organizationId", "instanceId", "connector"].map((field) => [
      "event",
      JSON.stringify({ kind: "event", event: { ...event, [field]: undefined } }),
    ]),
  ])("has its own error when a field of its kind is missing: %s %s", (kind, body) => {
    expect(reading(body)).toThrow(new UnreadableWork(`the message lacks a field of its work: ${kind}`));
  });
});

test.each(each)("fields of a message that its kind does not have are dropped: %s %s", (_, body, work) => {
  const message = JSON.parse(body);
  const more = { accessToken: "secret", group: "group" };
  const inside = "event" in message ? { event: { ...message.event, ...more } } : {};
  expect(readMessage(JSON.stringify({ ...message, ...more, ...inside }))).toEqual(work);
});
