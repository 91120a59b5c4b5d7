import { InvalidRequest, LinkspanError, Unavailable } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import { mediaTypeOf } from "../../media-types.ts";
import { numberedName } from "../../numbered-name.ts";
import type {
  Details,
  Download,
  DownloadOptions,
  IdVendor,
  Located,
  PageRequest,
  Revision,
  Target,
  VendorPage,
} from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer, type Refusal, wrongKind } from "../../vendor-failure.ts";
import {
  type BoxItem,
  type BoxList,
  FOUND,
  fieldsOf,
  LISTED,
  openBoxId,
  ROOT,
  readItem,
  rootItem,
  toItem,
} from "./items.ts";
import { upload } from "./upload.ts";

/* https://developer.box.com/reference (2026-11-27) */

/** "The maximum number of items to return per page" of a folder's items: 1000. */
const MAX_PAGE = 1000;
/** Pages of a folder that are read to find a name: Box cannot look up a child by its name. */
const MAX_PAGES = 100;
/** Items of a search page, and how far its offset goes: https://developer.box.com/reference/get-search */
const MAX_FOUND = 200;
const MAX_OFFSET = 10_000;
/** "maxLength: 256" of the description. */
const MAX_DESCRIPTION = 256;
/** Names that a move tries if its target's name is taken. */
const MAX_NAMES = 20;

export const box: IdVendor = {
  connector: "box",
  addressing: "id",
  rootReference: ROOT,
  // rclone's Box backend says so, too (CaseInsensitive).
  ignoresCase: true,
  findsConflicts: true,
  findsBelow: true,
  // Box has tags, but its specification allows no empty list (`minItems: 1`), so they could not be removed again.
  keeps: ["description"],
  names: { refuse: refusedName },
  maxPageSize: MAX_PAGE,

  refusal(_status, body) {
    const { code, context_info: context } = (body ?? {}) as { code?: unknown; context_info?: ErrorContext };
    if (context?.errors?.some(({ name }) => name === "marker")) return "cursor_expired";
    return typeof code === "string" && Object.hasOwn(refusals, code) ? refusals[code] : undefined;
  },

  openId: openBoxId,
  root: async () => rootItem,
  get: readItem,
  list,

  async child(call, folder, name) {
    const wanted = name.toLowerCase();
    let page: PageRequest = { limit: MAX_PAGE };
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const { items, cursor } = await list(call, folder, page);
      const found = items.find((item) => item.name.toLowerCase() === wanted);
      if (found !== undefined || cursor === undefined) return found;
      page = { limit: MAX_PAGE, cursor };
    }
    throw badAnswer("its list has no end");
  },

  download,
  upload: async (call, target, content) => {
    checkDescription(content.details);
    return described(call, await upload(call, target, content), content.details);
  },

  async createFolder(call, { name, parent }, details) {
    checkDescription(details);
    const json = { name, parent: { id: numberOf(parent) } };
    const made = await call.json<BoxItem>({
      method: "POST",
      url: `/2.0/folders?${fieldsOf("folders")}`,
      json,
    });
    return described(call, toItem(made), details);
  },

  async move(call, item, target) {
    const parent = item.parentReference === target.parent ? {} : { parent: { id: numberOf(target.parent) } };
    for (let count = 0; ; count++) {
      try {
        return await update(call, item, {
          name: numberedName(target.name, count, item.directory),
          ...parent,
        });
      } catch (error) {
        // Box refuses a taken name. The item goes beside the other one, as in Dropbox.
        if (!isConflict(error) || count === MAX_NAMES) throw error;
      }
    }
  },

  async copyFile(call, item, target) {
    const raw = item.raw as BoxItem;
    return raw.type === "web_link" ? copyWebLink(call, raw, target) : copy(call, item, target);
  },
  copyFolder: copy,

  async remove(call, { reference, directory }, { forGood }) {
    const query = directory ? "?recursive=true" : "";
    await call.expectOk({ method: "DELETE", url: `/2.0/${reference}${query}` });
    if (forGood) await call.expectOk({ method: "DELETE", url: `/2.0/${reference}/trash` });
    return undefined;
  },

  async restore(call, { reference }) {
    await call.json({ method: "POST", url: `/2.0/${reference}`, json: {} });
  },

  // "query" is required.
  searchNeedsText: true,
  async search(call, { text = "", folder }, page) {
    const offset = Number(page.cursor ?? 0);
    const limit = Math.min(page.limit, MAX_FOUND);
    const query = new URLSearchParams({
      query: text,
      offset: String(offset),
      limit: String(limit),
      ...(folder === undefined ? {} : { ancestor_folder_ids: numberOf(folder.reference) }),
    });
    const url = `/2.0/search?${query}&${FOUND}`;
    const { entries = [], total_count: total = 0 } = await call.json<BoxList>({ method: "GET", url });
    const next = offset + limit;
    return {
      // The folder itself is among what is below it.
      items: entries.map(toItem).filter((item) => item.id !== folder?.id),
      ...(next < total && next <= MAX_OFFSET ? { cursor: String(next) } : {}),
      ...(total > MAX_OFFSET + MAX_FOUND ? { incomplete: true } : {}),
    };
  },

  async storage(call) {
    const user = await me<{ space_amount?: number; space_used?: number }>(call, "space_amount,space_used");
    return { ...present({ total: user.space_amount }), used: user.space_used ?? 0, shared: 0 };
  },

  async account(call) {
    const user = await me<{ id: string; name?: string; login?: string }>(call, "id,name,login");
    return { id: user.id, ...present({ name: user.name, email: user.login }), raw: user };
  },

  async describe(call, item, details) {
    checkDescription(details);
    return update(call, item, present({ description: details.description }));
  },

  // A link with the access that the account's administrator has chosen; one that exists stays as it is.
  async links(call, { reference }) {
    const url = `/2.0/${reference}?fields=shared_link`;
    const shared = await call.json<BoxItem>({ method: "GET", url });
    const { shared_link: link } =
      shared.shared_link != null
        ? shared
        : await call.json<BoxItem>({ method: "PUT", url, json: { shared_link: {} } });
    if (link == null) throw badAnswer("it lacks the shared link");
    return {
      providerViewLink: link.url,
      ...present({ providerLink: link.download_url ?? undefined }),
      raw: link,
    };
  },

  async removeLinks(call, { reference }) {
    const url = `/2.0/${reference}?fields=shared_link`;
    await call.json({ method: "PUT", url, json: { shared_link: null } });
  },

  revisions,
};

interface ErrorContext {
  readonly errors?: readonly { readonly name?: string }[];
}

/** https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors (2026-11-27) */
const refusals: Readonly<Record<string, Refusal>> = {
  item_name_in_use: "conflict",
  name_temporarily_reserved: "conflict",
  storage_limit_exceeded: "storage_full",
  insufficient_scope: "missing_scope",
  rate_limit_exceeded: "rate_limited",
  trashed: "not_found",
};

/**
 * Characters: https://developer.box.com/guides/files/limitations; blanks at the end and the length: item_name_invalid and
 * item_name_too_long of .../permissions-and-errors/common-errors (2026-11-27). Box drops some of these characters in silence.
 */
function refusedName(name: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what Box refuses.
  if (/[\\\x00-\x1f\x7f]/.test(name)) return "Box allows no backslash and no control character in a name";
  return name.endsWith(" ") ? "Box allows no name that ends with a space" : undefined;
}

/** @throws {InvalidRequest} */
function checkDescription({ description = "" }: Details): void {
  if (description.length > MAX_DESCRIPTION)
    throw new InvalidRequest(
      `Box keeps a description of at most ${MAX_DESCRIPTION} characters`,
      "description",
    );
}

function numberOf(reference: string): string {
  return reference.slice(reference.indexOf("/") + 1);
}

function isConflict(error: unknown): boolean {
  return error instanceof LinkspanError && error.code === "conflict";
}

/** With markers, because offsets end at 10,000: https://developer.box.com/guides/api-calls/pagination/marker-based */
async function list(call: VendorCall, folder: string, { limit, cursor }: PageRequest): Promise<VendorPage> {
  const marker = cursor === undefined ? "" : `&marker=${encodeURIComponent(cursor)}`;
  const url = `/2.0/${folder}/items?usemarker=true&limit=${limit}${marker}&${LISTED}`;
  const { entries = [], next_marker: next } = await call.json<BoxList>({ method: "GET", url });
  return { items: entries.map(toItem), ...present({ cursor: next || undefined }) };
}

async function update(call: VendorCall, item: DocumentsItem, json: object): Promise<DocumentsItem> {
  const url = `/2.0/${item.reference}?${fieldsOf(item.reference)}`;
  return toItem(await call.json<BoxItem>({ method: "PUT", url, json }));
}

async function described(
  call: VendorCall,
  item: DocumentsItem,
  { description = "" }: Details,
): Promise<DocumentsItem> {
  return description === "" ? item : update(call, item, { description });
}

async function copy(call: VendorCall, item: DocumentsItem, target: Target): Promise<DocumentsItem> {
  const url = `/2.0/${item.reference}/copy?${fieldsOf(item.reference)}`;
  const json = { name: target.name, parent: { id: numberOf(target.parent) } };
  return toItem(await call.json<BoxItem>({ method: "POST", url, json }));
}

async function copyWebLink(
  call: VendorCall,
  { url, description }: BoxItem,
  { name, parent }: Target,
): Promise<DocumentsItem> {
  const json = { ...present({ url, description }), name, parent: { id: numberOf(parent) } };
  return toItem(await call.json<BoxItem>({ method: "POST", url: "/2.0/web_links", json }));
}

function me<User>(call: VendorCall, fields: string): Promise<User> {
  return call.json({ method: "GET", url: `/2.0/users/me?fields=${fields}` });
}

/** https://developer.box.com/guides/downloads/file (2026-11-27): a redirect to a URL that needs no token. */
async function download(call: VendorCall, file: Located, { range }: DownloadOptions): Promise<Download> {
  if (file.item?.directory === true) throw wrongKind("folder");
  if (file.reference.startsWith("web_links/")) throw webLinkHasNoBytes();
  if ((file.item?.raw as BoxItem | undefined)?.type === "web_link") throw webLinkHasNoBytes();
  const open = call.open({
    method: "GET",
    url: `/2.0/${file.item?.reference ?? file.reference}/content`,
    headers: range === undefined ? [] : [["Range", range]],
  });
  const response = await open.catch(async (error: unknown) => {
    const isMissing = error instanceof LinkspanError && error.status === 404;
    if (isMissing && file.item === undefined && (await readItem(call, file.reference)).directory)
      throw wrongKind("folder");
    throw error;
  });
  if (response.status === 202) {
    response.body.destroy();
    const seconds = Number(response.headers["retry-after"]);
    throw new Unavailable(
      "the file is not ready yet: Box still works on its upload",
      "unavailable",
      seconds || 5,
    );
  }
  const name = file.item?.name ?? nameIn(response.headers["content-disposition"]);
  return { response, name, mimeType: mediaTypeOf(name) };
}

function webLinkHasNoBytes(): InvalidRequest {
  return new InvalidRequest("this is a web link, which has no bytes", undefined, "not_a_file");
}

/** RFC 6266 section 4.3 */
function nameIn(disposition = ""): string {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1];
  try {
    if (encoded !== undefined) return decodeURIComponent(encoded);
  } catch {
    // The plain form below may be readable.
  }
  return /filename="([^"]+)"/i.exec(disposition)?.[1] ?? "file";
}

interface BoxVersion {
  readonly id: string;
  readonly sha1?: string;
  readonly size?: number;
  readonly modified_at?: string;
  readonly trashed_at?: string | null;
}

/** https://developer.box.com/reference/get-files-id-versions (2026-11-27): past versions only; the file itself is the current one. */
async function revisions(call: VendorCall, item: DocumentsItem): Promise<readonly Revision[]> {
  const { file_version: current, sha1, size, modified_at } = item.raw as BoxItem;
  const found: BoxVersion[] = [
    { id: current?.id ?? "", ...present({ sha1, size, modified_at: modified_at ?? undefined }) },
  ];
  for (let offset = 0; offset <= MAX_OFFSET; offset += MAX_PAGE) {
    const fields = "fields=id,sha1,size,modified_at,trashed_at";
    const url = `/2.0/${item.reference}/versions?limit=${MAX_PAGE}&offset=${offset}&${fields}`;
    const { entries = [], total_count: total = 0 } = await call.json<{
      entries?: readonly BoxVersion[];
      total_count?: number;
    }>({ method: "GET", url });
    found.push(...entries.filter(({ trashed_at: trashed }) => trashed == null));
    if (offset + MAX_PAGE >= total) break;
  }
  return found.map((version) => ({
    id: version.id,
    ...present({ size: version.size, modifiedDate: version.modified_at, hash: version.sha1 }),
    raw: version,
  }));
}
