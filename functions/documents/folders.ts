import { createFolder } from "../core/documents/hub.ts";
import { toWire } from "../core/documents/item.ts";
import { folderContents } from "../core/documents/lists.ts";
import { joinPath } from "../core/documents/path.ts";
import { InvalidRequest } from "../core/errors.ts";
import { present } from "../core/present.ts";
import { json } from "../http/request.ts";
import { answerList } from "./answer-list.ts";
import type { HubHandle } from "./contracts.ts";
import { namedItem, notKeptHeader, pathInAccount, wireOptions } from "./parameters.ts";

export const create: HubHandle<"folders.create"> = async (_request, { caller: hub, query, body }) => {
  const { path, name, description, tags } = body;
  const wanted = path ?? (name === undefined ? undefined : joinPath("/", name));
  if (wanted === undefined) throw new InvalidRequest("path is missing", "path");
  const target = await pathInAccount(hub, wanted);
  const { item, notKept } = await createFolder(hub, target, present({ description, tags }));
  return json(toWire(item, wireOptions(query)), notKeptHeader(notKept));
};

export const contents: HubHandle<"folders.contents"> = async (request, { caller: hub, query }) => {
  const named = await namedItem(hub, request, query);
  const withTeamDrives = query.includeTeamDrives ?? false;
  const call = { call: "folders.contents", ...named, ...(withTeamDrives ? { withTeamDrives: "true" } : {}) };
  return await answerList(query, hub, call, (options) =>
    folderContents(hub, named, { ...options, withTeamDrives }),
  );
};
