import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";

// Loaded only when there is an event to publish (event-bus.ts).

let client: EventBridgeClient | undefined;

/**
 * Puts one event on its bus. An answer of 200 does not mean that EventBridge accepted the event:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
 * @throws {Error} EventBridge did not accept the event
 */
export async function putEvent(entry: PutEventsRequestEntry, given?: EventBridgeClient): Promise<void> {
  client ??= new EventBridgeClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  });
  const { FailedEntryCount = 0, Entries = [] } = await (given ?? client).send(
    new PutEventsCommand({ Entries: [entry] }),
  );
  if (FailedEntryCount > 0)
    throw new Error(`EventBridge did not take an event: ${Entries[0]?.ErrorCode ?? "no reason given"}`);
}
