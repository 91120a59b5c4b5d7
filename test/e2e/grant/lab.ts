import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { AwsFault } from "../../../local/aws/types.ts";
import type { PlatformOptions } from "../../../local/platform.ts";
import { assemblyForTests } from "../../assemblies.ts";
import { until } from "../../platform/functions.ts";
import { type RunningPlatform, startTestPlatform } from "../../platform/start.ts";
import { vendorKinds } from "../../vendor-kinds/connectors.ts";
import { startFamilyVendor } from "../../vendor-kinds/family-vendor.ts";
import { type Gate, startGate } from "../../vendor-kinds/gate.ts";
import { type VendorKind, VendorKindsServer, vendorClient } from "../../vendor-kinds/server.ts";
import { startStrictVendor } from "../../vendor-kinds/strict-vendor.ts";
import type { TestVendor } from "../../vendor-kinds/vendor.ts";
import { type Answer, App, type CreatedInstance } from "../app.ts";
import { operatorOf } from "../tenants.ts";

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
/** The length of a lease, and the second by which the `Date` header may be late. */
export const LEASE_MS = 102 * SECOND;

export type Kind = "strict" | "grace" | "steady" | "again";

/** One of the tests' vendors, and the gate in front of the vendor. */
export interface LabVendor extends TestVendor {
  readonly gate: Gate;
  /** Requests with a refresh token. */
  refreshes(): number;
  /** How often the refresh token that was sent most often was sent. */
  mostSent(): number;
}

export interface Status {
  readonly valid: boolean;
  readonly expiresAt: string;
  readonly lastRefreshedAt: string | null;
  readonly lastError: {
    readonly at: string | null;
    readonly code: string;
    readonly error: string | null;
    readonly errorDescription: string | null;
  } | null;
  readonly nextRefreshAt: string | null;
}

/**
 * The whole platform with the tests' own vendors in its bundles: for tests of a grant when vendors are slow, processes die
 * and AWS fails.
 */
export class GrantLab {
  readonly platform: RunningPlatform;
  readonly app: App;
  readonly vendors: Readonly<Record<Kind, LabVendor>>;
  /** The vendors for the kinds of grants; they use the platform's clock. */
  readonly kinds: VendorKindsServer;
  readonly #folder: string;
  #releases: (() => void)[] = [];

  private constructor(
    folder: string,
    platform: RunningPlatform,
    app: App,
    vendors: Record<Kind, LabVendor>,
    kinds: VendorKindsServer,
  ) {
    this.#folder = folder;
    this.platform = platform;
    this.app = app;
    this.vendors = vendors;
    this.kinds = kinds;
  }

  static async start(options: Pick<PlatformOptions, "clockOffsetMs"> = {}): Promise<GrantLab> {
    const callbackUrl = (kind: string): string => `https://app.example/callback/${kind}`;
    const folder = await mkdtemp(path.join(tmpdir(), "linkspan-grant-lab-"));
    const clients = Object.fromEntries(
      (["strict", "grace", "steady", "again"] as const).map((kind) => [
        kind,
        { clientId: `${kind}-client`, clientSecret: `${kind}-secret`, redirectUris: [callbackUrl(kind)] },
      ]),
    ) as Record<Kind, { clientId: string; clientSecret: string; redirectUris: string[] }>;
    const vendors = {
      strict: await gated(await startStrictVendor(clients.strict)),
      grace: await gated(await startFamilyVendor("grace", clients.grace)),
      steady: await gated(await startFamilyVendor("steady", clients.steady)),
      again: await gated(await startFamilyVendor("again", clients.again)),
    };
    let platform: RunningPlatform | undefined;
    const kinds = await VendorKindsServer.start(() => platform?.clock.now() ?? Date.now());
    const gates = Object.entries(vendors).map(([kind, { gate }]) => [`${kind}.vendor.example`, gate.origin]);
    const hosts = { ...Object.fromEntries(gates), ...kinds.hosts };
    await writeFile(path.join(folder, "vendors.json"), JSON.stringify(hosts));
    platform = await startTestPlatform({ ...options, dataFolder: folder, assembly: assemblyForTests });
    const admin = operatorOf(platform);
    const [organization] = await admin.listOrganizations();
    const connectors = { ...platform.demo.connectors };
    for (const [kind, client] of Object.entries(clients)) {
      const { clientId, clientSecret, redirectUris: callbackUrls } = client;
      const organizationId = organization?.id ?? "";
      await admin.registerApp({ organizationId, connector: kind, clientId, clientSecret, callbackUrls });
      connectors[kind] = { clientId, clientSecret, callbackUrls, consoleUrl: "" };
    }
    for (const { key: connector } of vendorKinds) {
      await admin.registerApp({
        organizationId: organization?.id ?? "",
        connector,
        clientId: vendorClient.id,
        clientSecret: vendorClient.secret,
        callbackUrls: [callbackUrl(connector)],
      });
    }
    return new GrantLab(folder, platform, new App({ ...platform.demo, connectors }), vendors, kinds);
  }

  async close(): Promise<void> {
    await this.platform.close();
    await Promise.all(Object.values(this.vendors).flatMap((vendor) => [vendor.gate.close(), vendor.close()]));
    await this.kinds.close();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Removes all faults and holds, and clears all counts. */
  clear(): void {
    this.platform.frontDoor.clearFaults();
    for (const release of this.#releases) release();
    this.#releases = [];
    for (const vendor of Object.values(this.vendors)) vendor.gate.clear();
    for (const vendor of Object.values(this.platform.vendors)) {
      vendor.clearFaults();
      vendor.clearRequests();
    }
  }

  /** Creates a new connection to a vendor of one of the kinds, right after the user's consent. */
  async connectKind(kind: VendorKind): Promise<CreatedInstance> {
    const answer = await this.app.platform<CreatedInstance>("POST", "/instances", {
      element: { key: kind },
      providerData: { code: this.kinds.code(kind) },
    });
    if (answer.status !== 200) throw new Error(`${kind}: ${answer.status} ${JSON.stringify(answer.body)}`);
    await this.platform.settled();
    this.kinds.tokenRequests.length = 0;
    return answer.body;
  }

  /** Creates a new connection whose token has run out, with all counts at zero. */
  async connectExpired(kind: Kind, name?: string): Promise<CreatedInstance> {
    const instance = await this.app.connect(kind, name === undefined ? {} : { name });
    await this.platform.settled();
    this.platform.clock.advance(HOUR + MINUTE);
    this.vendors[kind].gate.clear();
    return instance;
  }

  /** One cheap call to the vendor's API through the proxy: 200 only with a valid access token. */
  me(instance: { readonly token: string }): Promise<Answer<{ id?: string; code?: string }>> {
    return this.app.hub(instance.token, "GET", "/proxy/api/me");
  }

  async status({ id }: { readonly id: number }): Promise<Status> {
    return (await this.app.platform<Status>("GET", `/instances/${id}/status`)).body;
  }

  /** Fires the schedule and waits until everything that it starts has ended. */
  async sweep(): Promise<void> {
    await this.platform.sweep();
    await this.platform.settled(90_000);
  }

  /** Holds the next matching AWS call (after `skip` of them) until it is released: before it acts, or before its answer. */
  holdAws(
    when: "before" | "after",
    fault: Pick<AwsFault, "service" | "action" | "principal" | "skip">,
  ): { reached: Promise<void>; release: () => void } {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#releases.push(released.resolve);
    const hold = (): Promise<void> => {
      reached.resolve();
      return released.promise;
    };
    this.platform.frontDoor.fail({ ...fault, ...(when === "before" ? { hold } : { holdAnswer: hold }) });
    return { reached: reached.promise, release: released.resolve };
  }

  /**
   * Kills a function's processes, as a crash would, and waits until they have ended. A process that starts meanwhile stays.
   */
  async kill(name: "Connections" | "Proxy"): Promise<void> {
    const { lambda } = this.platform;
    const pids = () => lambda.processes(name).map(({ pid }) => pid);
    const killed = pids();
    lambda.kill(name);
    await until(() => !killed.some((pid) => pids().includes(pid)), `the processes of ${name} are gone`);
  }

  /** The outcomes in the metrics of all functions for an instance, in order. */
  outcomes({ id }: { readonly id: number }): string[] {
    return ["Connections", "Documents", "Proxy", "RefreshWorker"]
      .flatMap((name) => this.platform.lambda.metrics(name))
      .filter((line) => line.instanceId === id && line.Outcome !== undefined)
      .map((line) => String(line.Outcome));
  }
}

async function gated(vendor: TestVendor): Promise<LabVendor> {
  const gate = await startGate(vendor.origin);
  const sent = (): string[] => gate.requests.flatMap(({ form }) => form.get("refresh_token") ?? []);
  return {
    ...vendor,
    gate,
    refreshes: () => sent().length,
    mostSent: () =>
      Math.max(
        0,
        ...Object.values(Object.groupBy(sent(), (token) => token)).map((each) => each?.length ?? 0),
      ),
    close: () => vendor.close(),
  };
}
