import { setTimeout as delay } from "node:timers/promises";
import { connectorByKey, hooksOf } from "../connectors/catalogue.ts";
import type { GrantDeps, ProvisioningDeps, SignInDeps, WorkerDeps } from "../core/grant/grant-deps.ts";
import { clientPauses } from "../core/grant/refresh/client-pauses.ts";
import { refusedGrants } from "../core/grant/refresh/refused-grants.ts";
import { timing } from "../core/grant/timing.ts";
import type { InstanceLists } from "../core/instances/instance-store.ts";
import type { KeptDetailsStore } from "../core/instances/kept-details-store.ts";
import { clientResolver } from "../core/oauth/client-resolver.ts";
import { type Discover, discovery } from "../core/oauth/discover.ts";
import { tokenEndpoint } from "../core/oauth/token-endpoint.ts";
import { markInstances, type SuspensionWork } from "../core/tenants/mark-instances.ts";
import type { TenantStore } from "../core/tenants/ports.ts";
import { countTenantUse, type TenantUse } from "../core/tenants/tenant-use.ts";
import type { TransientStore } from "../core/transients.ts";
import type { Vault } from "../core/vault/ports.ts";
import { createVault } from "../core/vault/vault.ts";
import type { VendorHttp } from "../core/vendor-http.ts";
import { enqueuers, enqueueSuspension } from "../core/work-queue/enqueue.ts";
import type { WorkQueue } from "../core/work-queue/work.ts";
import { createVendorHttp } from "../vendor-http/vendor-http.ts";
import { announcer } from "./announcer.ts";
import { environment } from "./environment.ts";
import { eventBus } from "./event-bus.ts";
import { countInstances, instanceLists, instanceSiblings, ownerList } from "./instances/indexes.ts";
import { instanceCreation, instanceItems, instanceRemoval, instanceSuspension } from "./instances/items.ts";
import { keptDetails } from "./instances/kept-details.ts";
import { pendingRemoval, pendingSignIns } from "./instances/pending.ts";
import type { InstanceTableOptions } from "./instances/update-item.ts";
import { kmsKeyService } from "./kms.ts";
import { grantHeld, refreshOutcome } from "./outcome-metrics.ts";
import { rescueRecords } from "./rescue/bucket.ts";
import { rescueRemoval } from "./rescue/removal.ts";
import { dynamoClient, type StoreClient } from "./store-time.ts";
import { tenantTable } from "./tenants/table.ts";
import { transientTable } from "./transient-table.ts";
import { usageSums } from "./usage-sums.ts";
import { workQueue } from "./work-queue.ts";

// The parts of the functions. Each part is made once per process, at its first use. They are plain functions, so that a
// bundle holds only the parts that its handler uses, and only the SDK commands that its role allows.

const made = new Map<unknown, unknown>();

function once<T>(make: () => T): T {
  if (!made.has(make)) made.set(make, make());
  return made.get(make) as T;
}

const DAY_MS = 86_400_000;

/** The one DynamoDB client of the process, and the store's clock, read from the client's answers. */
export function store(): StoreClient {
  return once(makeStore);
}
const makeStore = (): StoreClient => dynamoClient();

export function tenants(): TenantStore {
  return once(makeTenants);
}
const makeTenants = (): TenantStore =>
  tenantTable({ client: store().documents, tableName: environment("TENANTS_TABLE") });

export function transients(): TransientStore {
  return once(makeTransients);
}
const makeTransients = (): TransientStore =>
  transientTable({
    client: store().documents,
    tableName: environment("TRANSIENTS_TABLE"),
    clock: store().clock,
  });

/** The limit on an organization's requests; `undefined`: the operator set none. */
export function tenantUse(): TenantUse | undefined {
  return once(makeTenantUse);
}
// Must stay one expression: if the stacks set no limit, bin/bundle.ts replaces the variable with `undefined`, and the bundler
// drops the rest.
const makeTenantUse = (): TenantUse | undefined =>
  process.env.TENANT_REQUESTS_PER_MINUTE === undefined
    ? undefined
    : countTenantUse({
        requestsPerMinute: Number(process.env.TENANT_REQUESTS_PER_MINUTE),
        now: () => store().clock.now(),
        add: usageSums({ client: store().documents, tableName: environment("TRANSIENTS_TABLE") }),
      });

export function vault(): Vault {
  return once(makeVault);
}
const makeVault = (): Vault =>
  createVault({
    keys: kmsKeyService({ keyArn: environment("VAULT_KEY_ARN") }),
    organization: (id, options) => tenants().organization(id, options),
  });

/** The HTTP client for all requests to vendors. */
function http(): VendorHttp {
  return once(makeVendorHttp);
}
const makeVendorHttp = (): VendorHttp => createVendorHttp();

/** Reads vendors' metadata documents. */
export function discover(): Discover {
  return once(makeDiscover);
}
const makeDiscover = (): Discover => discovery(http());

/** The work queue, for the functions that may send to it. */
function queue(): WorkQueue {
  return once(makeQueue);
}
const makeQueue = (): WorkQueue => workQueue({ queueUrl: environment("REFRESH_QUEUE_URL") });

function instanceOptions(): InstanceTableOptions {
  return {
    client: store().documents,
    tableName: environment("INSTANCES_TABLE"),
    shards: Number(environment("REFRESH_SHARDS")),
  };
}

/** The details of files that vendors do not keep: documents. */
export function keptDetailsStore(): KeptDetailsStore {
  return keptDetails(instanceOptions());
}

/** The dependencies for using and refreshing grants: documents and proxy. */
export function grantDeps(): GrantDeps {
  return once(makeGrantDeps);
}
const makeGrantDeps = (): GrantDeps => ({
  ...sharedDeps(),
  enqueueRefresh: enqueuers(queue).enqueueRefresh,
});

const sharedDeps = (): Omit<GrantDeps, "enqueueRefresh"> => ({
  instances: instanceItems(instanceOptions()),
  rescue: rescueRecords({ bucket: environment("RESCUE_BUCKET") }),
  vault: vault(),
  tokens: tokenEndpoint(http(), hooksOf),
  clients: clientResolver({ tenants: tenants(), vault: vault() }),
  http: http(),
  connectors: connectorByKey,
  monotonic: () => performance.now(),
  random: Math.random,
  // An abort is not an error: the caller stopped waiting.
  sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
  timing,
  pauses: clientPauses(transients(), timing),
  outcome: refreshOutcome,
  announce: announcer(queue),
  activeWindowMs: Number(environment("ACTIVE_WINDOW_DAYS")) * DAY_MS,
});

/** The dependencies for pending sign-ins: connections and the worker use them. */
const pendingDeps = (): Pick<SignInDeps, "pendings" | "enqueuePending"> => ({
  pendings: pendingSignIns(instanceOptions()),
  enqueuePending: enqueuers(queue).enqueuePending,
});

/** The dependencies for creating and listing instances: connections. */
export function connectionDeps(): ProvisioningDeps & { readonly instances: InstanceLists } {
  return once(makeConnectionDeps);
}
const makeConnectionDeps = (): ProvisioningDeps & { readonly instances: InstanceLists } => {
  const deps = grantDeps();
  const options = instanceOptions();
  return {
    ...deps,
    ...pendingDeps(),
    enqueueDeletion: enqueuers(queue).enqueueDeletion,
    instances: { ...deps.instances, ...instanceCreation(options), ...instanceLists(options) },
  };
};

/** For the worker: creates and removes instances, deletes rescue records, publishes events, and tracks refused grants. */
export function workerDeps(): WorkerDeps & {
  readonly markInstances: (work: SuspensionWork) => Promise<void>;
} {
  return once(makeWorkerDeps);
}
const makeWorkerDeps = (): ReturnType<typeof workerDeps> => {
  const deps = sharedDeps();
  const options = instanceOptions();
  const pending = pendingDeps();
  return {
    ...deps,
    ...pending,
    pendings: { ...pending.pendings, ...pendingRemoval(options) },
    instances: {
      ...deps.instances,
      ...instanceCreation(options),
      ...instanceRemoval(options),
      ...instanceSiblings(options),
    },
    rescue: { ...deps.rescue, ...rescueRemoval({ bucket: environment("RESCUE_BUCKET") }) },
    refused: refusedGrants({
      transients: transients(),
      timing,
      count: countInstances(options),
      held: grantHeld,
    }),
    publish: eventBus({ busName: environment("EVENT_BUS_NAME") }),
    // The worker does this work itself, so it enqueues none.
    enqueueRefresh: refuseToEnqueue,
    enqueueDeletion: refuseToEnqueue,
    markInstances: (work) =>
      markInstances(
        {
          user: (organizationId, userId) => tenants().user(organizationId, userId, { fresh: true }),
          instances: { ...ownerList(options), ...instanceSuspension(options) },
          goOn: (rest) => enqueueSuspension(queue(), rest),
        },
        work,
      ),
  };
};
const refuseToEnqueue = (): Promise<void> => Promise.reject(new Error("the worker enqueues no work"));
