import { createFolder } from "../core/documents/hub.ts";
import { toWire } from "../core/documents/item.ts";
import { folderContents } from "../core/documents/lists.ts";
import { joinPath } from "../core/documents/path.ts";
import { InvalidRequest } from "../core/errors.ts";
import { present } from "../core/present.ts";
import { type HttpRequest, type HttpResponse, json } from "../http/request.ts";
import { parseBody } from "../http/request-body.ts";
import { answerList } from "./answer-list.ts";
import type { OpenHub } from "./open-hub.ts";
import { folderBody, namedItem, wireOptions } from "./request-parameters.ts";

export async function create(request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  const { path, name, description, tags } = parseBody(request, folderBody);
  const wanted = path ?? (name === undefined ? undefined : joinPath("/", name));
  if (wanted === undefined) throw new InvalidRequest("path is missing", "path");
  const folder = await createFolder(hub, wanted, {
    ...present({ description, tags }),
  });
  return json(toWire(folder, wireOptions(request)));
}

export async function contents(request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  const named = namedItem(request);
  return answerList(request, hub, { call: "folders.contents", ...named }, (options) =>
    folderContents(hub, named, options),
  );
}
