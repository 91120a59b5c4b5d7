import { randomBytes } from "node:crypto";
import type { files } from "dropbox";
import * as v from "valibot";
import { bytesContent, type Content, joinedContent } from "../content.ts";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import { type ApiCalls, type Caller, content } from "./call.ts";
import { contentHash } from "./content-hash.ts";
import { ALLOCATED_BYTES, type DropboxAccount, WriteRefused } from "./dropbox-account.ts";
import { BadInput, conflict, EndpointError, MALFORMED_PATH, type Tagged } from "./errors.ts";
import { fileMetadata, newestOf } from "./metadata.ts";
import { absolutePath } from "./resolve-path.ts";

/** "Do not use this to upload a file larger than 150 MiB." */
const MAX_UPLOAD_BYTES = 150 * 1024 * 1024;
const MAX_SESSIONS = 100;

const MODE = v.union([
  v.picklist(["add", "overwrite"]),
  v.strictObject({ ".tag": v.picklist(["add", "overwrite"]) }),
  v.strictObject({ ".tag": v.literal("update"), update: v.string() }),
]);
const COMMIT = {
  path: v.string(),
  mode: v.optional(MODE, "add"),
  autorename: v.optional(v.boolean(), false),
  client_modified: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      v.check((text) => !Number.isNaN(Date.parse(text))),
    ),
  ),
  mute: v.optional(v.boolean()),
  property_groups: v.optional(v.array(v.unknown())),
  strict_conflict: v.optional(v.boolean(), false),
};
const CONTENT_HASH = v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)));
const CURSOR = v.strictObject({
  session_id: v.string(),
  offset: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
const COMMIT_INFO = v.strictObject(COMMIT);
type CommitInfo = v.InferOutput<typeof COMMIT_INFO>;

interface Session {
  readonly account: DropboxAccount;
  readonly parts: Content[];
  isClosed: boolean;
}

/** https://www.dropbox.com/developers/documentation/http/documentation#files-upload and #files-upload_session-start */
export function uploadCalls(): ApiCalls {
  const sessions = new Map<string, Session>();
  const find = (
    account: DropboxAccount,
    cursor: v.InferOutput<typeof CURSOR>,
    wrap: (error: Tagged) => EndpointError,
  ) => {
    const session = sessions.get(cursor.session_id);
    if (session === undefined || session.account !== account) throw wrap({ ".tag": "not_found" });
    const { size } = joinedContent(session.parts);
    if (cursor.offset !== size) {
      throw wrap({ ".tag": "incorrect_offset", correct_offset: size } as Tagged);
    }
    return session;
  };
  const direct = (error: Tagged) => new EndpointError(error);
  const lookupFailed = (error: Tagged) =>
    new EndpointError({ ".tag": "lookup_failed", lookup_failed: error } as Tagged);

  return {
    "files/upload": content(
      "upload",
      "files.content.write",
      v.strictObject({ ...COMMIT, content_hash: CONTENT_HASH }),
      async (caller, input) => {
        const bytes = await received(caller, input.content_hash);
        return jsonAnswer(200, commit(caller.account, input, bytes));
      },
    ),
    "files/upload_session/start": content(
      "upload",
      "files.content.write",
      v.strictObject({
        close: v.optional(v.boolean(), false),
        session_type: v.optional(
          v.union([v.literal("sequential"), v.strictObject({ ".tag": v.literal("sequential") })]),
        ),
        content_hash: CONTENT_HASH,
      }),
      async (caller, input) => {
        const bytes = await received(caller, input.content_hash);
        const id = `pid_upload_session:${randomBytes(24).toString("base64url")}`;
        sessions.set(id, { account: caller.account, parts: [bytes], isClosed: input.close });
        const [oldest] = sessions.keys();
        if (sessions.size > MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
        return jsonAnswer(200, { session_id: id } satisfies files.UploadSessionStartResult);
      },
    ),
    "files/upload_session/append_v2": content(
      "upload",
      "files.content.write",
      v.strictObject({ cursor: CURSOR, close: v.optional(v.boolean(), false), content_hash: CONTENT_HASH }),
      async (caller, input) => {
        const bytes = await received(caller, input.content_hash);
        const session = find(caller.account, input.cursor, direct);
        if (session.isClosed) throw direct({ ".tag": "closed" });
        if (input.cursor.offset + bytes.size > ALLOCATED_BYTES) throw direct({ ".tag": "too_large" });
        session.parts.push(bytes);
        session.isClosed = input.close;
        return jsonAnswer(200, null);
      },
    ),
    "files/upload_session/finish": content(
      "upload",
      "files.content.write",
      v.strictObject({ cursor: CURSOR, commit: COMMIT_INFO, content_hash: CONTENT_HASH }),
      async (caller, input): Promise<Answer> => {
        const bytes = await received(caller, input.content_hash);
        const session = find(caller.account, input.cursor, lookupFailed);
        const metadata = commit(caller.account, input.commit, joinedContent([...session.parts, bytes]), true);
        sessions.delete(input.cursor.session_id);
        return jsonAnswer(200, metadata);
      },
    ),
  };
}

async function received(caller: Caller, expectedHash: string | undefined): Promise<Content> {
  const bytes = bytesContent(await caller.request.body());
  if (bytes.size > MAX_UPLOAD_BYTES) throw new EndpointError({ ".tag": "payload_too_large" });
  if (expectedHash !== undefined && contentHash(bytes) !== expectedHash) {
    throw new EndpointError({ ".tag": "content_hash_mismatch" });
  }
  return bytes;
}

function commit(
  account: DropboxAccount,
  input: CommitInfo,
  bytes: Content,
  isSession = false,
): files.FileMetadata {
  const path = absolutePath(account, input.path);
  if (path !== undefined && !path.startsWith("/")) {
    throw new BadInput(
      `path: '${input.path}' did not match pattern '(/(.|[\\r\\n])*)|(ns:[0-9]+(/.*)?)|(id:.*)'`,
    );
  }
  try {
    if (path === undefined) throw new WriteRefused(MALFORMED_PATH);
    const target = targetOf(account, input, path, bytes);
    if (target === undefined) {
      const same = account.at(path);
      if (same !== undefined) return fileMetadata(account, same);
    }
    const clientModified =
      input.client_modified === undefined ? account.now() : Date.parse(input.client_modified);
    return fileMetadata(account, account.write(target ?? path, bytes, clientModified));
  } catch (error) {
    if (!(error instanceof WriteRefused)) throw error;
    const failed = isSession
      ? { ".tag": "path", path: error.reason }
      : { ".tag": "path", reason: error.reason, upload_session_id: "" };
    throw new EndpointError(failed as Tagged);
  }
}

/**
 * Path to write to: the requested path, a path with another name, or undefined if the existing file already
 * has the same content. See WriteMode and `strict_conflict` in the documentation.
 * @throws {WriteRefused}
 */
function targetOf(
  account: DropboxAccount,
  input: CommitInfo,
  path: string,
  bytes: Content,
): string | undefined {
  const existing = account.at(path);
  if (existing === undefined) {
    const expectsOne = typeof input.mode === "object" && input.mode[".tag"] === "update";
    if (expectsOne && input.strict_conflict) throw new WriteRefused(conflict("file"));
    return path;
  }
  const mode = typeof input.mode === "string" ? { ".tag": input.mode } : input.mode;
  if (existing.directory) {
    if (input.autorename) return account.freePath(path);
    throw new WriteRefused(conflict("folder"));
  }
  const newest = newestOf(existing);
  if (
    mode[".tag"] === "overwrite" ||
    (mode[".tag"] === "update" && "update" in mode && mode.update === newest.id)
  ) {
    return path;
  }
  if (!input.strict_conflict && contentHash(newest.content) === contentHash(bytes)) return undefined;
  if (input.autorename) return account.freePath(path);
  throw new WriteRefused(conflict("file"));
}
