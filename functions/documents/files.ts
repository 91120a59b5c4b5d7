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
import { nameOf, parsePath } from "../core/documents/path.ts";
import type { Revision } from "../core/documents/vendor.ts";
import { NotFound } from "../core/errors.ts";
import { isoSeconds } from "../core/iso-seconds.ts";
import { present } from "../core/present.ts";
import { type HttpRequest, type HttpResponse, json } from "../http/request.ts";
import { parseBody } from "../http/request-body.ts";
import { decodeSegment } from "../http/route-table.ts";
import { answerDownload, rangeOf } from "./answer-download.ts";
import { answerPages } from "./answer-list.ts";
import type { DocumentsDeps, OpenHub } from "./open-hub.ts";
import {
  changesBody,
  copyBody,
  flag,
  namedItem,
  texts,
  wholeNumber,
  wireOptions,
} from "./request-parameters.ts";
import { signedLink } from "./signed-link.ts";
import { mediaTypeFor, readUpload } from "./upload-body.ts";

export async function upload(request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  const { query } = request;
  const body = await readUpload(request);
  // Said by old clients; the bytes are counted anyway.
  wholeNumber(request, "size", { min: 0, max: Number.MAX_SAFE_INTEGER });
  const path = query.get("path");
  const folderId = query.get("folderId");
  const description = query.get("description");
  const tags = texts(request, "tags");
  const name = path === null ? (body.fileName ?? "") : nameOf(parsePath(path));
  const item = await uploadFile(hub, {
    ...(path === null ? {} : { path }),
    ...(folderId === null ? {} : { folderId }),
    ...present({ fileName: body.fileName }),
    overwrite: flag(request, "overwrite") ?? false,
    bytes: body.bytes,
    mimeType: mediaTypeFor(body, name),
    details: {
      ...(description === null ? {} : { description }),
      ...(tags.length === 0 ? {} : { tags }),
    },
  });
  return json(toWire(item, wireOptions(request)));
}

export async function download(request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  const mediaType = request.query.get("mediaType");
  const file = await downloadFile(hub, namedItem(request), {
    ...rangeOf(request.headers.range),
    ...(mediaType === null ? {} : { mediaType }),
  });
  return answerDownload(file);
}

/** Of files and folders alike: each is found through either path. */
export async function metadata(request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  const shown = wireOptions(request);
  const item = await readMetadata(hub, namedItem(request), { withoutPath: shown.withoutPath ?? false });
  return json(toWire(item, shown));
}

export async function change(request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  const named = namedItem(request);
  const { path, name, description, tags } = parseBody(request, changesBody);
  const item = await changeItem(hub, named, {
    ...present({ path, name, description, tags }),
  });
  return json(toWire(item, wireOptions(request)));
}

export const copyKind =
  (kind: "file" | "folder") =>
  async (request: HttpRequest, hub: OpenHub): Promise<HttpResponse> => {
    const { path } = parseBody(request, copyBody);
    const overwrite = flag(request, "overwrite") ?? false;
    return json(toWire(await copy(hub, namedItem(request), kind, { path, overwrite }), wireOptions(request)));
  };

export const removeKind =
  (kind: "file" | "folder") =>
  async (request: HttpRequest, hub: OpenHub): Promise<HttpResponse> => {
    await removeItem(hub, namedItem(request), kind, { forGood: flag(request, "emptyTrash") ?? false });
    return json({});
  };

export const links =
  (deps: () => DocumentsDeps) =>
  async (request: HttpRequest, hub: OpenHub): Promise<HttpResponse> => {
    const item = await readMetadata(hub, namedItem(request), { withoutPath: true });
    const { raw, lasting, ...vendorLinks } = await readLinks(hub, item);
    const ours = item.directory ? undefined : await signedLink(request, hub.instance, item, deps());
    return json({
      ...(ours === undefined
        ? {}
        : { ...(lasting ? {} : { expires: ours.expires }), cloudElementsLink: ours.url }),
      ...vendorLinks,
      ...(flag(request, "raw") ? { raw } : {}),
    });
  };

export async function unlink(request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  await removeLinks(hub, namedItem(request));
  return json({});
}

export async function revisions(request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  const named = namedItem(request);
  return answerPages(
    request,
    hub,
    { call: "files.revisions", ...named },
    async ({ from, page, pageSize }) => {
      const all = await readRevisions(hub, named);
      const start = from?.skip ?? (page - 1) * pageSize;
      const end = start + pageSize;
      return {
        items: all.slice(start, end),
        ...(end < all.length ? { next: { skip: end, part: pageSize } } : {}),
        total: all.length,
      };
    },
    (revision) => showRevision(request, revision),
  );
}

export async function revision(request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  const wanted = decodeSegment(request, "revisionId");
  const found = (await readRevisions(hub, namedItem(request))).find(({ id }) => id === wanted);
  if (found === undefined) throw new NotFound("this file has no such revision");
  return json(showRevision(request, found));
}

function showRevision(request: HttpRequest, { raw, modifiedDate, ...shown }: Revision): unknown {
  const at = modifiedDate === undefined ? undefined : new Date(modifiedDate);
  return {
    ...shown,
    ...(at === undefined ? {} : { modifiedDate: isoSeconds(at) }),
    ...(flag(request, "raw") ? { raw } : {}),
  };
}
