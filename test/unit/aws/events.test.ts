import { readFileSync } from "node:fs";
import type { EventBridgeClient, PutEventsCommandInput } from "@aws-sdk/client-eventbridge";
import { afterEach, describe, expect, test, vi } from "vitest";
import { announcer } from "../../../functions/aws/announcer.ts";
import { eventBus } from "../../../functions/aws/event-bus.ts";
import { type InstanceEvent, instanceEventNames } from "../../../functions/core/grant/instance-event.ts";

const event: InstanceEvent = {
  name: "instance.needs_reauth",
  id: "c9",
  at: Date.UTC(2026, 10, 24, 9, 30),
  organizationId: "org",
  userId: "user",
  instanceId: 42,
  connector: "dropbox",
  reason: "invalid_grant",
  error: "invalid_grant",
  errorDescription: "Token has been expired or revoked.",
};

afterEach(() => vi.restoreAllMocks());

describe("an event on its way to the queue", () => {
  test("is a message of its own kind, in a group that does not delay refreshes", async () => {
    const sent: unknown[] = [];
    await announcer(() => ({
      send: async (work) => {
        sent.push(...work);
        return [true];
      },
    }))(event);
    expect(sent).toEqual([{ kind: "event", event, group: "events" }]);
  });

  test.each([
    ["refuses", async () => [false]],
    ["does not answer", () => Promise.reject(new Error("timeout"))],
  ])("is counted as lost when the queue %s, and the caller gets no error", async (_, send) => {
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
    await announcer(() => ({ send }))(event);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { LostEvents: 1, event: "instance.needs_reauth", instanceId: 42, connector: "dropbox" },
    ]);
  });
});

/** Answers as EventBridge does, and records what it gets. */
function bus(answer: object): { client: EventBridgeClient; sent: PutEventsCommandInput[] } {
  const sent: PutEventsCommandInput[] = [];
  const client = {
    send: async ({ input }: { input: PutEventsCommandInput }) => {
      sent.push(input);
      return answer;
    },
  };
  return { client: client as unknown as EventBridgeClient, sent };
}

describe("an event on its way to the bus", () => {
  test("has the format of docs/events.md", async () => {
    const { client, sent } = bus({ FailedEntryCount: 0, Entries: [{ EventId: "1" }] });
    await eventBus({ busName: "linkspan-dev", client })(event);
    const [{ Entries = [] } = {}] = sent;
    expect(Entries).toMatchObject([
      {
        EventBusName: "linkspan-dev",
        Source: "linkspan",
        DetailType: "instance.needs_reauth",
        Time: new Date(event.at),
      },
    ]);
    expect(JSON.parse(Entries[0]?.Detail ?? "")).toEqual({
      version: "1",
      id: "c9",
      at: "2026-11-24T09:30:00.000Z",
      organizationId: "org",
      userId: "user",
      instanceId: 42,
      connector: "dropbox",
      reason: "invalid_grant",
      error: "invalid_grant",
      errorDescription: "Token has been expired or revoked.",
    });
  });

  test("is an error when an answer with status 200 says that the event was refused", async () => {
    const { client } = bus({ FailedEntryCount: 1, Entries: [{ ErrorCode: "ThrottlingException" }] });
    await expect(eventBus({ busName: "linkspan-dev", client })(event)).rejects.toThrow("ThrottlingException");
  });
});

test("docs/events.md lists every event, and its example has the fields of an event", async () => {
  const page = readFileSync(new URL("../../../docs/events.md", import.meta.url), "utf8");
  const table = page.slice(page.indexOf("| `detail-type`"), page.indexOf("## What an event looks like"));
  const listed = [...table.matchAll(/`(instance\.\w+)`/g)].map(([, name]) => name);
  expect(listed.toSorted()).toEqual([...instanceEventNames].toSorted());
  const [, example = ""] = /```json\n(.*?)```/s.exec(page) ?? [];
  const { detail } = JSON.parse(example) as { detail: object };
  const { client, sent } = bus({ FailedEntryCount: 0 });
  await eventBus({ busName: "linkspan-dev", client })(event);
  expect(Object.keys(detail).toSorted()).toEqual(
    Object.keys(JSON.parse(sent[0]?.Entries?.[0]?.Detail ?? "{}")).toSorted(),
  );
});
