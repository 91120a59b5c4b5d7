import { randomUUID } from "node:crypto";
import { appendFile } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import {
  AwsError,
  type AwsOperation,
  type AwsRequest,
  type AwsService,
  jsonAnswer,
  jsonBody,
  refuseUnknownParameters,
  targetOperation,
} from "./service.ts";
import { type AwsEventBus, type BusEvent, localAccountId, localRegion } from "./types.ts";

/** EventBridge, and the events that the platform itself may read. */
export interface LocalEventBridge extends AwsService {
  /** The last events, oldest first. */
  events(): readonly BusEvent[];
  clear(): void;
}

const maxKept = 1_000;
const maxEntries = 10;
/**
 * Limit of all entries of a request together, as this page says; newer pages give a larger limit, for each
 * entry.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/calculate-putevents-entry-size.html
 */
const maxBytes = 256 * 1024;

/**
 * EventBridge's PutEvents, without rules and targets. Events are kept in memory for tests, and appended to
 * a file for developers.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 * @param file gets one event a line, in the shape that a rule's target would receive
 */
export function localEventBridge(
  file: string,
  buses: readonly AwsEventBus[],
  clock: Clock,
): LocalEventBridge {
  let kept: BusEvent[] = [];

  async function put(entry: Entry): Promise<Record<string, string>> {
    const wrong = whatIsWrong(entry, buses);
    if (wrong !== undefined) return wrong;
    const event = eventOf(entry, clock.now());
    kept = [...kept, event].slice(-maxKept);
    await appendFile(file, `${JSON.stringify(event)}\n`, { mode: 0o600 });
    return { EventId: event.id };
  }

  return {
    name: "events",
    // JSON may need six characters for one byte of text.
    bodyLimit: 2 * 1024 * 1024,
    errors: {
      accessDenied: [400, "AccessDeniedException"],
      unknownAccessKey: [400, "UnrecognizedClientException"],
      badSignature: [400, "InvalidSignatureException"],
      throttled: [400, "ThrottlingException"],
      internal: [500, "InternalException"],
    },
    read(request: AwsRequest): AwsOperation {
      const name = targetOperation(request, "AWSEvents");
      if (name !== "PutEvents")
        throw new AwsError(400, "UnknownOperationException", `the local EventBridge has no ${name}`);
      const entries = readEntries(jsonBody(request));
      const [first, ...more] = [...new Set(entries.map(({ EventBusName }) => busArn(EventBusName)))];
      const need = (resource: string) => ({ action: "events:PutEvents", resource });
      return {
        needs: [need(first ?? busArn(undefined)), ...more.map(need)],
        async act() {
          const results: Record<string, string>[] = [];
          for (const entry of entries) results.push(await put(entry));
          const FailedEntryCount = results.filter(({ EventId }) => EventId === undefined).length;
          return jsonAnswer("1.1", 200, { FailedEntryCount, Entries: results });
        },
      };
    },
    errorAnswer: (error) => jsonAnswer("1.1", error.status, { __type: error.code, message: error.message }),
    events: () => kept,
    clear() {
      kept = [];
    },
    close: async () => {},
  };
}

interface Entry {
  readonly EventBusName?: string;
  readonly Source?: string;
  readonly DetailType?: string;
  readonly Detail?: string;
  /** Epoch seconds. */
  readonly Time?: number;
  readonly Resources?: readonly string[];
}

/** @throws {AwsError} ValidationException: the whole request is refused */
function readEntries(body: Record<string, unknown>): Entry[] {
  refuseUnknownParameters("PutEvents", body, ["Entries"]);
  const entries = Array.isArray(body.Entries) ? (body.Entries as Record<string, unknown>[]) : [];
  if (entries.length < 1 || entries.length > maxEntries) {
    throw new AwsError(
      400,
      "ValidationException",
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have from 1 to ${maxEntries} entries`,
    );
  }
  for (const entry of entries) {
    refuseUnknownParameters("an entry of PutEvents", entry, [
      "EventBusName",
      "Source",
      "DetailType",
      "Detail",
      "Time",
      "Resources",
    ]);
  }
  const bytes = (entries as Entry[]).reduce((sum, entry) => sum + sizeOf(entry), 0);
  if (bytes >= maxBytes) {
    throw new AwsError(
      400,
      "ValidationException",
      `Total size of the entries in the request is over the limit: ${bytes} bytes, the limit is ${maxBytes}`,
    );
  }
  return entries as Entry[];
}

/** Size of an entry, by the rules of the page of `maxBytes`. */
function sizeOf({ Time, Source = "", DetailType = "", Detail = "", Resources = [] }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : 14);
}

/**
 * Why one entry fails, while the answer's status is 200:
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
 */
function whatIsWrong(
  entry: Entry,
  buses: readonly AwsEventBus[],
): { ErrorCode: string; ErrorMessage: string } | undefined {
  for (const parameter of ["Source", "DetailType", "Detail"] as const) {
    if (typeof entry[parameter] === "string" && entry[parameter] !== "") continue;
    return {
      ErrorCode: "InvalidArgument",
      ErrorMessage: `Parameter ${parameter} is not valid. Reason: ${parameter} is a required argument.`,
    };
  }
  if (!isObject(entry.Detail ?? ""))
    return { ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed." };
  // A guess: no page says what happens to an event for a bus that does not exist.
  if (!buses.some(({ name }) => busArn(name) === busArn(entry.EventBusName)))
    return { ErrorCode: "ResourceNotFoundException", ErrorMessage: "Event bus does not exist." };
  return undefined;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html */
function eventOf(entry: Entry, now: number): BusEvent {
  const at = entry.Time === undefined ? now : entry.Time * 1000;
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": entry.DetailType ?? "",
    source: entry.Source ?? "",
    account: localAccountId,
    time: new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z"),
    region: localRegion,
    resources: entry.Resources ?? [],
    detail: JSON.parse(entry.Detail ?? "{}") as BusEvent["detail"],
  };
}

/** `name` is the bus's name or its ARN; without a name it is the account's default bus. */
function busArn(name = "default"): string {
  return name.startsWith("arn:") ? name : `arn:aws:events:${localRegion}:${localAccountId}:event-bus/${name}`;
}
