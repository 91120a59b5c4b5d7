import type { Connector } from "../../functions/connectors/define-connector.ts";
import type { WorkerDeps } from "../../functions/core/grant/grant-deps.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { provisionInstance } from "../../functions/core/grant/sign-in/first-exchange.ts";
import { tokenEndpoint } from "../../functions/core/oauth/token-endpoint.ts";
import { readBody } from "../../functions/core/read-body.ts";
import { type VendorSession, vendorSession } from "../../functions/core/vendor-session.ts";
import { createVendorHttp } from "../../functions/vendor-http/vendor-http.ts";
import { CalmWorld } from "../grant/calm-world.ts";
import { vendorKindHooks } from "./hooks.ts";
import { type VendorKind, VendorKindsServer, vendorClient } from "./server.ts";

const MINUTE = 60_000;

/**
 * One user's connection to a vendor of one kind: the real token endpoint, session and grant's life over real HTTP, with a
 * table in memory and a clock that moves only when a test moves it.
 */
export class VendorLife {
  readonly world: CalmWorld;
  readonly vendors: VendorKindsServer;
  readonly connector: Connector;
  readonly deps: WorkerDeps;
  #id = 0;

  private constructor(connector: Connector, vendors: VendorKindsServer, world: CalmWorld) {
    this.connector = connector;
    this.vendors = vendors;
    this.world = world;
    const http = createVendorHttp();
    this.deps = {
      ...world.deps,
      http,
      tokens: tokenEndpoint(http, vendorKindHooks),
      clients: { resolve: async () => vendorClient },
      connectors: (key) => (key === connector.key ? connector : undefined),
      // A call waits for real answers; a wait by our clock ends at once.
      sleep: async (ms, signal) => {
        if (ms === world.deps.timing.freshTokenWaitMs) await world.pass(ms);
        else await world.deps.sleep(ms, signal);
      },
    };
  }

  /** @param prepare changes the vendor's rules before it issues the first token */
  static async connect(
    connector: Connector,
    prepare: (vendors: VendorKindsServer) => void = () => {},
    configuration: Readonly<Record<string, string>> = {},
  ): Promise<VendorLife> {
    const world = new CalmWorld();
    const vendors = await VendorKindsServer.start(() => world.now);
    process.env.LINKSPAN_VENDOR_ENDPOINTS = JSON.stringify(vendors.hosts);
    prepare(vendors);
    const life = new VendorLife(connector, vendors, world);
    const { instance } = await provisionInstance(
      life.deps,
      world.transients,
      {
        organizationId: "org",
        userId: "user",
        connector,
        client: { kind: "registered", appId: "app" },
        code: vendors.code(connector.key as VendorKind),
        redirectUri: "https://app.example/cb",
        configuration,
        secretConfiguration: {},
        name: "Mine",
        tags: [],
      },
      world.call,
    );
    life.#id = instance.id;
    return life;
  }

  async close(): Promise<void> {
    delete process.env.LINKSPAN_VENDOR_ENDPOINTS;
    await this.vendors.close();
  }

  get id(): number {
    return this.#id;
  }

  get stored() {
    return this.world.stored(this.#id);
  }

  /** Number of refreshes so far, without the requests of the code exchange. */
  get refreshes(): number {
    return this.vendors.tokenRequests.filter(
      ({ path, fields }) => path === "/refresh_access_token" || fields.grant_type === "refresh_token",
    ).length;
  }

  /** Number of calls that a vendor refused because their token had ended. */
  get refused(): number {
    return this.vendors.apiCalls.filter(({ status }) => status === 401).length;
  }

  /** A session with the vendor for one call. */
  async session(): Promise<VendorSession> {
    const { deps, connector, world } = this;
    const read = await world.read(this.#id);
    return vendorSession({ grants: deps, http: deps.http, read, call: world.call, connector });
  }

  /** A call to the vendor's API, as the hub and the proxy make it. @returns the vendor's status */
  async call(within?: VendorSession): Promise<number> {
    const session = within ?? (await this.session());
    const url = `${(await session.endpoint()).origin}/me`;
    const response = await session.send({ method: "GET", url, headers: [], timeoutMs: 5_000 });
    await readBody(response, 1_000);
    await Promise.all(this.world.after.splice(0));
    return response.status;
  }

  /** Lets time pass, with a sweep each minute: what is due goes to the worker. */
  async pass(ms: number): Promise<void> {
    const { world } = this;
    const end = world.now + ms;
    while (world.now < end) {
      const { dueAt = Number.POSITIVE_INFINITY } = this.stored;
      const sweepAt = Math.ceil(Math.max(dueAt, world.now + 1) / MINUTE) * MINUTE;
      await world.pass(Math.min(sweepAt, end) - world.now);
      if (sweepAt <= end) await this.work();
    }
  }

  /** Runs the worker, as a message of the queue would. */
  async work(cause: "schedule" | "unauthorized" = "schedule"): Promise<void> {
    const { deps, world } = this;
    await refreshDue(deps, { instanceId: this.#id, cause }, world.call);
    await Promise.all(world.after.splice(0));
  }
}
