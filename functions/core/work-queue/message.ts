import { refreshCauses } from "../grant/grant-deps.ts";
import { type InstanceEvent, instanceEventNames } from "../grant/instance-event.ts";
import type { Work, WorkKind } from "./work.ts";

/**
 * A message of an unknown kind, or without a required field. The queue delivers it again and then moves it to the dead-letter
 * queue.
 */
export class UnreadableWork extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnreadableWork";
  }
}

/** Characters of an unknown kind that an error message repeats. */
const LONGEST_KIND = 40;

/**
 * The body of a message. While a new version is deployed, functions of the previous version also send and read
 * messages. Both versions must understand each other's messages.
 */
export function writeMessage(work: Work): string {
  if (work.kind !== "delete") return JSON.stringify(work);
  // Older workers do not know kind `delete`: they expect a refresh with this cause.
  const { kind: cause, instanceId, ...rest } = work;
  return JSON.stringify({ kind: "refresh", instanceId, cause, ...rest });
}

/** @throws {UnreadableWork} */
export function readMessage(body: string): Work {
  const message = parse(body);
  const kind = message.kind === "refresh" && message.cause === "delete" ? "delete" : message.kind;
  if (typeof kind !== "string") throw new UnreadableWork("the message names no kind of work");
  if (!isKnown(kind)) {
    const named = JSON.stringify(kind.slice(0, LONGEST_KIND));
    throw new UnreadableWork(`the message names a kind of work that is unknown here: ${named}`);
  }
  const work = readers[kind](message);
  if (work === undefined) throw new UnreadableWork(`the message lacks a field of its work: ${kind}`);
  return work;
}

type Message = Readonly<Record<string, unknown>>;

function parse(body: string): Message {
  try {
    return Object(JSON.parse(body));
  } catch {
    throw new UnreadableWork("the message is not JSON");
  }
}

/**
 * Reads each field separately, so that unknown fields are dropped. Each reader returns undefined if a field is
 * missing.
 */
const readers: { readonly [Kind in WorkKind]: (message: Message) => Work<Kind> | undefined } = {
  refresh({ instanceId, cause, version }) {
    const known = refreshCauses.find((each) => each === cause);
    if (typeof instanceId !== "number" || known === undefined) return undefined;
    return { kind: "refresh", instanceId, cause: known, ...(typeof version === "number" ? { version } : {}) };
  },
  delete({ instanceId, version }) {
    if (typeof instanceId !== "number") return undefined;
    return { kind: "delete", instanceId, ...(typeof version === "number" ? { version } : {}) };
  },
  pending({ instanceId, sessionId, epoch }) {
    if (typeof instanceId !== "number" || typeof sessionId !== "string" || typeof epoch !== "string")
      return undefined;
    return { kind: "pending", instanceId, sessionId, epoch };
  },
  rescue({ key }) {
    return typeof key === "string" ? { kind: "rescue", key } : undefined;
  },
  suspension({ organizationId, userId, after }) {
    if (typeof organizationId !== "string" || typeof userId !== "string") return undefined;
    return { kind: "suspension", organizationId, userId, ...(typeof after === "string" ? { after } : {}) };
  },
  event({ event }) {
    const known = readEvent(event);
    return known === undefined ? undefined : { kind: "event", event: known };
  },
};

function isKnown(kind: string): kind is WorkKind {
  return Object.hasOwn(readers, kind);
}

function readEvent(value: unknown): InstanceEvent | undefined {
  const given: Message = Object(value);
  const { name, id, at, organizationId, userId, instanceId, connector } = given;
  const { reason, error, errorDescription, missingScopes } = given;
  const known = instanceEventNames.find((each) => each === name);
  if (
    known === undefined ||
    typeof id !== "string" ||
    typeof at !== "number" ||
    typeof organizationId !== "string" ||
    typeof instanceId !== "number" ||
    typeof connector !== "string"
  ) {
    return undefined;
  }
  return {
    name: known,
    id,
    at,
    organizationId,
    ...(typeof userId === "string" ? { userId } : {}),
    instanceId,
    connector,
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof error === "string" ? { error } : {}),
    ...(typeof errorDescription === "string" ? { errorDescription } : {}),
    ...(Array.isArray(missingScopes)
      ? { missingScopes: missingScopes.filter((scope): scope is string => typeof scope === "string") }
      : {}),
  };
}
