import { NotFound, Unavailable } from "../../errors.ts";
import type { Grant } from "../../instances/instance.ts";
import type { PendingInstance, PendingKey, PendingSignIn } from "../../instances/pending-sign-in.ts";
import { separateSecrets } from "../../instances/secret-keys.ts";
import { present } from "../../present.ts";
import { StoreRefused } from "../../store-refused.ts";
import type { TransientStore } from "../../transients.ts";
import type { Sealer } from "../../vault/ports.ts";
import { lookUpAccount } from "../consent/account.ts";
import { consentKey } from "../consent/key.ts";
import type { Call, GrantDeps, SignInDeps } from "../grant-deps.ts";
import { endRefused, notStorable } from "../revocation/end-refused.ts";
import { missingScopes } from "../scopes.ts";
import { type CodeExchange, type CodeTarget, exchangeCode } from "../sign-in/exchange-code.ts";
import { freeId } from "../sign-in/first-exchange.ts";
import { refreshGroup } from "../store/refresh-group.ts";
import { sealConfiguration } from "../store/sealed-grant.ts";
import { sealPending } from "../store/sealed-pending.ts";
import { storeOrRescue, storeWhatItCan } from "../store/store-or-rescue.ts";

export interface HostedSignIn extends CodeExchange {
  readonly sessionId: string;
  /** Store time at which the grant ends unless it is claimed. */
  readonly endsAt: number;
  /** The existing instance to sign in to, or the values of a new connection. */
  readonly into:
    | { readonly instanceId: number }
    | {
        readonly name: string;
        readonly tags: readonly string[];
        readonly secretConfiguration: Readonly<Record<string, string>>;
      };
}

/**
 * PENDING: exchanges the code of a hosted sign-in, and keeps its grant apart until the claim. When this
 * returns, the grant is in the table or the rescue bucket, and no existing instance has changed.
 * @returns the key for the claim, and the scopes that were asked for and not granted
 * @throws {NotFound} the instance to sign in to does not exist any more
 * @throws {InvalidRequest} the code is wrong, used, or another client's
 * @throws {Unavailable} try again; the code was not sent, or its grant is lost
 */
export async function holdSignIn(
  deps: SignInDeps,
  transients: TransientStore,
  request: HostedSignIn,
  call: Call,
): Promise<{ readonly key: PendingKey; readonly missingScopes: readonly string[] }> {
  const { connector, organizationId, into } = request;
  const sealer = await deps.vault.prepare(organizationId);
  const target = await targetOf(deps, into);
  const won = await exchangeCode(deps, transients, request, target, call);
  const key: PendingKey = { instanceId: target.instanceId, sessionId: request.sessionId, epoch: won.epoch };
  const group = refreshGroup(connector.key, won.credentials.id);
  const consent = consentKey(connector, group);
  const pending: Omit<PendingSignIn, "grant"> = {
    ...key,
    organizationId,
    userId: request.userId,
    connector: connector.key,
    at: won.grant.obtainedAt,
    endsAt: request.endsAt,
    refreshGroup: group,
    ...present({ consentKey: consent }),
    ...("instanceId" in into
      ? {}
      : { newInstance: await newInstanceOf(sealer, target.instanceId, request, into) }),
  };
  try {
    await storeWhatItCan(connector, won.grant, async (grant) => {
      const sealed = { ...pending, grant: await sealPending(sealer, { ...key, organizationId }, grant) };
      // If this put is refused, an earlier put of ours succeeded and only its answer was lost.
      const put = () => deps.pendings.put(sealed);
      return await storeOrRescue(deps, call, key.instanceId, put, async () => ({
        kind: "pending",
        pending: sealed,
      }));
    });
  } catch (error) {
    if (error instanceof StoreRefused) {
      const owner = { id: key.instanceId, organizationId, userId: request.userId, connector: connector.key };
      const refused = { grant: won.grant, sealer, of: won.epoch, at: pending.at, cause: "forced" as const };
      await endRefused(deps, call, owner, refused);
      throw notStorable(connector, error);
    }
    deps.outcome({
      outcome: "lost",
      connector: connector.key,
      instanceId: key.instanceId,
      cause: "forced",
    });
    throw new Unavailable("the sign-in could not be stored; sign in again", "unavailable", 30, error);
  }
  call.afterAnswer(notePendingAccount(deps, request, key, group, won.grant));
  return { key, missingScopes: missingScopes(connector, won.grant) };
}

async function targetOf(deps: Pick<GrantDeps, "instances">, into: HostedSignIn["into"]): Promise<CodeTarget> {
  if (!("instanceId" in into)) {
    const { id: instanceId, reading } = await freeId(deps);
    return { instanceId, reading };
  }
  const { instanceId } = into;
  const { value: instance, reading } = await deps.instances.get(instanceId);
  if (instance === undefined || instance.deleting === true) {
    throw new NotFound(`there is no instance ${instanceId}`, "unknown_instance");
  }
  return { instanceId, reading, seenEpoch: instance.epoch };
}

async function newInstanceOf(
  sealer: Sealer,
  id: number,
  {
    organizationId,
    connector,
    configuration,
  }: Pick<HostedSignIn, "organizationId" | "connector" | "configuration">,
  { name, tags, secretConfiguration }: Exclude<HostedSignIn["into"], { instanceId: number }>,
): Promise<PendingInstance> {
  // A session of an earlier version of Linkspan may hold secrets in plain configuration: separate them, so that
  // they are sealed.
  const { plain, secret } = separateSecrets(connector, configuration);
  const secrets = { ...secret, ...secretConfiguration };
  const secretConfigurationKeys = Object.keys(secrets);
  const about = { name, tags, configuration: plain, secretConfigurationKeys };
  if (secretConfigurationKeys.length === 0) return about;
  return { ...about, sealedConfiguration: await sealConfiguration(sealer, { id, organizationId }, secrets) };
}

/** Best effort: if the account is not noted, the claim looks it up again. Never throws. */
async function notePendingAccount(
  deps: SignInDeps,
  { connector, configuration }: Pick<HostedSignIn, "connector" | "configuration">,
  key: PendingKey,
  group: string,
  grant: Grant,
): Promise<void> {
  try {
    const account = await lookUpAccount(deps, connector, grant, configuration);
    if (account === undefined) return;
    const consent = consentKey(connector, group, account);
    await deps.pendings.noteAccount(key, {
      account,
      ...present({ consentKey: consent }),
    });
  } catch {
    // The sign-in can be claimed without a noted account.
  }
}
