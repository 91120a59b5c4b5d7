import { search as find } from "../core/documents/lists.ts";
import { parsePath } from "../core/documents/path.ts";
import { present } from "../core/present.ts";
import { answerList } from "./answer-list.ts";
import type { HubHandle } from "./contracts.ts";

export const search: HubHandle<"search"> = async (_request, { caller: hub, query }) => {
  const { path, text, mimeType, startDate, endDate } = query;
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
  return await answerList(query, hub, { call: "search", ...wanted }, (options) => find(hub, wanted, options));
};
