import * as v from "valibot";
import { bytesContent, digestOf } from "../content.ts";
import { jsonAnswer } from "../http/answer.ts";
import type { VendorRequest } from "../http/request.ts";
import { type ApiCall, call } from "../kit/calls.ts";
import { downloadTicket } from "../kit/download-links.ts";
import { formPartsOf } from "../kit/multipart.ts";
import type { Kit } from "../kit/start-vendor.ts";
import { invalid, nameTaken, notFound, refused } from "./errors.ts";
import { changing, FIELDS, itemById, listPage, OFFSET, READ, WRITE } from "./item-calls.ts";
import { type BoxItem, type BoxNode, itemOf, versionOf } from "./items.ts";

/** "Direct uploads are limited": https://developer.box.com/guides/uploads/direct/file (2026-11-27). */
const MAX_UPLOAD_BYTES = 50 * 1024 * 1024;
/** https://developer.box.com/guides/api-calls/permissions-and-errors/expiration */
const DOWNLOAD_MS = 15 * 60_000;

const TIME = v.optional(v.pipe(v.string(), v.isoTimestamp()));
const PLACE = { name: v.string(), parent: v.strictObject({ id: v.string() }) };
const NEW_FILE = v.strictObject({ ...PLACE, content_created_at: TIME, content_modified_at: TIME });
const NEW_VERSION = v.strictObject({ name: v.optional(v.string()), content_modified_at: TIME });
const CHECK = v.strictObject({ ...PLACE, size: v.optional(v.number()) });

/** Content and versions of files. */
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
        const entries = [itemOf(account, node, { origin: kit.origin, fields: query.fields })];
        return jsonAnswer(201, { total_count: 1, entries });
      },
    ),
    call(
      "POST upload.box.com /api/2.0/files/{id}/content",
      { scopes: WRITE, query: fields },
      async (caller, { query }) => {
        const { account } = caller;
        const { attributes, content, modifiedAt } = await readUpload(caller.request, NEW_VERSION);
        const node = changing(caller, "file");
        const { name = node.name } = attributes;
        if (name !== node.name) account.move(node, { name });
        account.write(node, content, modifiedAt);
        const entries = [itemOf(account, node, { origin: kit.origin, fields: query.fields })];
        return { total_count: 1, entries };
      },
    ),
    call("OPTIONS /2.0/files/content", { scopes: WRITE, body: CHECK }, ({ account }, { body }) => {
      const taken = account.child(itemById(account, body.parent.id, "folder"), body.name);
      if (taken !== undefined) return nameTaken(taken, true);
      return { upload_url: "https://upload.box.com/api/2.0/files/content", upload_token: null };
    }),
    call(
      "GET /2.0/files/{id}/content",
      { scopes: READ, query: v.strictObject({ version: v.optional(v.string()) }) },
      ({ account, parameters }, { query }) => {
        const node = itemById(account, parameters.id, "file");
        account.refuseIfSwitched(node, "read");
        const revision = revisionOf(node, query.version ?? node.revisions.at(-1)?.id);
        const readyIn = revision.storedAt + kit.switches.state.operationMs - kit.now();
        // "Not ready": https://developer.box.com/guides/downloads/file (2026-11-27).
        if (readyIn > 0)
          return { status: 202, headers: { "Retry-After": String(Math.ceil(readyIn / 1000)) } };
        const ticket = downloadTicket(kit, account, node, revision.id, DOWNLOAD_MS);
        return { status: 302, headers: { Location: `https://dl.boxcloud.com/d/1/${ticket}/download` } };
      },
    ),
    call(
      "GET /2.0/files/{id}/versions",
      { scopes: READ, query: v.strictObject({ ...FIELDS, ...OFFSET }) },
      ({ account, parameters }, { query }) => {
        const node = itemById(account, parameters.id, "file");
        // Only the versions before the current one, newest first.
        const old = node.revisions.slice(0, -1).reverse();
        return listPage(
          old.map((revision) => versionOf(account, node, revision)),
          query,
          1000,
        );
      },
    ),
  ];
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
  const at = (wanted: string) => parts.findIndex(({ name }) => name === wanted);
  const [file, attributes] = [parts[at("file")], parts[at("attributes")]];
  if (file === undefined || attributes === undefined)
    throw refused(400, "bad_request", "Malformed form data");
  if (at("attributes") > at("file")) throw refused(400, "metadata_after_file_contents");
  if (file.body.length > MAX_UPLOAD_BYTES) throw refused(413, "request_entity_too_large");
  const content = bytesContent(file.body);
  const digest = request.header("content-md5");
  if (digest !== undefined && digest !== digestOf(content, "sha1")) throw refused(400, "bad_digest");
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), attributes.body.toString("utf8"));
  if (!parsed.success) throw invalid("attributes", undefined, parsed.issues[0].message);
  const modified = parsed.output.content_modified_at;
  const modifiedAt = modified === undefined ? undefined : Date.parse(modified);
  return { attributes: parsed.output, content, modifiedAt };
}
