import { Unavailable } from "../../errors.ts";
import type { Grant, Instance } from "../../instances/instance.ts";
import { newInstanceId, newInstanceToken } from "../../instances/instance-token.ts";
import { separateSecrets } from "../../instances/secret-keys.ts";
import { present } from "../../present.ts";
import { StoreRefused } from "../../store-refused.ts";
import type { TransientStore } from "../../transients.ts";
import type { Sealer } from "../../vault/ports.ts";
import { announce } from "../announce.ts";
import { noteAccount } from "../consent/account.ts";
import { consentKey, unprovenKey } from "../consent/key.ts";
import type { Call, GrantDeps, ProvisioningDeps } from "../grant-deps.ts";
import { endRefused, notStorable } from "../revocation/end-refused.ts";
import { tellMissingScopes } from "../scopes.ts";
import { dueTimeOf } from "../store/due.ts";
import { refreshGroup } from "../store/refresh-group.ts";
import { sealConfiguration, sealGrant } from "../store/sealed-grant.ts";
import { storeOrRescue, storeWhatItCan } from "../store/store-or-rescue.ts";
import { lacksRefreshToken } from "./carry-over.ts";
import { type CodeExchange, exchangeCode } from "./exchange-code.ts";

/** The values of an instance besides its grant. */
export interface NewInstance {
  readonly name: string;
  readonly tags: readonly string[];
  /** Values that must be sealed, by key; their keys are shown masked. */
  readonly secretConfiguration: Readonly<Record<string, string>>;
  /** The `state` of the app, returned with the instance. */
  readonly appState?: string;
  /** As the app sent it; absent: `none`. */
  readonly externalAuthentication?: string;
}

export type FirstExchange = CodeExchange & NewInstance;

/** A new instance and its token. The token is shown only this once: only its hash is stored. */
export interface Provisioned {
  readonly instance: Instance;
  readonly token: string;
}

/**
 * FIRST EXCHANGE: makes a user's new connection from an authorization code. When this returns, the grant is in
 * the table or the rescue bucket. If the same caller sends the same code again, the error names the instance
 * that the code made.
 * @throws {InvalidRequest} the code is wrong, used, or another client's
 * @throws {VendorError} `grant_not_storable`: the vendor gave more than an item can hold
 * @throws {Unavailable} try again; the code was not sent
 */
export async function provisionInstance(
  deps: ProvisioningDeps,
  transients: TransientStore,
  request: FirstExchange,
  call: Call,
): Promise<Provisioned> {
  const sealer = await deps.vault.prepare(request.organizationId);
  const { id, reading } = await freeId(deps);
  const won = await exchangeCode(deps, transients, request, { instanceId: id, reading }, call);
  const times = { epoch: won.epoch, now: won.grant.obtainedAt };
  const { connector, organizationId, userId } = request;
  const owner = { id, organizationId, userId, connector: connector.key };
  const made = await storeWhatFits(deps, connector, won.grant, call, {
    make: (grant) => newInstance(deps, sealer, id, request, grant, won.credentials.id, times),
    end: (grant) =>
      endRefused(deps, call, owner, { grant, sealer, of: "create", at: times.now, cause: "forced" }),
  });
  tellMissingScopes(deps, call, connector, made.instance, won.grant, won.grant.obtainedAt);
  call.afterAnswer(noteAccount(deps, request.connector, made.instance, won.grant));
  return made;
}

/** A free id, and the store's time. */
export async function freeId(
  deps: Pick<GrantDeps, "instances">,
): Promise<{ id: number; reading: Awaited<ReturnType<GrantDeps["instances"]["get"]>>["reading"] }> {
  for (let tries = 0; tries < 3; tries++) {
    const id = newInstanceId();
    const { value, reading } = await deps.instances.get(id);
    if (value === undefined) return { id, reading };
  }
  throw new Unavailable("no free instance id was found");
}

interface TimesOfNew {
  readonly epoch: string;
  /** Store time. */
  readonly now: number;
  /** Store time of the refresh that proved an imported grant. */
  readonly lastRefreshedAt?: number;
  /** The vendor has not accepted the instance's client yet, neither in a code exchange nor in a refresh. */
  readonly isUnproven?: boolean;
}

/** The item of a new instance, with its grant sealed as version 1. */
export async function newInstance(
  deps: GrantDeps,
  sealer: Sealer,
  id: number,
  request: NewInstance & Pick<CodeExchange, "organizationId" | "userId" | "connector" | "configuration">,
  grant: Grant,
  clientId: string,
  { epoch, now, lastRefreshedAt, isUnproven = false }: TimesOfNew,
): Promise<Provisioned> {
  const { token, hash } = newInstanceToken(id);
  const place = { id, organizationId: request.organizationId };
  // Secrets are separated for every caller, because a session of an earlier version of Linkspan may hold them
  // in plain configuration.
  const { plain, secret } = separateSecrets(request.connector, request.configuration);
  const secretConfiguration = { ...secret, ...request.secretConfiguration };
  const secretKeys = Object.keys(secretConfiguration);
  const due = dueTimeOf(deps, request.connector, grant, { createdAt: now }, now);
  const group = refreshGroup(request.connector.key, clientId);
  const proven = consentKey(request.connector, group);
  const consent = proven !== undefined && isUnproven ? unprovenKey(proven, request.organizationId) : proven;
  const instance: Instance = {
    ...place,
    userId: request.userId,
    connector: request.connector.key,
    name: request.name,
    tags: request.tags,
    createdAt: now,
    updatedAt: now,
    configuration: plain,
    secretConfigurationKeys: secretKeys,
    ...(secretKeys.length === 0
      ? {}
      : { sealedConfiguration: await sealConfiguration(sealer, place, secretConfiguration) }),
    tokenHashes: [{ hash }],
    fence: 1,
    version: 1,
    epoch,
    grant: await sealGrant(sealer, place, 1, grant),
    enabled: true,
    ...(lacksRefreshToken(request.connector, grant) ? { refreshable: false } : {}),
    ...present({ dueAt: due }),
    refreshGroup: group,
    ...present({
      consentKey: consent,
      appState: request.appState,
      externalAuthentication: request.externalAuthentication,
      lastRefreshedAt,
    }),
  };
  return { instance, token };
}

/**
 * Stores a new instance with as much of its grant as the table takes.
 * @param how `make`: the instance with one form of the grant; `end`: ends a grant that the table refuses for
 *   good
 * @throws {VendorError} `grant_not_storable`
 */
export async function storeWhatFits(
  deps: ProvisioningDeps,
  connector: CodeExchange["connector"],
  grant: Grant,
  call: Call,
  how: {
    readonly make: (grant: Grant) => Promise<Provisioned>;
    readonly end: (grant: Grant) => Promise<void>;
  },
): Promise<Provisioned> {
  try {
    const { kept } = await storeWhatItCan(connector, grant, async (each) => {
      const made = await how.make(each);
      await storeNew(deps, made.instance, call);
      return made;
    });
    return kept;
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error;
    await how.end(grant);
    throw notStorable(connector, error);
  }
}

/**
 * Puts a new item, or else its rescue record. Both make the instance, and its event is sent here: the rescue
 * worker does not send it again.
 * @throws {Unavailable} neither store took it: the grant is lost, and counted as lost
 */
async function storeNew(deps: ProvisioningDeps, instance: Instance, call: Call): Promise<void> {
  try {
    await storeOrRescue(
      deps,
      call,
      instance.id,
      () => createOrFind(deps, instance),
      async () => ({ kind: "new", instance }),
    );
  } catch (error) {
    if (error instanceof StoreRefused) throw error;
    const { id: instanceId, connector } = instance;
    deps.outcome({ outcome: "lost", connector, instanceId, cause: "forced" });
    throw new Unavailable(
      "the connection could not be stored; send the user through the authorization URL again",
      "unavailable",
      30,
      error,
    );
  }
  announce(deps, call, instance, { name: "instance.created", at: instance.createdAt, of: "create" });
}

/**
 * Creates the instance, or finds that an earlier try of the same creation has succeeded. @returns whether this call wrote it
 */
export async function createOrFind(
  deps: Pick<ProvisioningDeps, "instances">,
  instance: Instance,
): Promise<"created" | "found"> {
  if (await deps.instances.create(instance)) return "created";
  const { value } = await deps.instances.get(instance.id);
  if (value?.organizationId === instance.organizationId && value.createdAt === instance.createdAt)
    return "found";
  throw new Error(`the id ${instance.id} was taken by another instance`);
}
