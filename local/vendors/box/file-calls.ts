import * as v from "valibot";
import { bytesContent, digestOf } from "../content.ts";
import { contentAnswer, jsonAnswer } from "../http/answer.ts";
import type { VendorRequest } from "../http/request.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import { type ApiCall, call, open } from "../kit/calls.ts";
import { formPartsOf } from "../kit/multipart.ts";
import type { Kit } from "../kit/start-vendor.ts";
import { notFound, refuse, refused } from "./errors.ts";
import { FIELDS, itemById, OFFSET, offsetPage, READ, WRITE } from "./item-calls.ts";
import { type BoxItem, type BoxNode, isStale, itemOf, timeOf, userOf, versionOf } from "./items.ts";

/** "Direct uploads are limited": https://developer.box.com/guides/uploads/direct/file (2026-11-27). */
const MAX_UPLOAD_BYTES = 50 * 1024 * 1024;
/** https://developer.box.com/guides/api-calls/permissions-and-errors/expiration */
const DOWNLOAD_MS = 15 * 60_000;

const TIME = v.optional(
  v.pipe(
    v.string(),
    v.check((text) => !Number.isNaN(Date.parse(text))),
  ),
);
const NEW_FILE = v.strictObject({
  name: v.string(),
  parent: v.strictObject({ id: v.string() }),
  content_created_at: TIME,
  content_modified_at: TIME,
});
const NEW_VERSION = v.strictObject({ name: v.optional(v.string()), content_modified_at: TIME });

interface DownloadTicket {
  readonly login: string;
  readonly file: string;
  readonly version: string;
  readonly until: number;
}

/** Content, versions and comments of files. */
export function fileCalls(kit: Kit<BoxItem>): ApiCall<BoxItem>[] {
  const fields = v.strictObject(FIELDS);
  return [
    call(
      "POST upload.box.com /api/2.0/files/content",
      { scopes: WRITE, query: fields },
      async ({ account, request }, { query }) => {
        const { attributes, content, modifiedAt } = await readUpload(request, NEW_FILE);
        const parent = itemById(account, attributes.parent.id, "folder");
        const node = account.addFile(parent, attributes.name, content, modifiedAt);
        const entry = itemOf(account, node, { origin: kit.origin, fields: query.fields });
        return jsonAnswer(201, { total_count: 1, entries: [entry] });
      },
    ),
    call(
      "POST upload.box.com /api/2.0/files/{id}/content",
      { scopes: WRITE, query: fields },
      async ({ account, request, parameters }, { query }) => {
        const { attributes, content, modifiedAt } = await readUpload(request, NEW_VERSION);
        const node = itemById(account, parameters.id, "file");
        if (isStale(request, node))
          throw refused(412, "precondition_failed", "The resource has been modified.");
        const { name } = attributes;
        if (name !== undefined && name !== node.name) account.move(node, { name });
        account.write(node, content, modifiedAt);
        const entry = itemOf(account, node, { origin: kit.origin, fields: query.fields });
        return { total_count: 1, entries: [entry] };
      },
    ),
    call(
      "OPTIONS /2.0/files/content",
      {
        scopes: WRITE,
        body: v.strictObject({
          name: v.string(),
          parent: v.strictObject({ id: v.string() }),
          size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
        }),
      },
      ({ account }, { body }) => {
        const taken = account.child(itemById(account, body.parent.id, "folder"), body.name);
        if (taken !== undefined) return refuse({ kind: "name_taken", by: taken });
        return { upload_url: "https://upload.box.com/api/2.0/files/content", upload_token: null };
      },
    ),
    call(
      "GET /2.0/files/{id}/content",
      { scopes: READ, query: v.strictObject({ version: v.optional(v.string()) }) },
      ({ account, parameters }, { query }) => {
        const node = itemById(account, parameters.id, "file");
        account.refuseIfSwitched(node, "read");
        const revision =
          query.version === undefined ? node.revisions.at(-1) : revisionOf(node, query.version);
        if (revision === undefined) throw notFound();
        const readyIn = revision.storedAt + kit.switches.state.operationMs - kit.now();
        // "Not ready": https://developer.box.com/guides/downloads/file (2026-11-27).
        if (readyIn > 0)
          return { status: 202, headers: { "Retry-After": String(Math.ceil(readyIn / 1000)) } };
        const until = kit.now() + DOWNLOAD_MS;
        const ticket = { login: account.login, file: node.id, version: revision.id, until };
        const url = `https://dl.boxcloud.com/d/1/${kit.tokens.seal(ticket satisfies DownloadTicket)}/download`;
        return { status: 302, headers: { Location: url } };
      },
    ),
    call(
      "GET /2.0/files/{id}/versions",
      { scopes: READ, query: v.strictObject({ ...FIELDS, ...OFFSET }) },
      ({ account, parameters }, { query }) => {
        const node = itemById(account, parameters.id, "file");
        // Only the versions before the current one, newest first.
        const old = node.revisions.slice(0, -1).reverse();
        return offsetPage(
          old.map((revision) => versionOf(account, node, revision)),
          query,
          1000,
        );
      },
    ),
    call(
      "GET /2.0/files/{id}/versions/{version}",
      { scopes: READ, query: fields },
      ({ account, parameters }) => {
        const node = itemById(account, parameters.id, "file");
        return versionOf(account, node, revisionOf(node, parameters.version));
      },
    ),
    call(
      "POST /2.0/files/{id}/versions/current",
      {
        scopes: WRITE,
        query: fields,
        body: v.strictObject({ id: v.string(), type: v.literal("file_version") }),
      },
      ({ account, parameters }, { body }) => {
        const node = itemById(account, parameters.id, "file");
        account.write(node, revisionOf(node, body.id).content);
        const newest = node.revisions.at(-1);
        return newest === undefined ? { status: 404 } : jsonAnswer(201, versionOf(account, node, newest));
      },
    ),
    call(
      "GET /2.0/files/{id}/comments",
      { scopes: READ, query: v.strictObject({ ...FIELDS, ...OFFSET }) },
      ({ account, parameters }, { query }) => {
        const node = itemById(account, parameters.id, "file");
        const comments = node.detail.own.comments.map(({ id, message, createdAt }) => ({
          type: "comment",
          id,
          is_reply_comment: false,
          message,
          created_by: userOf(account),
          created_at: timeOf(createdAt),
          item: { id: node.id, type: "file" },
        }));
        return offsetPage(comments, query, 1000);
      },
    ),
  ];
}

/** The URL that a download is redirected to: it needs no token, and works for 15 minutes. */
export function downloads(kit: Kit<BoxItem>): Endpoint {
  return open("GET dl.boxcloud.com /d/1/{ticket}/download", "api", (request, parameters) => {
    const ticket = kit.tokens.open<DownloadTicket>(parameters.ticket ?? "");
    const node = kit.accounts.find(ticket?.login ?? "")?.tree.get(ticket?.file ?? "");
    const revision = node?.revisions.find(({ id }) => id === ticket?.version);
    if (ticket === undefined || ticket.until <= kit.now() || node === undefined || revision === undefined) {
      throw notFound();
    }
    request.note({ account: ticket.login });
    return contentAnswer(revision.content, request.header("range"), {
      "Content-Type": revision.mediaType,
      "Content-Disposition": `attachment;filename*=UTF-8''${encodeURIComponent(node.name)}`,
    });
  });
}

function revisionOf(node: BoxNode, id: string | undefined) {
  const revision = node.revisions.find((each) => each.id === id);
  if (revision === undefined) throw notFound();
  return revision;
}

/** https://developer.box.com/guides/uploads/direct/file (2026-11-27). @throws {Refused} */
async function readUpload<Attributes extends { content_modified_at?: string | undefined }>(
  request: VendorRequest,
  schema: v.GenericSchema<unknown, Attributes>,
) {
  const parts = formPartsOf(request.header("content-type"), await request.body());
  const file = parts.find(({ name }) => name === "file");
  const attributes = parts.find(({ name }) => name === "attributes");
  if (file === undefined || attributes === undefined)
    throw refused(400, "bad_request", "Malformed form data");
  if (parts.indexOf(attributes) > parts.indexOf(file)) {
    throw refused(400, "metadata_after_file_contents", "Metadata is included after file contents.");
  }
  if (file.body.length > MAX_UPLOAD_BYTES) throw refused(413, "request_entity_too_large", "Too large");
  const content = bytesContent(file.body);
  const digest = request.header("content-md5");
  if (digest !== undefined && digest !== digestOf(content, "sha1")) {
    throw refused(400, "bad_digest", "The specified content-md5 did not match what we received");
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), attributes.body.toString("utf8"));
  if (!parsed.success) throw refused(400, "bad_request", `attributes: ${parsed.issues[0].message}`);
  const at = parsed.output.content_modified_at;
  return { attributes: parsed.output, content, modifiedAt: at === undefined ? undefined : Date.parse(at) };
}
