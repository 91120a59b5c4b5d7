import { channel } from "node:diagnostics_channel";

/** An answer of the API as the client sees it. */
export interface SeenAnswer {
  readonly method: string;
  /** Path with stage and query. */
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Only for JSON answers that were sent completely. */
  readonly body?: Buffer;
}

/**
 * Publishes every answer, so that tests can check answers against the API's description. Without a
 * subscriber no answer is collected.
 */
export const seenAnswers = channel("linkspan:local:answers");

/** Collects an answer for the subscribers. @returns undefined: there is no subscriber */
export function seeAnswer(
  { method = "GET", url = "" }: { readonly method?: string | undefined; readonly url?: string | undefined },
  status: number,
  headers: readonly (readonly [string, string])[],
): { add(chunk: Uint8Array): void; end(): void } | undefined {
  if (!seenAnswers.hasSubscribers) return undefined;
  const named = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
  const isJson = named["content-type"]?.startsWith("application/json") === true && method !== "HEAD";
  const chunks: Uint8Array[] = [];
  return {
    add: (chunk) => {
      if (isJson) chunks.push(chunk);
    },
    end: () => {
      const body = isJson ? { body: Buffer.concat(chunks) } : {};
      seenAnswers.publish({ method, url, status, headers: named, ...body } satisfies SeenAnswer);
    },
  };
}
