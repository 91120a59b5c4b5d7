import { createHash, randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { QueueDepth } from "./types.ts";

/** A message in a queue. */
export interface QueuedMessage {
  readonly id: string;
  readonly body: string;
  /** Hex. */
  readonly md5: string;
  readonly groupId: string | undefined;
  readonly sentAt: number;
  firstReceivedAt: number | undefined;
  receiveCount: number;
  /** The queue that put it into this dead-letter queue. */
  failedIn?: Queue;
}

export interface ReceivedMessage {
  readonly receiptHandle: string;
  readonly message: QueuedMessage;
}

interface InFlight {
  readonly message: QueuedMessage;
  visibleAt: number;
}

export interface QueueSettings {
  readonly name: string;
  readonly visibilityTimeoutMs: number;
  readonly retentionMs: number;
  readonly delayMs: number;
  readonly redrive?: { readonly deadLetters: Queue; readonly maxReceiveCount: number };
}

/**
 * A standard queue in memory, on the platform's clock: when a test moves the clock, messages become visible
 * again.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html
 */
export class Queue {
  /** SQS has no limit; this one protects the process's memory. */
  static readonly maxMessages = 200_000;

  readonly settings: QueueSettings;
  readonly #clock: Clock;
  #visible: QueuedMessage[] = [];
  #delayed: InFlight[] = [];
  readonly #inFlight = new Map<string, InFlight>();
  readonly #waiting = new Set<() => void>();

  constructor(settings: QueueSettings, clock: Clock) {
    this.settings = settings;
    this.#clock = clock;
  }

  /** @returns undefined: the queue is full */
  send(
    body: string,
    groupId: string | undefined,
    delayMs = this.settings.delayMs,
  ): QueuedMessage | undefined {
    const { visible, inFlight, delayed } = this.depth();
    if (visible + inFlight + delayed >= Queue.maxMessages) return undefined;
    const message: QueuedMessage = {
      id: randomUUID(),
      body,
      md5: createHash("md5").update(body).digest("hex"),
      groupId,
      sentAt: this.#clock.now(),
      firstReceivedAt: undefined,
      receiveCount: 0,
    };
    if (delayMs > 0) this.#delayed.push({ message, visibleAt: this.#clock.now() + delayMs });
    else this.#makeVisible(message);
    return message;
  }

  /**
   * Takes messages; waits for the first one if the queue has none.
   * @param waitMs real milliseconds, because a long poll holds a connection; all other times are by the
   * platform's clock
   */
  async receive(
    count: number,
    visibilityTimeoutMs: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<ReceivedMessage[]> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      if (signal.aborted) return [];
      const taken = this.#take(count, visibilityTimeoutMs);
      const leftMs = deadline - performance.now();
      if (taken.length > 0 || leftMs <= 0) return taken;
      await this.#somethingNew(leftMs, signal);
    }
  }

  /** Ignores unknown and expired handles, as SQS does. */
  delete(receiptHandle: string): void {
    this.#inFlight.delete(receiptHandle);
  }

  /** @returns false: the message is not in flight */
  changeVisibility(receiptHandle: string, timeoutMs: number): boolean {
    this.#bringBack();
    const entry = this.#inFlight.get(receiptHandle);
    if (entry === undefined) return false;
    entry.visibleAt = this.#clock.now() + timeoutMs;
    this.#bringBack();
    return true;
  }

  /**
   * Moves the visible messages, oldest first, to a queue, or each message back to the queue where it
   * failed. They arrive as new messages, with new ids and times:
   * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
   * @returns the number of moved messages; without `to`, messages that were sent directly to this queue
   * stay
   */
  moveVisible(to?: Queue): number {
    this.#bringBack();
    const { length } = this.#visible;
    this.#visible = this.#visible.filter(({ body, groupId, failedIn }) => {
      const destination = to ?? failedIn;
      return destination?.send(body, groupId, 0) === undefined;
    });
    return length - this.#visible.length;
  }

  depth(): QueueDepth {
    this.#bringBack();
    return { visible: this.#visible.length, inFlight: this.#inFlight.size, delayed: this.#delayed.length };
  }

  #take(count: number, visibilityTimeoutMs: number): ReceivedMessage[] {
    this.#bringBack();
    const now = this.#clock.now();
    const taken: ReceivedMessage[] = [];
    while (taken.length < count) {
      const message = this.#next();
      if (message === undefined) break;
      message.receiveCount += 1;
      const { redrive } = this.settings;
      if (redrive !== undefined && message.receiveCount > redrive.maxReceiveCount) {
        message.failedIn = this;
        redrive.deadLetters.#makeVisible(message);
        continue;
      }
      message.firstReceivedAt ??= now;
      const receiptHandle = randomUUID();
      this.#inFlight.set(receiptHandle, { message, visibleAt: now + visibilityTimeoutMs });
      taken.push({ receiptHandle, message });
    }
    return taken;
  }

  /**
   * Fair queues: messages of a noisy group (more than 10 % of the messages in flight, and at least 30) come
   * after the others.
   * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
   */
  #next(): QueuedMessage | undefined {
    if (this.#inFlight.size < 30) return this.#visible.shift();
    const counts = new Map<string | undefined, number>();
    for (const { message } of this.#inFlight.values()) {
      counts.set(message.groupId, (counts.get(message.groupId) ?? 0) + 1);
    }
    const isNoisy = (groupId: string | undefined) => {
      const count = counts.get(groupId) ?? 0;
      return groupId !== undefined && count >= 30 && count > this.#inFlight.size / 10;
    };
    const quiet = this.#visible.findIndex((message) => !isNoisy(message.groupId));
    return this.#visible.splice(Math.max(quiet, 0), 1)[0];
  }

  #makeVisible(message: QueuedMessage): void {
    this.#visible.push(message);
    for (const wake of this.#waiting) wake();
  }

  /** Makes due messages visible, and drops messages that are older than the retention period. */
  #bringBack(): void {
    const now = this.#clock.now();
    for (const [receiptHandle, entry] of this.#inFlight) {
      if (entry.visibleAt > now) continue;
      this.#inFlight.delete(receiptHandle);
      this.#makeVisible(entry.message);
    }
    if (this.#delayed.length > 0) {
      const due = this.#delayed.filter((entry) => entry.visibleAt <= now);
      this.#delayed = this.#delayed.filter((entry) => entry.visibleAt > now);
      for (const entry of due) this.#makeVisible(entry.message);
    }
    const oldest = now - this.settings.retentionMs;
    if (this.#visible.some((message) => message.sentAt < oldest)) {
      this.#visible = this.#visible.filter((message) => message.sentAt >= oldest);
    }
  }

  /** The clock sends no event when a test moves it, so a waiting receiver looks again every 50 ms. */
  #somethingNew(leftMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(leftMs, 50));
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}
