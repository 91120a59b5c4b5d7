import { channel } from "node:diagnostics_channel";

/** An answer of the API as the client sees it. */
export interface SeenAnswer {
  readonly method: string;
  /** With stage and query. */
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Of JSON answers only, and only where all of it has left. */
  readonly body?: Buffer;
}

/** For whoever wants to hold answers against something: nothing is kept for it while nobody listens. */
export const seenAnswers = channel("linkspan:local:answers");

/** Collects an answer for the listeners. @returns undefined: nobody listens */
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
