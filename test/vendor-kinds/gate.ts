import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import { endServer, listen } from "../../local/listen.ts";

/** One request that reached a vendor's gate. */
export interface GatedRequest {
  readonly method: string;
  /** The path without the query. */
  readonly path: string;
  readonly form: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface VendorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Matches = (request: GatedRequest) => boolean;

/** Controls a request that is held. */
export interface Hold {
  /** Resolves when the request has arrived; with `after`, when the vendor has acted on it. */
  readonly reached: Promise<GatedRequest>;
  /** Lets the request continue. */
  release(): void;
  /** Breaks the connection, so that no answer comes. */
  break(): void;
}

/** A proxy in front of a vendor of the tests: it holds requests and answers, replaces answers, and records requests. */
export interface Gate {
  readonly origin: string;
  /** All requests that arrived, oldest first. */
  readonly requests: readonly GatedRequest[];
  /** Holds the next matching request `before` the vendor gets it, or `after` the vendor has acted on it. */
  hold(when: "before" | "after", matches: Matches): Hold;
  /** Answers `count` matching requests itself (default: all); the vendor never gets them. */
  answer(matches: Matches, answer: VendorAnswer, count?: number): void;
  /** Changes the vendor's own answers to matching requests. */
  alter(matches: Matches, change: (answer: VendorAnswer) => VendorAnswer): void;
  /** Ends all holds (the requests continue) and all answers of its own; clears the recorded requests. */
  clear(): void;
  close(): Promise<void>;
}

export const isRefresh: Matches = ({ form }) => form.get("grant_type") === "refresh_token";
export const isCodeExchange: Matches = ({ form }) => form.get("grant_type") === "authorization_code";
export const isRevocation: Matches = ({ path }) => /revo(ke|cation)$/.test(path);
export const isApiCall: Matches = ({ path }) => path.startsWith("/api/");

/** @param target origin of the vendor's own server; the Host header is passed on unchanged */
export async function startGate(target: string): Promise<Gate> {
  const { server, url: origin, handle } = await listen(0);
  const requests: GatedRequest[] = [];
  let holds: {
    when: "before" | "after";
    matches: Matches;
    come: (request: GatedRequest) => Promise<void>;
  }[] = [];
  let answers: { matches: Matches; answer: VendorAnswer; left: number }[] = [];
  let changes: { matches: Matches; change: (answer: VendorAnswer) => VendorAnswer }[] = [];
  let ends: (() => void)[] = [];

  /** @throws the test has broken the connection */
  async function pass(when: "before" | "after", request: GatedRequest): Promise<void> {
    const hold = holds.find((each) => each.when === when && each.matches(request));
    if (hold === undefined) return;
    holds = holds.filter((each) => each !== hold);
    await hold.come(request);
  }

  function ownAnswer(request: GatedRequest): VendorAnswer | undefined {
    const found = answers.find(({ matches, left }) => left > 0 && matches(request));
    if (found !== undefined) found.left -= 1;
    return found?.answer;
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await readRequest(incoming);
    requests.push(asked);
    await pass("before", asked);
    const own = ownAnswer(asked);
    const found = own ?? (await forward(target, incoming, asked));
    const altered = changes.find(({ matches }) => matches(asked));
    const answer = altered === undefined ? found : altered.change(found);
    await pass("after", asked);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  handle((incoming, response) => {
    serve(incoming, response).catch(() => response.socket?.resetAndDestroy());
  });

  return {
    origin,
    requests,
    hold(when, matches) {
      const reached = Promise.withResolvers<GatedRequest>();
      const end = Promise.withResolvers<void>();
      end.promise.catch(() => {});
      ends.push(end.resolve);
      holds.push({
        when,
        matches,
        come: (request) => {
          reached.resolve(request);
          return end.promise;
        },
      });
      return {
        reached: reached.promise,
        release: end.resolve,
        break: () => end.reject(new Error("the connection is to break")),
      };
    },
    answer: (matches, answer, count = Number.POSITIVE_INFINITY) =>
      void answers.push({ matches, answer, left: count }),
    alter: (matches, change) => void changes.push({ matches, change }),
    clear() {
      holds = [];
      changes = [];
      answers = [];
      requests.length = 0;
      for (const end of ends) end();
      ends = [];
    },
    close: () => endServer(server),
  };
}

async function readRequest(incoming: IncomingMessage): Promise<GatedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const isForm = incoming.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
  return {
    method: incoming.method ?? "",
    path: (incoming.url ?? "").split("?", 1)[0] ?? "",
    form: new URLSearchParams(isForm ? body.toString("utf8") : ""),
    headers: incoming.headers,
    body,
  };
}

/** Sends a request to the vendor and returns the answer, with all headers. */
function forward(
  target: string,
  incoming: IncomingMessage,
  { body }: GatedRequest,
): Promise<{ status: number; headers: Record<string, string>; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(target);
    const outgoing = request(
      { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.once("error", reject);
        answer.once("end", () => {
          const { "transfer-encoding": _, ...headers } = answer.headers;
          resolve({
            status: answer.statusCode ?? 502,
            headers: headers as Record<string, string>,
            body: Buffer.concat(chunks).toString("utf8"),
          });
        });
      },
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}
