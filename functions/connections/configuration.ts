import { createHash } from "node:crypto";
import * as v from "valibot";
import { NotFound } from "../core/errors.ts";
import { configurationFields } from "../core/instances/configuration-fields.ts";
import type { Instance } from "../core/instances/instance.ts";
import { type HttpHandler, json } from "../http/request.ts";
import { checked, parseBody } from "../http/request-body.ts";
import { decodeSegment } from "../http/route-table.ts";
import { changesOf, write } from "./change-instance.ts";
import type { ConnectionDeps } from "./deps.ts";
import { InstanceBody } from "./instance-body.ts";
import { shownConfiguration } from "./instance-representation.ts";
import { type OwnInstance, ownInstance } from "./own-instance.ts";

/** GET /instances/{id}/configuration */
export function listConfiguration(deps: () => ConnectionDeps): HttpHandler {
  return async (request) => json(entriesOf(await ownInstance(deps(), request)));
}

/** GET /instances/{id}/configuration/{configId}, by its number or its key */
export function getConfiguration(deps: () => ConnectionDeps): HttpHandler {
  return async (request) =>
    json(entryOf(await ownInstance(deps(), request), decodeSegment(request, "configId")));
}

/** PATCH /instances/{id}/configuration/{configId} `{propertyValue}` */
export function changeConfiguration(deps: () => ConnectionDeps): HttpHandler {
  return async (request) => {
    const own = await ownInstance(deps(), request, "change");
    const { key } = entryOf(own, decodeSegment(request, "configId"));
    const { propertyValue } = parseBody(
      request,
      v.object({ propertyValue: v.union([v.string(), v.number(), v.boolean()]) }),
    );
    request.facts.changed = ["configuration"];
    const body = checked(InstanceBody, { configuration: { [key]: propertyValue } });
    const { instance: changes } = await changesOf(deps(), own, body, "given");
    const instance = await write(deps(), own, changes);
    return json(entryOf({ ...own, instance }, key));
  };
}

interface ConfigurationEntry {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly propertyValue: string;
  readonly [field: string]: unknown;
}

function entriesOf({
  instance,
  connector,
}: Pick<OwnInstance, "instance" | "connector">): ConfigurationEntry[] {
  const fields = configurationFields(connector);
  return Object.entries(shownConfiguration(instance)).map(([key, propertyValue]) => {
    const field = fields.find((each) => each.key === key);
    return {
      id: configurationId(instance, key),
      key,
      name: field?.name ?? key,
      description: field?.description ?? "",
      propertyValue,
      required: field?.required ?? false,
      active: true,
    };
  });
}

function entryOf(own: Pick<OwnInstance, "instance" | "connector">, idOrKey: string): ConfigurationEntry {
  const entry = entriesOf(own).find(({ id, key }) => key === idOrKey || String(id) === idOrKey);
  if (entry === undefined) throw new NotFound(`this instance has no configuration ${idOrKey}`);
  return entry;
}

/** A number that stays the same as long as instance and key do. */
function configurationId(instance: Pick<Instance, "id">, key: string): number {
  return createHash("sha256").update(`${instance.id}\n${key}`).digest().readUIntBE(0, 4);
}
