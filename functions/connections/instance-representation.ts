import { connectorByKey } from "../connectors/catalogue.ts";
import { type Instance, needsReauthentication } from "../core/instances/instance.ts";
import { isoSeconds } from "../core/iso-seconds.ts";
import { present } from "../core/present.ts";
import type { User } from "../core/tenants/ports.ts";
import { elementRepresentation } from "../http/element-representation.ts";
import type { InstanceAnswer, UserAnswer } from "./answers.ts";
import { isShownMasked, MASK } from "./configuration-values.ts";

/**
 * An instance in the form of the API. The real `token` is shown only at creation, claim and rotation; every
 * secret is shown as `********`; nothing of `providerData` is returned.
 */
export function instanceRepresentation(
  instance: Instance,
  user: User | undefined,
  token: string = MASK,
): InstanceAnswer {
  const connector = connectorByKey(instance.connector);
  return {
    id: instance.id,
    name: instance.name,
    createdDate: isoSeconds(instance.createdAt),
    updatedDate: isoSeconds(instance.updatedAt),
    token,
    element: connector === undefined ? { key: instance.connector } : elementRepresentation(connector),
    elementId: connector?.id ?? 0,
    tags: instance.tags,
    provisionInteractions: [],
    valid: !needsReauthentication(instance),
    ...(instance.refreshable === false ? { refreshable: false } : {}),
    disabled: !instance.enabled,
    maxCacheSize: 0,
    cacheTimeToLive: 0,
    configuration: shownConfiguration(instance),
    eventsEnabled: false,
    traceLoggingEnabled: false,
    cachingEnabled: false,
    externalAuthentication: instance.externalAuthentication ?? "none",
    user: userRepresentation(user),
    ...present({ state: instance.appState }),
  };
}

/** `configuration` with every secret masked. */
export function shownConfiguration(
  instance: Pick<Instance, "connector" | "configuration" | "secretConfigurationKeys">,
): Record<string, string> {
  const connector = connectorByKey(instance.connector);
  const plain = Object.entries(instance.configuration).map(([key, value]) => [
    key,
    isShownMasked(connector, key) ? MASK : value,
  ]);
  const secret = instance.secretConfigurationKeys.map((key) => [key, MASK]);
  return Object.fromEntries([...plain, ...secret]);
}

/** A user in the form of the API: all four fields, never null. */
export function userRepresentation(user: User | undefined): UserAnswer {
  return {
    id: user?.number ?? 0,
    emailAddress: user?.email ?? "",
    firstName: user?.firstName ?? "",
    lastName: user?.lastName ?? "",
  };
}
