import { createHash } from "node:crypto";
import { NotFound } from "../core/errors.ts";
import { configurationFields } from "../core/instances/configuration-fields.ts";
import type { Instance } from "../core/instances/instance.ts";
import { json } from "../http/request.ts";
import { checked } from "../http/request-body.ts";
import { decodeSegment } from "../http/route-table.ts";
import type { ConfigurationEntry } from "./answers.ts";
import { changeStored } from "./change-instance.ts";
import type { ConnectionHandle } from "./contracts.ts";
import type { ConnectionDeps } from "./deps.ts";
import { InstanceBody } from "./instance-body.ts";
import { shownConfiguration } from "./instance-representation.ts";
import type { OwnInstance } from "./own-instance.ts";

export const listConfiguration: ConnectionHandle<"instances.configuration.list"> = async (
  _request,
  { caller },
) => json(entriesOf(caller));

/** Reads one entry by its number or its key. */
export const getConfiguration: ConnectionHandle<"instances.configuration.get"> = async (
  request,
  { caller },
) => json(entryOf(caller, decodeSegment(request, "configId")));

export function changeConfiguration(
  deps: () => ConnectionDeps,
): ConnectionHandle<"instances.configuration.patch"> {
  return async (request, { caller: own, body: { propertyValue } }) => {
    const { key } = entryOf(own, decodeSegment(request, "configId"));
    request.logContext.changed = ["configuration"];
    const body = checked(InstanceBody, { configuration: { [key]: propertyValue } });
    const instance = await changeStored(deps(), own, body, "given");
    return json(entryOf({ ...own, instance }, key));
  };
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

/** An entry's number, computed from instance id and key, so that it stays the same. */
function configurationId(instance: Pick<Instance, "id">, key: string): number {
  return createHash("sha256").update(`${instance.id}\n${key}`).digest().readUIntBE(0, 4);
}
