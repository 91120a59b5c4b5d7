import { createFolder } from "../core/documents/hub.ts";
import { toWire } from "../core/documents/item.ts";
import { folderContents } from "../core/documents/lists.ts";
import { joinPath } from "../core/documents/path.ts";
import { InvalidRequest } from "../core/errors.ts";
import { present } from "../core/present.ts";
import { json } from "../http/request.ts";
import { answerList } from "./answer-list.ts";
import type { HubHandle } from "./contracts.ts";
import { namedItem, notKeptHeader, wireOptions } from "./parameters.ts";

export const create: HubHandle<"folders.create"> = async (_request, { caller: hub, query, body }) => {
  const { path, name, description, tags } = body;
  const wanted = path ?? (name === undefined ? undefined : joinPath("/", name));
  if (wanted === undefined) throw new InvalidRequest("path is missing", "path");
  const { item, notKept } = await createFolder(hub, wanted, present({ description, tags }));
  return json(toWire(item, wireOptions(query)), notKeptHeader(notKept));
};

export const contents: HubHandle<"folders.contents"> = async (request, { caller: hub, query }) => {
  const named = namedItem(request, query);
  return await answerList(query, hub, { call: "folders.contents", ...named }, (options) =>
    folderContents(hub, named, options),
  );
};
