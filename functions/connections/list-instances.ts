import { createHash } from "node:crypto";
import { connectorByKey } from "../connectors/catalogue.ts";
import type { Connector } from "../connectors/define-connector.ts";
import { NotFound } from "../core/errors.ts";
import type { InstanceSummary } from "../core/instances/instance-store.ts";
import { present } from "../core/present.ts";
import type { User } from "../core/tenants/ports.ts";
import { openPageToken, sealPageToken } from "../core/vault/page-token.ts";
import type { SealedPlace } from "../core/vault/ports.ts";
import { connectorOfPath } from "../http/named-connector.ts";
import type { Values } from "../http/parameter.ts";
import { type HttpRequest, json } from "../http/request.ts";
import type { ConnectionContracts, ConnectionHandle } from "./contracts.ts";
import type { ConnectionDeps } from "./deps.ts";
import { instanceRepresentation } from "./instance-representation.ts";
import { summaryRepresentation } from "./summary-representation.ts";

interface Filter {
  readonly tags: readonly string[];
  readonly searchText?: string;
  readonly connector?: Connector;
}

type ListQuery = Values<ConnectionContracts["instances.list"]["query"]>;

/** Entries per read of the index. */
const INDEX_PAGE = 500;

/**
 * GET /instances: the user's instances, newest first; or, with an instance token and no filter, that instance. Below an
 * element the answer is a list in both cases.
 */
export function listInstances(deps: () => ConnectionDeps): ConnectionHandle<"instances.list"> {
  return async (request, { caller, query }) => {
    if (!("one" in caller)) return await list(deps(), request, caller.user, query);
    const instance = instanceRepresentation(caller.one.instance, caller.one.user);
    return request.params.keyOrId === undefined
      ? json(instance)
      : json([instance], { "Elements-Returned-Count": "1" });
  };
}

async function list(deps: ConnectionDeps, request: HttpRequest, user: User, query: ListQuery) {
  const filter = await filterOf(request, query);
  const { pageSize, page, nextPage } = query;
  const after =
    nextPage === undefined
      ? undefined
      : await openPageToken(deps.grants.vault, nextPagePlace(user, filter), nextPage);
  const wanted = pageSize * page;
  // Finds one more than wanted, to know whether there is another page.
  const found = await findInstances(deps, user, filter, wanted + 1, after);
  const shown = found.slice(wanted - pageSize, wanted);
  const isFiltered = filter.tags.length > 0 || filter.searchText !== undefined;
  if (found.length === 0 && isFiltered && after === undefined) {
    throw new NotFound("no instance matches", "no_match");
  }
  const last = shown.at(-1);
  const instances =
    query.hydrate === "false"
      ? shown.map((summary) => summaryRepresentation(summary, user))
      : (await deps.grants.instances.getMany(shown.map(({ id }) => id)))
          .filter(({ deleting }) => deleting !== true)
          .map((instance) => instanceRepresentation(instance, user));
  return json(instances, {
    "Elements-Returned-Count": String(instances.length),
    ...(found.length > wanted && last !== undefined
      ? {
          "Elements-Next-Page-Token": await sealPageToken(
            deps.grants.vault,
            nextPagePlace(user, filter),
            positionOf(last),
          ),
        }
      : {}),
  });
}

async function filterOf(request: HttpRequest, { tags, searchText }: ListQuery): Promise<Filter> {
  return {
    // Removes duplicates: a query can hold thousands of tags, and each is compared with every instance.
    tags: [...new Set(tags)],
    ...(searchText === undefined ? {} : { searchText: searchText.toLowerCase() }),
    ...(request.params.keyOrId === undefined ? {} : { connector: await connectorOfPath(request) }),
  };
}

/**
 * Reads the user's index until `count` matches are found.
 * @param after position of the last instance of the previous page
 */
async function findInstances(
  deps: ConnectionDeps,
  user: User,
  filter: Filter,
  count: number,
  after: string | undefined,
): Promise<InstanceSummary[]> {
  const found: InstanceSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await deps.grants.instances.listByOwner(user.organizationId, user.id, {
      limit: INDEX_PAGE,
      ...present({ after: cursor }),
    });
    for (const summary of page.items) {
      if ((after === undefined || positionOf(summary) < after) && matches(summary, filter))
        found.push(summary);
    }
    cursor = page.next;
  } while (cursor !== undefined && found.length < count);
  return found.slice(0, count);
}

function matches(summary: InstanceSummary, { tags, searchText, connector }: Filter): boolean {
  if (connector !== undefined && summary.connector !== connector.key) return false;
  if (!tags.every((tag) => summary.tags.includes(tag))) return false;
  return (
    searchText === undefined ||
    [summary.name, summary.connector, ...summary.tags].some((text) => text.toLowerCase().includes(searchText))
  );
}

/** Position in the order of the index: creation time, then id, as one string. */
function positionOf(summary: InstanceSummary): string {
  return `${String(summary.createdAt).padStart(15, "0")}#${summary.id}`;
}

export function countInstances(deps: () => ConnectionDeps): ConnectionHandle<"instances.count"> {
  return async (request, { caller: { user } }) => {
    const filter: Filter = {
      tags: [],
      ...(request.params.keyOrId === undefined ? {} : { connector: await connectorOfPath(request) }),
    };
    const found = await findInstances(deps(), user, filter, Number.POSITIVE_INFINITY, undefined);
    const byConnector = Map.groupBy(found, ({ connector }) => connector);
    const elementInstances = [...byConnector].map(([key, { length: count }]) => ({
      element: { key, name: connectorByKey(key)?.name ?? key },
      count,
    }));
    return json({
      totalInstances: found.length,
      elementInstances: elementInstances.toSorted((a, b) => (a.element.key < b.element.key ? -1 : 1)),
    });
  };
}

/** Binds a page token to the user and the list: it is valid only for both. */
function nextPagePlace(user: User, filter: Filter): SealedPlace {
  const call = JSON.stringify([filter.tags, filter.searchText ?? null, filter.connector?.key ?? null]);
  return {
    organizationId: user.organizationId,
    item: `user/${user.id}`,
    field: "next-page",
    version: createHash("sha256").update(call).digest("base64url"),
  };
}
