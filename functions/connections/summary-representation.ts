import { connectorByKey } from "../connectors/catalogue.ts";
import type { InstanceSummary } from "../core/instances/instance-store.ts";
import { isoSeconds } from "../core/iso-seconds.ts";
import type { User } from "../core/tenants/ports.ts";
import { elementRepresentation } from "../http/element-representation.ts";
import type { SummaryAnswer } from "./answers.ts";
import { MASK } from "./configuration-values.ts";
import { userRepresentation } from "./instance-representation.ts";

/**
 * An instance in a list with `hydrate=false`: the fields that the index holds, without reading each instance.
 */
export function summaryRepresentation(summary: InstanceSummary, user: User): SummaryAnswer {
  const connector = connectorByKey(summary.connector);
  return {
    id: summary.id,
    name: summary.name,
    createdDate: isoSeconds(summary.createdAt),
    token: MASK,
    element: connector === undefined ? { key: summary.connector } : elementRepresentation(connector),
    elementId: connector?.id ?? 0,
    tags: summary.tags,
    user: userRepresentation(user),
  };
}
