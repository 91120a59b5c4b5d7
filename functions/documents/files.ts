import {
  changeItem,
  copy,
  downloadFile,
  readLinks,
  readMetadata,
  readRevisions,
  removeItem,
  removeLinks,
  uploadFile,
} from "../core/documents/hub.ts";
import { toWire } from "../core/documents/item.ts";
import { isJob } from "../core/documents/jobs.ts";
import { nameOf, parsePath } from "../core/documents/path.ts";
import type { Revision } from "../core/documents/vendor.ts";
import { NotFound } from "../core/errors.ts";
import { isoSeconds } from "../core/iso-seconds.ts";
import { present } from "../core/present.ts";
import { json } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import { answerDownload, rangeOf } from "./answer-download.ts";
import { answerPages, pageOfAll } from "./answer-list.ts";
import type { HubHandle } from "./contracts.ts";
import { jobStarted } from "./jobs.ts";
import type { DocumentsDeps } from "./open-hub.ts";
import { namedItem, notKeptHeader, pathInAccount, wireOptions } from "./parameters.ts";
import { signedLink } from "./signed-link.ts";
import { mediaTypeFor, readUpload } from "./upload-body.ts";

export const upload: HubHandle<"files.upload"> = async (request, { caller: hub, query }) => {
  const body = await readUpload(request);
  const { folderId, description, tags } = query;
  const path = query.path === undefined ? undefined : await pathInAccount(hub, query.path);
  const name = path === undefined ? (body.fileName ?? "") : nameOf(parsePath(path));
  const details = { ...present({ description }), ...(tags.length === 0 ? {} : { tags }) };
  const { item, notKept } = await uploadFile(hub, {
    ...present({ path, folderId, fileName: body.fileName }),
    overwrite: query.overwrite ?? false,
    bytes: body.bytes,
    mimeType: mediaTypeFor(body, name),
    details,
  });
  return json(toWire(item, wireOptions(query)), notKeptHeader(notKept));
};

export const download: HubHandle<"files.download"> = async (request, { caller: hub, query }) => {
  const file = await downloadFile(hub, await namedItem(hub, request, query), {
    ...rangeOf(request.headers.range),
    ...present({ mediaType: query.mediaType, acknowledgeAbuse: query.acknowledgeAbuse }),
  });
  return answerDownload(file);
};

/** Reads the metadata of a file or a folder: both calls find both. */
export const metadata: HubHandle<"files.metadata" | "folders.metadata"> = async (
  request,
  { caller: hub, query },
) => {
  const shown = wireOptions(query);
  const named = await namedItem(hub, request, query);
  const item = await readMetadata(hub, named, { withoutPath: shown.withoutPath ?? false });
  return json(toWire(item, shown));
};

export const change: HubHandle<"files.change" | "folders.change"> = async (
  request,
  { caller: hub, query, body },
) => {
  const { name, description, tags } = body;
  const path = body.path === undefined ? undefined : await pathInAccount(hub, body.path);
  const changes = present({ path, name, description, tags });
  const item = await changeItem(hub, await namedItem(hub, request, query), changes);
  return json(toWire(item, wireOptions(query)));
};

export const copyKind =
  (kind: "file" | "folder"): HubHandle<"files.copy" | "folders.copy"> =>
  async (request, { caller: hub, query, body }) => {
    const path = await pathInAccount(hub, body.path);
    const options = { path, overwrite: query.overwrite ?? false };
    const made = await copy(hub, await namedItem(hub, request, query), kind, options);
    return isJob(made) ? jobStarted(request, made) : json(toWire(made, wireOptions(query)));
  };

export const removeKind =
  (kind: "file" | "folder"): HubHandle<"files.delete" | "folders.delete"> =>
  async (request, { caller: hub, query }) => {
    const forGood = query.emptyTrash ?? false;
    const outcome = await removeItem(hub, await namedItem(hub, request, query), kind, { forGood });
    return isJob(outcome) ? jobStarted(request, outcome) : json({});
  };

export const links =
  (deps: () => DocumentsDeps): HubHandle<"files.links" | "folders.links"> =>
  async (request, { caller: hub, query }) => {
    const item = await readMetadata(hub, await namedItem(hub, request, query), { withoutPath: true });
    const { raw, lasting, ...vendorLinks } = await readLinks(hub, item);
    const ours = item.directory ? undefined : await signedLink(request, hub, item, deps());
    return json({
      ...(ours === undefined
        ? {}
        : { ...(lasting ? {} : { expires: ours.expires }), cloudElementsLink: ours.url }),
      ...vendorLinks,
      ...(query.raw ? { raw } : {}),
    });
  };

export const unlink: HubHandle<"files.unlink" | "folders.unlink"> = async (
  request,
  { caller: hub, query },
) => {
  await removeLinks(hub, await namedItem(hub, request, query));
  return json({});
};

export const revisions: HubHandle<"files.revisions"> = async (request, { caller: hub, query }) => {
  const named = await namedItem(hub, request, query);
  return await answerPages(
    query,
    hub,
    { call: "files.revisions", ...named },
    async (options) => pageOfAll(await readRevisions(hub, named), options),
    (revision) => showRevision(revision, query.raw),
  );
};

export const revision: HubHandle<"files.revision"> = async (request, { caller: hub, query }) => {
  const wanted = decodeSegment(request, "revisionId");
  const found = (await readRevisions(hub, await namedItem(hub, request, query))).find(
    ({ id }) => id === wanted,
  );
  if (found === undefined) throw new NotFound("this file has no such revision");
  return json(showRevision(found, query.raw));
};

function showRevision({ raw, modifiedDate, ...shown }: Revision, withRaw: boolean | undefined) {
  const at = modifiedDate === undefined ? undefined : new Date(modifiedDate);
  return {
    ...shown,
    ...(at === undefined ? {} : { modifiedDate: isoSeconds(at) }),
    ...(withRaw ? { raw } : {}),
  };
}
