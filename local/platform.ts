import { mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { connectorByKey } from "../functions/connectors/catalogue.ts";
import { API_DOCS, serveApiDocs } from "./api-docs.ts";
import { apiGateway } from "./api-gateway/api-gateway.ts";
import { type FrontDoor, startFrontDoor } from "./aws/front-door.ts";
import { localAccountId } from "./aws/types.ts";
import { type Clock, systemClock } from "./clock.ts";
import { demoApp } from "./demo/demo-app.ts";
import { type DemoFile, prepareDemoTenant } from "./demo/demo-tenant.ts";
import { lockFolder } from "./folder-lock.ts";
import { keptIdentities } from "./identities.ts";
import { type LambdaService, startLambda } from "./lambda/lambda-service.ts";
import { endServer, listen, ownHosts } from "./listen.ts";
import { type OperatorAccess, operatorAccess, principalsOf, writePlatformFile } from "./principals.ts";
import { callbackUrlsOf, connectorsOf, standInConnectors, startStandIns } from "./stand-ins.ts";
import { readAssembly, readTemplate, type Template } from "./template.ts";
import type { InvokeResult } from "./triggers/invoke.ts";
import { startTriggers } from "./triggers/triggers.ts";
import { readVendorAccounts, vendorTable } from "./vendor-table.ts";
import type { StandIn } from "./vendors/stand-in.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

export interface PlatformOptions {
  /** The synthesized cloud assembly. Default `cdk.out` beside package.json. */
  readonly assembly?: string;
  /** Folder of tables, keys and demo.json. Default `.linkspan` in the current folder. */
  readonly dataFolder?: string;
  /** Port of the API and the demo page; 0 (the default): any free port. */
  readonly port?: number;
  /**
   * Folder in which the platform looks for the operator's own vendor accounts, in addition to the data
   * folder. Default: the project.
   */
  readonly accountsFolder?: string;
  /** False: only `sweep()` fires the schedule, not the time. Default true. */
  readonly schedulesFire?: boolean;
  /**
   * Error of the wall clock of each process that starts, in milliseconds: for tests that no decision
   * depends on the wall clock.
   */
  readonly clockOffsetMs?: () => number;
  /**
   * Sees each request to the demo app's server first. A text is the whole answer: what a vendor's callback brings is taken, and the
   * demo app does not show it.
   */
  readonly onCallback?: (url: URL) => string | undefined;
  /** Each line that a function or a trigger logs. */
  readonly onLog?: (source: string, line: string) => void;
}

/** All of Linkspan on this machine, built from the synthesized stacks. */
export interface Platform {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** `<url>/elements/api-v2` */
  readonly baseUrl: string;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly vendors: Readonly<Record<string, StandIn>>;
  readonly demo: DemoFile;
  /**
   * URL that takes over the demo app's accounts of an older version, which stored no owners; absent if
   * there are no such accounts.
   */
  readonly takeOverUrl?: string;
  readonly frontDoor: FrontDoor;
  readonly lambda: LambdaService;
  readonly template: Template;
  /** The operator's access to the front door. */
  readonly operator: OperatorAccess;
  /** Fires the schedule now; resolves when the sweep has answered. */
  sweep(): Promise<InvokeResult>;
  /**
   * Resolves when all work has ended: no function runs, no message is visible or in flight.
   * @throws {Error} the work has not ended within `timeoutMs` (default 20 000)
   */
  settled(timeoutMs?: number): Promise<void>;
  /** The audit log's events since the start, as in its log group; oldest first, each a JSON object. */
  auditLog(): readonly string[];
  /** Ends everything at once. */
  close(): Promise<void>;
}

/**
 * @throws {Error} nothing is synthesized, the port or the folder is in use, or the stacks contain something
 * that the platform does not know
 */
export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const dataFolder = path.resolve(options.dataFolder ?? ".linkspan");
  const assembly = await readAssembly(options.assembly ?? path.join(ROOT, "cdk.out"));
  const onLog = options.onLog ?? (() => {});
  const ends: (() => Promise<void> | void)[] = [];
  let unlock = (): void => {};
  const close = once(async () => {
    await Promise.allSettled(ends.reverse().map((end) => end()));
    // The lock is removed last: the next platform may open the tables only when this one has closed them.
    unlock();
  });

  try {
    // The port comes first: if it is in use, no folder is made.
    const { server, url, handle } = await listen(options.port ?? 0);
    ends.push(() => endServer(server));
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    unlock = lockFolder(dataFolder);
    const accounts = readVendorAccounts([options.accountsFolder ?? ROOT, dataFolder], standInConnectors);
    const baseUrl = `${url}/elements/api-v2`;
    const clock = systemClock();
    const identities = keptIdentities(path.join(dataFolder, "identities.json"));

    const vendors = await startStandIns(
      clock,
      identities,
      callbackUrlsOf(url, baseUrl),
      accounts,
      dataFolder,
      url,
    );
    ends.push(async () => {
      await Promise.allSettled(Object.values(vendors).map((vendor) => vendor.close()));
    });

    let template: Template | undefined;
    const frontDoor = await startFrontDoor({
      clock,
      dataFolder,
      resources: (frontDoorUrl) => {
        template = readTemplate(assembly, {
          queueUrl: (name) => `${frontDoorUrl}/${localAccountId}/${name}`,
        });
        return template;
      },
      principals: () => principalsOf(template as Template, identities),
    });
    ends.push(() => frontDoor.close());
    const stacks = template as Template | undefined;
    if (stacks === undefined) throw new Error("the front door did not ask for its resources");

    const lambda = await startLambda({
      functions: stacks.functions,
      credentials: (name) => identities.of(name),
      endpoint: frontDoor.url,
      // functions/vendor-http/vendor-endpoints.ts reads this variable; no stack sets it.
      environment: { LINKSPAN_VENDOR_ENDPOINTS: JSON.stringify(vendorTable(vendors, accounts, dataFolder)) },
      ...(options.clockOffsetMs === undefined ? {} : { clockOffsetMs: options.clockOffsetMs }),
      onLog: ({ function: name, text }) => onLog(name, text),
    });
    ends.push(() => lambda.close());

    const triggers = startTriggers({
      template: stacks,
      frontDoor,
      lambda,
      identities,
      clock,
      logFolder: path.join(dataFolder, "logs"),
      log: (line) => onLog("platform", line),
      schedulesFire: options.schedulesFire ?? true,
    });
    ends.push(() => triggers.close());

    const operator = operatorAccess(frontDoor.url, identities);
    const outputs = Object.assign({}, ...stacks.stacks.map((stack) => stack.outputs)) as Record<
      string,
      string
    >;
    const demo = await prepareDemoTenant({
      url,
      baseUrl,
      dataFolder,
      connectors: connectorsOf(vendors, accounts, callbackUrlsOf(url, baseUrl)),
      aws: operator,
      outputs,
    });
    ends.push(writePlatformFile(dataFolder, operator, stacks));

    const hosts = ownHosts(url);
    const api = apiGateway({
      api: stacks.api,
      lambda,
      hosts,
      log: (line) => onLog("API Gateway", line),
    });
    const { serve: page, takeOverUrl } = demoApp({
      url,
      settings: demo,
      dataFolder,
      vendors: Object.entries(demo.connectors).map(([key, { consoleUrl }]) => ({
        key,
        name: connectorByKey(key)?.name ?? key,
        description: connectorByKey(key)?.description ?? "",
        ...(accounts[key] === undefined ? { consoleUrl } : {}),
      })),
      expireAccessTokens: (connector) => vendors[connector]?.expireAccessTokens(),
    });
    handle((request, response) => {
      if (request.url?.startsWith(`/${stacks.api.stage}`) === true) return api(request, response);
      // A request with another host name may come from a web page that would read the demo app's pages (DNS
      // rebinding).
      if (hosts.includes(request.headers.host ?? "")) {
        const taken = options.onCallback?.(new URL(request.url ?? "/", url));
        if (taken !== undefined) {
          response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" }).end(taken);
          return;
        }
        const isDocs = request.url === API_DOCS || request.url?.startsWith(`${API_DOCS}/`) === true;
        return isDocs ? serveApiDocs(request, response) : page(request, response);
      }
      response.writeHead(421).end("this server does not serve this host name\n");
    });

    return {
      url,
      baseUrl,
      dataFolder,
      clock,
      vendors,
      demo,
      ...(takeOverUrl === undefined ? {} : { takeOverUrl }),
      frontDoor,
      lambda,
      template: stacks,
      operator,
      sweep: () => triggers.fireSchedule(),
      settled: (timeoutMs = 20_000) => triggers.settled(timeoutMs),
      auditLog: () => triggers.logEvents(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
