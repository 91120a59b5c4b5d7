import { BatchGetCommand } from "@aws-sdk/lib-dynamodb";
import type { Instance } from "../core/instances/instance.ts";
import type { InstanceLists } from "../core/instances/instance-store.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import { type InstanceItem, instanceKey, instanceOf } from "./instance-item.ts";
import { indexPage, ownerList } from "./owner-list.ts";

/** BatchGetItem takes no more keys. */
const BATCH = 100;

/** Lists of instances, by two indexes. Takes Query on them and BatchGetItem. */
export function instanceLists(options: InstanceTableOptions): InstanceLists {
  const { client, tableName } = options;

  async function getBatch(ids: readonly number[], found: Map<number, Instance>): Promise<void> {
    let keys: Record<string, unknown>[] = ids.map(instanceKey);
    for (let tries = 0; keys.length > 0; tries++) {
      if (tries === 8) throw new Error("the instances table leaves keys of a batch unread");
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } }),
      );
      for (const item of Responses?.[tableName] ?? []) {
        const instance = instanceOf(item as InstanceItem);
        found.set(instance.id, instance);
      }
      keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
  }

  return {
    ...ownerList(options),

    listByOrganization: (organizationId, paging) =>
      indexPage(options, "organization", { name: "organizationId", value: organizationId }, paging),

    async getMany(ids) {
      const found = new Map<number, Instance>();
      const distinct = [...new Set(ids)];
      for (let start = 0; start < distinct.length; start += BATCH) {
        await getBatch(distinct.slice(start, start + BATCH), found);
      }
      return ids.flatMap((id) => found.get(id) ?? []);
    },
  };
}
