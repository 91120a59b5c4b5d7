import { search as find } from "../core/documents/lists.ts";
import { parsePath } from "../core/documents/path.ts";
import { present } from "../core/present.ts";
import { answerList } from "./answer-list.ts";
import type { HubHandle } from "./contracts.ts";
import { pathInAccount } from "./parameters.ts";

export const search: HubHandle<"search"> = async (_request, { caller: hub, query }) => {
  const { text, mimeType, startDate, endDate } = query;
  const asked = query.path ?? (hub.teamDriveId === undefined ? undefined : "/");
  const path = asked === undefined ? undefined : await pathInAccount(hub, asked);
  const withTeamDrives = query.includeTeamDrives ?? false;
  const wanted = {
    ...present({
      path: path === undefined ? undefined : parsePath(path),
      text,
      mimeType,
      startDate,
      endDate,
    }),
    // Removes duplicates: a query can hold thousands of values, and each is compared with every item.
    extensions: [...new Set(query.extensions)],
    tags: [...new Set(query.tags)],
  };
  const call = { call: "search", ...wanted, ...(withTeamDrives ? { withTeamDrives: "true" } : {}) };
  return await answerList(query, hub, call, (options) => find(hub, wanted, { ...options, withTeamDrives }));
};
