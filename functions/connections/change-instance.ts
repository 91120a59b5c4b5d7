import { randomInt } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Conflict, InvalidRequest, NotFound } from "../core/errors.ts";
import { signInAgain } from "../core/grant/sign-in/sign-in.ts";
import { openConfiguration, openGrant, sealConfiguration } from "../core/grant/store/sealed-grant.ts";
import { latestNow } from "../core/grant/timing.ts";
import { checkConfiguration, configurationBytes } from "../core/instances/budgets.ts";
import type { Instance, OAuthClient } from "../core/instances/instance.ts";
import type { InstanceChanges } from "../core/instances/instance-store.ts";
import { separateSecrets } from "../core/instances/secret-keys.ts";
import { epochAfter, epochOf, hashOf } from "../core/instances/sign-in-epoch.ts";
import { checkIssuer } from "../core/oauth/authorization-response.ts";
import { signInEndpoint } from "../core/oauth/sign-in-endpoint.ts";
import { present } from "../core/present.ts";
import { type HttpRequest, json } from "../http/request.ts";
import { readConfiguration } from "./configuration-values.ts";
import type { ConnectionHandle } from "./contracts.ts";
import { authorizationOf, redirectUriOf, restoringState } from "./create-instance.ts";
import type { ConnectionDeps } from "./deps.ts";
import { codeOf, extraOf, type InstanceBody } from "./instance-body.ts";
import { instanceRepresentation } from "./instance-representation.ts";
import { missingScopesOf } from "./missing-scopes.ts";
import type { OwnInstance } from "./own-instance.ts";

/**
 * PUT (replaces the configuration) and PATCH (changes the given values), by id or by instance token. Name,
 * tags and configuration change; id and token stay. With `providerData.code` the user signs in again: the
 * instance gets a new grant.
 */
export function changeInstance(
  deps: () => ConnectionDeps,
  how: "whole" | "given",
): ConnectionHandle<"instances.put" | "instances.patch"> {
  return async (request, { caller: own, body }) => {
    const code = codeOf(body.providerData ?? {});
    request.logContext.changed = CHANGEABLE.filter((field) => body[field] !== undefined);
    if (code !== undefined) request.logContext.action = "instance.sign_in";
    const instance =
      code === undefined
        ? await changeStored(deps(), own, body, how)
        : await signIn(deps(), request, own, body, code, await changesOf(deps(), own, body, how));
    const missing = code === undefined ? {} : await missingScopesOf(deps(), instance);
    return json({ ...instanceRepresentation(instance, own.user), ...missing });
  };
}

const CHANGEABLE = ["name", "tags", "configuration"] as const;

interface Changes {
  readonly instance: InstanceChanges;
  /** The OAuth client of the request, if it differs from the stored one. */
  readonly client?: { readonly id: string; readonly secret: string };
}

/** Fields of the OAuth client that obtained the grant: only a new sign-in changes them. */
const OF_THE_CLIENT = ["oauth.api.key", "oauth.api.secret"];

/** @throws {InvalidRequest} the body has another OAuth client, but no new code */
async function changesOf(
  deps: ConnectionDeps,
  { instance, connector }: Pick<OwnInstance, "instance" | "connector">,
  body: InstanceBody,
  how: "whole" | "given",
): Promise<Changes> {
  const label: InstanceChanges = {
    ...(body.name === undefined || body.name === "" ? {} : { name: body.name }),
    ...present({ tags: body.tags }),
  };
  const stillInClear = Object.keys(separateSecrets(connector, instance.configuration).secret).length > 0;
  if (body.configuration === undefined && !stillInClear) return { instance: label };
  const sent = readConfiguration(connector, body.configuration ?? {});
  const stored = await openConfiguration(deps.grants.vault, instance);
  const keepsAll = how === "given" || body.configuration === undefined;
  const kept = (key: string) => keepsAll || sent.unchanged.includes(key) || key.startsWith("oauth.");
  const pick = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).filter(([key]) => kept(key)));
  // Seals secrets that an earlier version stored in clear. A clear value replaces a sealed value, because it
  // is newer.
  const old = separateSecrets(connector, pick(instance.configuration));
  const sealedBefore = { ...pick(stored), ...old.secret };
  for (const key of Object.keys(sent.plain)) delete sealedBefore[key];
  const plain = { ...old.plain, ...sent.plain };
  const secret = { ...sealedBefore, ...sent.secret };
  const storedBytes = configurationBytes({ plain: instance.configuration, secret: stored });
  checkConfiguration({ plain, secret }, storedBytes);

  const clientChanges =
    (plain["oauth.api.key"] ?? "") !== (instance.configuration["oauth.api.key"] ?? "") ||
    (secret["oauth.api.secret"] ?? "") !== (stored["oauth.api.secret"] ?? "");
  if (clientChanges && codeOf(body.providerData ?? {}) === undefined) {
    const field = OF_THE_CLIENT.find((key) => key in sent.plain || key in sent.secret) ?? "oauth.api.key";
    throw new InvalidRequest(
      `configuration.${field} changes only with a new sign-in: send providerData.code, too`,
      `configuration.${field}`,
    );
  }
  const [id, clientSecret] = [plain["oauth.api.key"], secret["oauth.api.secret"]];
  if (clientChanges && (id === undefined || clientSecret === undefined)) {
    const field = id === undefined ? "oauth.api.key" : "oauth.api.secret";
    throw new InvalidRequest(`configuration.${field} is missing`, `configuration.${field}`);
  }
  const secretKeys = Object.keys(secret);
  return {
    instance: {
      ...label,
      configuration: plain,
      secretConfigurationKeys: secretKeys,
      sealedConfiguration: await sealConfiguration(deps.grants.vault, instance, secret),
    },
    ...(clientChanges && id !== undefined && clientSecret !== undefined
      ? { client: { id, secret: clientSecret } }
      : {}),
  };
}

/** Most tries of a change, while others change the same configuration. */
const MAX_TRIES = 20;

/**
 * Changes name, tags and configuration. The new configuration is made from the stored one, so it is written only if that one
 * is still stored; else it is made again.
 * @throws {NotFound} the instance was deleted meanwhile
 * @throws {Conflict} `changed`: others changed it all the time
 */
export async function changeStored(
  deps: ConnectionDeps,
  own: Pick<OwnInstance, "instance" | "reading" | "connector">,
  body: InstanceBody,
  how: "whole" | "given",
): Promise<Instance> {
  const { instances } = deps.grants;
  let seen: Pick<OwnInstance, "instance" | "reading"> = own;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const { instance, reading } = seen;
    const { instance: changes } = await changesOf(deps, { instance, connector: own.connector }, body, how);
    if (changes.configuration === undefined) return await updateInstance(deps, seen, changes);
    const now = latestNow(reading, deps.grants.monotonic());
    if (await instances.update(instance.id, changes, now, { configuration: instance })) {
      return { ...instance, ...changes, updatedAt: Math.max(now, instance.updatedAt) };
    }
    await setTimeout(randomInt(10, 60));
    const again = await instances.get(instance.id);
    if (again.value === undefined || again.value.deleting === true) {
      throw new NotFound(`there is no instance ${instance.id}`, "unknown_instance");
    }
    seen = { instance: again.value, reading: again.reading };
  }
  throw new Conflict("the configuration is being changed by others; try again", "changed");
}

/** @throws {NotFound} the instance was deleted meanwhile */
export async function updateInstance(
  deps: ConnectionDeps,
  { instance, reading }: Pick<OwnInstance, "instance" | "reading">,
  changes: InstanceChanges,
): Promise<Instance> {
  if (Object.keys(changes).length === 0) return instance;
  const now = latestNow(reading, deps.grants.monotonic());
  if (!(await deps.grants.instances.update(instance.id, changes, now))) {
    throw new NotFound(`there is no instance ${instance.id}`, "unknown_instance");
  }
  return { ...instance, ...changes, updatedAt: Math.max(now, instance.updatedAt) };
}

async function signIn(
  deps: ConnectionDeps,
  request: HttpRequest,
  { instance, connector, user }: OwnInstance,
  body: InstanceBody,
  code: string,
  changes: Changes,
): Promise<Instance> {
  if (user === undefined) throw new NotFound(`there is no instance ${instance.id}`, "unknown_instance");
  const providerData = body.providerData ?? {};
  const client: OAuthClient =
    changes.client === undefined ? await clientOf(deps, instance) : { kind: "own", ...changes.client };
  const { id: clientId } = await deps.grants.clients.resolve(instance.organizationId, connector.key, client);
  const configuration = changes.instance.configuration ?? instance.configuration;
  const extra = extraOf(connector, providerData, configuration);
  const organization = await deps.tenants.organization(instance.organizationId);
  const { endpoint, server } = await signInEndpoint(deps.discover, connector, configuration, {
    captured: extra ?? {},
    vendorHosts: organization?.vendorHosts,
  });
  checkIssuer(connector, providerData.iss, "providerData.iss", server);
  const { authorization, repeated } = await authorizationOf(deps, user, connector, providerData.state, {
    clientId,
    code,
  });
  const ofLastSignIn = instance.configuration["oauth.callback.url"];
  const sent = body.configuration?.["oauth.callback.url"];
  // A whole instance that comes back as it was read has that of its last sign-in, and not that of this one.
  const redirectUri = redirectUriOf(authorization, sent === ofLastSignIn ? undefined : sent) ?? ofLastSignIn;
  if (redirectUri === undefined) {
    throw new InvalidRequest(
      "configuration.oauth.callback.url is missing",
      "configuration.oauth.callback.url",
    );
  }
  const { codeVerifier, appState, askedScopes } = authorization ?? {};
  const epoch = authorization?.epoch ?? epochOf(deps.transients.now(), hashOf(connector.key, clientId, code));
  const exchange = {
    instanceId: instance.id,
    organizationId: instance.organizationId,
    userId: user.id,
    connector,
    client,
    code,
    redirectUri,
    ...present({ codeVerifier }),
    ...(repeated ? { repeated } : {}),
    ...present({ askedScopes }),
    // The epoch must be greater than the instance's, which was read before the state was consumed.
    epoch: epochAfter(instance.epoch, epoch),
    ...present({ extra, endpoint }),
    configuration,
    ...(body.acceptOtherAccount === true ? { acceptOtherAccount: true } : {}),
    changes: { ...changes.instance, ...present({ appState }) },
  };
  return await restoringState(authorization, () =>
    signInAgain(deps.grants, deps.transients, exchange, request),
  );
}

/** The OAuth client that obtained the instance's current grant. */
export async function clientOf(deps: ConnectionDeps, instance: Instance): Promise<OAuthClient> {
  const grant = await openGrant(deps.grants.vault, instance, instance.version, instance.grant);
  return grant.client;
}
