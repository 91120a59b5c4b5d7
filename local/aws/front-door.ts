import { mkdir } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { ownHosts } from "../listen.ts";
import { callLog } from "./call-log.ts";
import { localCloudFormation } from "./cloudformation.ts";
import { localDynamoDb } from "./dynamodb.ts";
import { type LocalEventBridge, localEventBridge } from "./eventbridge.ts";
import { faultError, faults } from "./faults.ts";
import { localKms } from "./kms.ts";
import { type Permissions, permissions } from "./permissions.ts";
import { localS3 } from "./s3.ts";
import { type AwsAnswer, AwsError, type AwsRequest, type AwsService, type Exchange } from "./service.ts";
import { readAuthorization, type SignatureClaim, signatureCheck } from "./signature.ts";
import { type LocalSqs, localSqs, queueUrl } from "./sqs.ts";
import {
  type FrontDoor,
  type FrontDoorOptions,
  localAccountId,
  localRegion,
  type Principal,
} from "./types.ts";

export * from "./types.ts";

/**
 * Starts the front door: every AWS call of the local platform goes to it. It finds the service by the
 * signature's credential scope and the caller by the access key, and checks signature and policy. It fails
 * the call if a test asks for it; otherwise the local service acts. The answer's `Date` is the platform's
 * time.
 * @throws {UnknownPolicy} a statement has an element, operator or key that the evaluator does not know
 * @throws {Error} the data folder is in use, or holds tables of another shape
 */
export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const { clock, dataFolder } = options;
  const server = createServer({ keepAlive: true, noDelay: true });
  // Long, because clients pool connections: no request should arrive on a connection that the server is
  // closing.
  server.keepAliveTimeout = 600_000;
  server.headersTimeout = 10_000;
  server.requestTimeout = 60_000;
  const port = await listen(server, options.port ?? 0);
  const url = `http://127.0.0.1:${port}`;
  const started: AwsService[] = [];
  try {
    const resources = typeof options.resources === "function" ? options.resources(url) : options.resources;
    const principals =
      typeof options.principals === "function" ? options.principals(url) : options.principals;
    const allowed = permissions(principals);
    await mkdir(dataFolder, { recursive: true });
    const sqs = localSqs(resources.queues, clock, url);
    const eventBridge = localEventBridge(path.join(dataFolder, "events.jsonl"), resources.eventBuses, clock);
    started.push(sqs, eventBridge, localCloudFormation(resources.stacks));
    started.push(await localKms(path.join(dataFolder, "kms"), resources.keys));
    started.push(await localS3(path.join(dataFolder, "s3"), resources.buckets, clock));
    started.push(await localDynamoDb(path.join(dataFolder, "dynamodb"), resources.tables));
    return frontDoor({ options, server, port, url, services: started, sqs, eventBridge, allowed });
  } catch (error) {
    server.close();
    server.closeAllConnections();
    await Promise.all(started.map((service) => service.close()));
    throw error;
  }
}

interface Parts {
  readonly options: FrontDoorOptions;
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  readonly services: readonly AwsService[];
  readonly sqs: LocalSqs;
  readonly eventBridge: LocalEventBridge;
  readonly allowed: Permissions;
}

function frontDoor({ options, server, port, url, services, sqs, eventBridge, allowed }: Parts): FrontDoor {
  const { clock } = options;
  const byName = new Map(services.map((service) => [service.name, service]));
  const log = callLog();
  const wanted = faults();
  const signatureIsGood = signatureCheck();
  const closing = new AbortController();
  const busy = new Set<Promise<void>>();
  const hosts = ownHosts(url);

  async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    dateByClock(response, () => clock.now());
    if (!hosts.includes(message.headers.host ?? "")) {
      send(response, {
        status: 421,
        headers: { "content-type": "text/plain" },
        body: "this server does not serve this host name\n",
      });
      return;
    }
    const claim = readAuthorization(message.headers.authorization);
    const service = claim === undefined ? undefined : byName.get(claim.service);
    if (claim === undefined || service === undefined) {
      const text =
        "the front door accepts requests signed with Signature Version 4 for dynamodb, sqs, s3, kms, events and cloudformation";
      send(response, {
        status: 403,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ __type: "MissingAuthenticationTokenException", message: text }),
      });
      return;
    }
    try {
      await serve(service, claim, message, response);
    } catch (error) {
      if (response.headersSent || response.destroyed) return void response.destroy();
      const [status, code] = service.errors.internal;
      // Any other error than AwsError is our bug: the answer shows it, so that the caller does not wait for
      // its timeout.
      const known = error instanceof AwsError ? error : new AwsError(status, code, String(error));
      send(response, service.errorAnswer(known, { method: message.method ?? "" }));
    }
  }

  async function serve(
    service: AwsService,
    claim: SignatureClaim,
    message: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const request = await readRequest(message, service.bodyLimit);
    const principal = authenticate(service, claim, request);
    const operation = service.read(request);
    const [{ action, resource }] = operation.needs;
    const call = { service: service.name, action, resource, principal: principal.name };
    const at = clock.now();
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const exchange: Exchange = {
      request: message,
      response,
      allows: (need) => allowed.allows(principal, need),
      signal: AbortSignal.any([gone.signal, closing.signal]),
    };
    try {
      for (const need of operation.needs) allowed.require(principal, need, service.errors);
      const fault = wanted.take(call);
      await fault?.hold?.();
      if (fault?.delayMs !== undefined) await wait(fault.delayMs, undefined, { signal: exchange.signal });
      const failure = fault === undefined ? undefined : faultError(fault, service.errors);
      if (fault?.reset === "before") breakConnection(response);
      if (fault?.reset === "before" || response.destroyed) return log.add({ ...call, status: 0, at });
      if (failure !== undefined) throw failure;
      if (fault?.reset === "after") loseAnswer(response);
      const result = await operation.act(exchange);
      await fault?.holdAnswer?.();
      if (fault?.reset === "after") {
        breakConnection(response);
        return log.add({ ...call, status: 0, at });
      }
      log.add({ ...call, status: result?.status ?? response.statusCode, at });
      if (result !== undefined) send(response, result);
    } catch (error) {
      if (error instanceof AwsError) log.add({ ...call, status: error.status, code: error.code, at });
      else if (exchange.signal.aborted) return log.add({ ...call, status: 0, at });
      else log.add({ ...call, status: 500, code: String(error), at });
      throw error;
    }
  }

  function authenticate(service: AwsService, claim: SignatureClaim, request: AwsRequest): Principal {
    const principal = allowed.principal(claim.accessKeyId);
    const token = request.headers["x-amz-security-token"];
    if (principal === undefined || principal.sessionToken !== token) {
      const [status, code] = service.errors.unknownAccessKey;
      throw new AwsError(status, code, "The security token included in the request is invalid.");
    }
    if (claim.region !== localRegion || !signatureIsGood(request, claim, principal.secretAccessKey)) {
      const [status, code] = service.errors.badSignature;
      throw new AwsError(
        status,
        code,
        `The request signature does not match; check the secret access key and that the region is ${localRegion}.`,
      );
    }
    return principal;
  }

  server.on("request", (message, response) => {
    const answering = answer(message, response).catch(() => void response.destroy());
    busy.add(answering);
    void answering.then(() => busy.delete(answering));
  });

  return {
    url,
    port,
    region: localRegion,
    accountId: localAccountId,
    calls: log.calls,
    clearCalls: log.clear,
    fail: wanted.add,
    clearFaults: wanted.clear,
    removePermission: allowed.remove,
    restorePermissions: allowed.restore,
    usedActions: allowed.used,
    grantedActions: allowed.granted,
    isAllowed: (name, action, resource) =>
      allowed.allows(allowed.principalCalled(name), { action, resource }),
    queueUrl: (name) => queueUrl(url, name),
    queueDepth: async (name) => sqs.depth(name),
    events: eventBridge.events,
    clearEvents: eventBridge.clear,
    async close() {
      closing.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      // Running operations end before their stores close.
      await Promise.all(busy);
      await Promise.all(services.map((service) => service.close()));
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** @throws {AwsError} the body is longer than the service accepts */
async function readRequest(message: IncomingMessage, bodyLimit: number | undefined): Promise<AwsRequest> {
  const [path = "", query = ""] = (message.url ?? "").split(/\?(.*)/s);
  const request = { method: message.method ?? "", path, query, headers: message.headers };
  if (bodyLimit === undefined) return { ...request, body: Buffer.alloc(0) };
  const tooLong = () =>
    new AwsError(413, "RequestEntityTooLarge", `the body has more than ${bodyLimit} bytes`);
  // This check comes before the body is read, because an exception in the loop below breaks the connection.
  if (Number(message.headers["content-length"]) > bodyLimit) throw tooLong();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bodyLimit) throw tooLong();
    chunks.push(chunk);
  }
  return { ...request, body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) };
}

function send(response: ServerResponse, { status, headers, body }: AwsAnswer): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

/**
 * Sets every answer's Date, also in the answers that s3rver writes. (s3rver clears the headers of error
 * answers.)
 */
function dateByClock(response: ServerResponse, now: () => number): void {
  response.sendDate = false;
  const writeHead = response.writeHead;
  response.writeHead = ((...parameters: Parameters<typeof writeHead>) => {
    response.setHeader("date", new Date(now()).toUTCString());
    return writeHead.apply(response, parameters);
  }) as typeof writeHead;
}

/** Breaks the connection when an operation that writes its own answer begins to write it. */
function loseAnswer(response: ServerResponse): void {
  const writeHead = response.writeHead;
  response.writeHead = ((...parameters: Parameters<typeof writeHead>) => {
    breakConnection(response);
    return writeHead.apply(response, parameters);
  }) as typeof writeHead;
}

/** A TCP reset, as after a failure of a load balancer or a network. */
function breakConnection(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}
