import { createHash } from "node:crypto";
import type { Connector } from "../connectors/define-connector.ts";
import { LinkspanError, NotFound } from "../core/errors.ts";
import type { InstanceSummary } from "../core/instances/instance-store.ts";
import { present } from "../core/present.ts";
import type { User } from "../core/tenants/ports.ts";
import { openPageToken, sealPageToken } from "../core/vault/page-token.ts";
import type { SealedPlace } from "../core/vault/ports.ts";
import { authorizePlatform } from "../http/authorize.ts";
import { connectorOfPath } from "../http/named-connector.ts";
import { readPaging } from "../http/paging.ts";
import { type HttpHandler, type HttpRequest, json } from "../http/request.ts";
import type { ConnectionDeps } from "./deps.ts";
import { instanceRepresentation } from "./instance-representation.ts";
import { hasInstanceToken, isPlatformCall, ownInstance } from "./own-instance.ts";
import { summaryRepresentation } from "./summary-representation.ts";

interface Filter {
  readonly tags: readonly string[];
  readonly searchText?: string;
  readonly connector?: Connector;
}

/** What makes a call with an instance token one for a list all the same. */
const LIST_PARAMETERS = ["tags[]", "tags", "searchText", "pageSize", "page", "nextPage"];
/** One read of the index. */
const INDEX_PAGE = 500;

/** GET /instances: the user's instances, newest first; or, with an instance token and no filter, that instance. */
export function listInstances(deps: () => ConnectionDeps): HttpHandler {
  return async (request) => {
    if (wantsOne(request)) {
      try {
        const { instance, user } = await ownInstance(deps(), request);
        return json(instanceRepresentation(instance, user));
      } catch (error) {
        // The token of a deleted instance beside a user's secrets does not count.
        if (!isPlatformCall(request) || !(error instanceof LinkspanError) || error.status === 503)
          throw error;
      }
    }
    const { user } = await authorizePlatform(request, deps().tenants);
    return await list(deps(), request, user);
  };
}

function wantsOne(request: HttpRequest): boolean {
  return hasInstanceToken(request) && !LIST_PARAMETERS.some((name) => request.query.has(name));
}

async function list(deps: ConnectionDeps, request: HttpRequest, user: User) {
  const filter = await filterOf(request);
  const { pageSize, page, nextPage } = readPaging(request);
  const after =
    nextPage === undefined
      ? undefined
      : await openPageToken(deps.grants.vault, nextPagePlace(user, filter), nextPage);
  const wanted = pageSize * page;
  // One more than wanted: only then is it known whether another page comes.
  const found = await findInstances(deps, user, filter, wanted + 1, after);
  const shown = found.slice(wanted - pageSize, wanted);
  const isFiltered = filter.tags.length > 0 || filter.searchText !== undefined;
  if (found.length === 0 && isFiltered && after === undefined) {
    throw new NotFound("no instance matches", "no_match");
  }
  const last = shown.at(-1);
  const instances =
    request.query.get("hydrate") === "false"
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

async function filterOf(request: HttpRequest): Promise<Filter> {
  const { query } = request;
  const searchText = query.get("searchText");
  return {
    // Each once: a query can hold thousands, and every instance is asked for all of them.
    tags: [
      ...new Set([...query.getAll("tags[]"), ...query.getAll("tags").flatMap((tags) => tags.split(","))]),
    ],
    ...(searchText === null ? {} : { searchText: searchText.toLowerCase() }),
    ...(request.params.keyOrId === undefined ? {} : { connector: await connectorOfPath(request) }),
  };
}

/** Goes through the user's index until `count` matches are found. @param after position of the last one of an earlier page */
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

/** As the index sorts: by creation, then id, as one string. */
function positionOf(summary: InstanceSummary): string {
  return `${String(summary.createdAt).padStart(15, "0")}#${summary.id}`;
}

/** GET /instances/count */
export function countInstances(deps: () => ConnectionDeps): HttpHandler {
  return async (request) => {
    const { user } = await authorizePlatform(request, deps().tenants);
    const filter: Filter = {
      tags: [],
      ...(request.params.keyOrId === undefined ? {} : { connector: await connectorOfPath(request) }),
    };
    const { length } = await findInstances(deps(), user, filter, Number.POSITIVE_INFINITY, undefined);
    return json({ totalInstances: length, elementInstances: length });
  };
}

/** A token is of use only to the same user in the same list. */
function nextPagePlace(user: User, filter: Filter): SealedPlace {
  const call = JSON.stringify([filter.tags, filter.searchText ?? null, filter.connector?.key ?? null]);
  return {
    organizationId: user.organizationId,
    item: `user/${user.id}`,
    field: "next-page",
    version: createHash("sha256").update(call).digest("base64url"),
  };
}
