import * as v from "valibot";
import { type Answer, jsonAnswer } from "./http/answer.ts";
import type { VendorRequest } from "./http/request.ts";
import type { OwnEndpoints } from "./http/stand-in-server.ts";
import type { Switches } from "./kit/switches.ts";
import type { StandIn, StandInFault } from "./stand-in.ts";

const login = v.optional(v.string());
const FAULT = v.strictObject({
  path: v.optional(v.string()),
  method: v.optional(v.string()),
  endpoint: v.optional(v.picklist(["authorization", "token", "revocation", "api", "page"])),
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000))),
  status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599))),
  body: v.optional(v.string()),
  contentType: v.optional(v.string()),
  headers: v.optional(v.record(v.string(), v.string())),
  delayMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(900_000))),
  reset: v.optional(v.picklist(["before", "after", "middle", "never"])),
  slowBody: v.optional(
    v.strictObject({
      bytesPerChunk: v.pipe(v.number(), v.integer(), v.minValue(1)),
      pauseMs: v.pipe(v.number(), v.minValue(0), v.maxValue(60_000)),
    }),
  ),
  holdBody: v.optional(v.strictObject({ afterBytes: v.pipe(v.number(), v.integer(), v.minValue(1)) })),
});

const MILLISECONDS = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(3_600_000));
const COUNT = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
const SWITCHES = v.strictObject({
  pages: v.optional(v.picklist(["full", "short", "empty"])),
  rateLimit: v.optional(v.strictObject({ calls: COUNT, seconds: COUNT })),
  operationMs: v.optional(MILLISECONDS),
  searchLagMs: v.optional(MILLISECONDS),
  refusals: v.optional(
    v.array(
      v.strictObject({
        name: v.string(),
        action: v.picklist(["read", "write", "copy", "move", "delete"]),
      }),
    ),
  ),
});

type Control = (standIn: StandIn, body: unknown, query: URLSearchParams) => unknown;

function control<const Schema extends v.GenericSchema>(
  schema: Schema,
  act: (standIn: StandIn, input: v.InferOutput<Schema>) => unknown,
): Control {
  return (standIn, body) => act(standIn, v.parse(schema, body));
}

/** The controls over HTTP, by method and the path after `/_control`. JSON in, JSON out. */
const CONTROLS: Readonly<Record<string, Control>> = {
  "GET ": (standIn) => ({
    connector: standIn.connector,
    origin: standIn.origin,
    hosts: standIn.hosts,
    clientId: standIn.app.clientId,
    accounts: standIn.accounts,
    living: standIn.living(),
  }),
  "GET /requests": (standIn) => standIn.requests(),
  "DELETE /requests": (standIn) => standIn.clearRequests(),
  "GET /living": (standIn, _body, query) => standIn.living(query.get("login") ?? undefined),
  "GET /entries": (standIn, _body, query) => standIn.entries(query.get("login") ?? ""),
  "POST /expire": control(v.strictObject({ login }), (standIn, input) =>
    standIn.expireAccessTokens(input.login),
  ),
  "POST /revoke": control(v.strictObject({ login }), (standIn, input) => standIn.revokeGrants(input.login)),
  "POST /lifetime": control(
    v.strictObject({ seconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(31_536_000)) }),
    (standIn, input) => standIn.setAccessTokenLifetime(input.seconds),
  ),
  "POST /fail": control(FAULT, (standIn, input) => standIn.fail(input as StandInFault)),
  "DELETE /faults": (standIn) => standIn.clearFaults(),
  "GET /switches": (standIn) => standIn.switches.state,
  "POST /switches": control(SWITCHES, (standIn, input) => standIn.switches.set(input as Partial<Switches>)),
  "DELETE /switches": (standIn) => standIn.switches.reset(),
  "POST /release": (standIn) => standIn.releaseHeldBodies(),
  "POST /redirects": control(v.strictObject({ uri: v.pipe(v.string(), v.url()) }), (standIn, input) =>
    standIn.allowRedirect(input.uri),
  ),
  "POST /accounts": control(
    v.strictObject({ login: v.pipe(v.string(), v.minLength(1)), name: v.string(), email: v.string() }),
    (standIn, input) => standIn.addAccount(input),
  ),
  "POST /files": control(
    v.union([
      v.strictObject({ login: v.string(), path: v.string(), text: v.string() }),
      v.strictObject({ login: v.string(), path: v.string(), base64: v.pipe(v.string(), v.base64()) }),
      v.strictObject({
        login: v.string(),
        path: v.string(),
        generatedSize: v.pipe(v.number(), v.integer(), v.minValue(0)),
      }),
    ]),
    (standIn, input) => {
      if ("generatedSize" in input) standIn.addGeneratedFile(input.login, input.path, input.generatedSize);
      else if ("text" in input) standIn.addFile(input.login, input.path, input.text);
      else standIn.addFile(input.login, input.path, Buffer.from(input.base64, "base64"));
    },
  ),
};

/** `/_control/…`: the controls for tests and tools, for a stand-in that runs in another process. */
export function controls(standIn: () => StandIn): OwnEndpoints {
  return {
    prefix: "/_control",
    async handle(request) {
      if (!isOwnOrigin(request))
        return jsonAnswer(403, { error: "requests from a page of another origin are refused" });
      const act = CONTROLS[`${request.method} ${request.path.slice("/_control".length).replace(/\/$/, "")}`];
      if (act === undefined)
        return jsonAnswer(404, { error: "no such control", controls: Object.keys(CONTROLS) });
      return answerOf(
        () => readJson(request),
        (body) => act(standIn(), body, request.query),
      );
    },
  };
}

/**
 * A page of another origin may send requests to the loopback address, but the browser then sends the page's
 * origin, or `null` to hide it: https://fetch.spec.whatwg.org/#origin-header. For a GET it only says that
 * the request comes from another site:
 * https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header
 */
export function isOwnOrigin(request: VendorRequest): boolean {
  const origin = request.header("origin");
  if (origin !== undefined) return origin === `http://${request.header("host") ?? ""}`;
  return ["same-origin", "none", undefined].includes(request.header("sec-fetch-site"));
}

async function answerOf(read: () => Promise<unknown>, act: (body: unknown) => unknown): Promise<Answer> {
  try {
    return jsonAnswer(200, act(await read()) ?? null);
  } catch (error) {
    if (error instanceof v.ValiError || error instanceof RangeError || error instanceof SyntaxError) {
      return jsonAnswer(400, { error: error.message });
    }
    throw error;
  }
}

async function readJson(request: VendorRequest): Promise<unknown> {
  const text = (await request.body()).toString("utf8");
  return text === "" ? {} : JSON.parse(text);
}
