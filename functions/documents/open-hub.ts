import { connectorByKey } from "../connectors/catalogue.ts";
import { type HubContext, hubContext } from "../core/documents/hub-context.ts";
import { type Jobs, jobsOf } from "../core/documents/jobs.ts";
import { keptDetailsOf } from "../core/documents/kept-details.ts";
import { type NextPageTokens, nextPageTokens } from "../core/documents/next-page.ts";
import { type VendorCall, vendorCall } from "../core/documents/vendor-call.ts";
import { findDocumentsVendor } from "../core/documents/vendors/index.ts";
import { NotSupported } from "../core/errors.ts";
import type { GrantDeps } from "../core/grant/grant-deps.ts";
import type { Instance } from "../core/instances/instance.ts";
import type { KeptDetailsStore } from "../core/instances/kept-details-store.ts";
import { present } from "../core/present.ts";
import type { StoreReading } from "../core/store-clock.ts";
import type { TenantStore } from "../core/tenants/ports.ts";
import type { TransientStore } from "../core/transients.ts";
import { vendorSession } from "../core/vendor-session.ts";
import { authorizeInstance, type InstanceCaller } from "../http/authorize.ts";
import { logUnexpected } from "../http/log-unexpected.ts";
import type { HttpRequest } from "../http/request.ts";
import { accountFacts } from "./account-facts.ts";

/** All resources that this function may use. */
export interface DocumentsDeps {
  readonly tenants: TenantStore;
  /** Also contains the instances table, the vault and the HTTP client for vendors. */
  readonly grants: GrantDeps;
  readonly keptDetails: KeptDetailsStore;
  /** Keeps the jobs. */
  readonly transients: Pick<TransientStore, "put" | "get" | "replace" | "now">;
}

/** The hub for one caller and one request. */
export interface OpenHub extends HubContext {
  readonly instance: Instance;
  /** The store's time when the instance was read. */
  readonly reading: StoreReading;
  /** Hash of the instance token in the request; absent: the request has none. */
  readonly tokenHash?: string;
  readonly nextPages: NextPageTokens;
  readonly jobs: Jobs;
  /** Parameter `teamDriveId`: the call's paths are paths in this drive. */
  readonly teamDriveId?: string;
}

/** Authorizes the caller, and opens the hub of the caller's instance. */
export async function openHub(request: HttpRequest, deps: DocumentsDeps): Promise<OpenHub> {
  const caller = await authorizeInstance(request, {
    tenants: deps.tenants,
    instances: deps.grants.instances,
  });
  return { ...(await openHubOf(caller, request, deps)), tokenHash: caller.tokenHash };
}

/** Opens the hub for an instance that is already authorized. */
export async function openHubOf(
  { instance, reading }: Pick<InstanceCaller, "instance" | "reading">,
  request: HttpRequest,
  { grants, keptDetails, transients }: DocumentsDeps,
): Promise<OpenHub> {
  const connector = connectorByKey(instance.connector);
  const vendor = await findDocumentsVendor(instance.connector);
  if (connector === undefined || vendor === undefined) {
    throw new NotSupported("the Documents hub", instance.connector);
  }
  const session = vendorSession({
    grants,
    http: grants.http,
    read: { instance, reading },
    call: request,
    connector,
  });
  const { sleep, random } = grants;
  const facts = accountFacts(grants, connector, instance, () => call, session, request);
  const call: VendorCall = vendorCall({
    session,
    refusal: vendor.refusal,
    instance: {
      configuration: instance.configuration,
      told: async () => ({ ...(await session.told()), ...(await facts()) }),
      ...present({
        member: memberIn(request.headers["elements-as-team-member"]),
        subsite: request.headers.subsite?.trim() || undefined,
      }),
    },
    sleep,
    random,
  });
  const kept = keptDetailsOf({
    store: keptDetails,
    vault: grants.vault,
    instance,
    exists: async () => {
      const { value } = await grants.instances.get(instance.id);
      return value !== undefined && value.deleting !== true;
    },
    report: (error) => logUnexpected(error, request),
  });
  const jobs = jobsOf({ transients, vault: grants.vault, instance });
  const { remainingMs } = request;
  return {
    ...hubContext(vendor, call, { remainingMs, sleep, ...present({ kept }) }),
    instance,
    reading,
    jobs,
    nextPages: nextPageTokens(grants.vault, instance),
  };
}

/** Empty, and `false`, ask for nobody. */
function memberIn(header: string | undefined): string | undefined {
  const member = header?.trim();
  return member === "" || member?.toLowerCase() === "false" ? undefined : member;
}
