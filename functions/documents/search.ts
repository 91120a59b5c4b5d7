import { search as find } from "../core/documents/lists.ts";
import { parsePath } from "../core/documents/path.ts";
import { present } from "../core/present.ts";
import type { HttpRequest, HttpResponse } from "../http/request.ts";
import { answerList } from "./answer-list.ts";
import type { OpenHub } from "./open-hub.ts";
import { texts } from "./request-parameters.ts";

export async function search(request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  const text = (name: string): string | undefined => request.query.get(name) ?? undefined;
  const path = text("path");
  const query = {
    ...present({
      path: path === undefined ? undefined : parsePath(path),
      text: text("text"),
      mimeType: text("mimeType"),
      startDate: text("startDate"),
      endDate: text("endDate"),
    }),
    // Each once: a query can hold thousands, and every item is asked for all of them.
    extensions: [...new Set(texts(request, "extensions"))],
    tags: [...new Set(texts(request, "tags"))],
  };
  return answerList(request, hub, { call: "search", ...query }, (options) => find(hub, query, options));
}
