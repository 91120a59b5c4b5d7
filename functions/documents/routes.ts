import { type HubCall, hubCalls, isSupported } from "../core/documents/calls.ts";
import { NotSupported } from "../core/errors.ts";
import { present } from "../core/present.ts";
import type { HttpRequest, HttpResponse } from "../http/request.ts";
import type { Route } from "../http/route-table.ts";
import { me, ping, storage } from "./account.ts";
import {
  change,
  copyKind,
  download,
  links,
  metadata,
  removeKind,
  revision,
  revisions,
  unlink,
  upload,
} from "./files.ts";
import { contents, create } from "./folders.ts";
import { type DocumentsDeps, type OpenHub, openHub } from "./open-hub.ts";
import { search } from "./search.ts";
import { followLink } from "./signed-link.ts";

type Handle = (request: HttpRequest, hub: OpenHub) => Promise<HttpResponse>;

/** Every call of the hub's table, under `/hubs/documents` and in the short form. What cannot be done answers 501. */
export function documentsRoutes(deps: () => DocumentsDeps): readonly Route[] {
  const handlers: Readonly<Record<string, Handle>> = {
    ping,
    me,
    storage,
    search,
    "files.upload": upload,
    "files.download": download,
    "files.delete": removeKind("file"),
    "files.copy": copyKind("file"),
    "files.metadata": metadata,
    "files.change": change,
    "files.links": links(deps),
    "files.unlink": unlink,
    "files.revisions": revisions,
    "files.revision": revision,
    "folders.create": create,
    "folders.contents": contents,
    "folders.delete": removeKind("folder"),
    "folders.copy": copyKind("folder"),
    "folders.metadata": metadata,
    "folders.change": change,
    "folders.links": links(deps),
    "folders.unlink": unlink,
  };

  const handle = (call: HubCall) => async (request: HttpRequest) => {
    const hub = await openHub(request, deps());
    const handler = handlers[call.name];
    if (handler === undefined || !isSupported(call, (method) => hub.vendor[method] !== undefined)) {
      throw new NotSupported(`${call.method} ${call.path}`, hub.vendor.connector);
    }
    return handler(request, hub);
  };

  const calls = hubCalls.flatMap((call) =>
    [`/hubs/documents${call.path}`, call.path].map((path) => ({
      method: call.method,
      path,
      name: `documents.${call.name}`,
      handle: handle(call),
      ...present({ head: call.head }),
    })),
  );
  return [
    ...calls,
    {
      method: "GET",
      path: "/hubs/documents/links/{ticket}",
      name: "documents.link",
      handle: followLink(deps),
    },
  ];
}

/** Every answer of the hub tells whose it is. */
export function instanceHeader(request: HttpRequest): Record<string, string> {
  const { instanceId } = request.facts;
  return instanceId === undefined ? {} : { "Elements-Element-Instance-Id": String(instanceId) };
}
