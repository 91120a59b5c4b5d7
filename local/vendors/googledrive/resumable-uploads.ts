import { randomBytes } from "node:crypto";
import { bytesContent, type Content, joinedContent } from "../content.ts";
import type { Answer } from "../http/answer.ts";
import { type Caller, jsonBody } from "./call.ts";
import type { DriveNode } from "./drive-account.ts";
import { DriveError } from "./errors.ts";
import { fileAnswer } from "./file-answer.ts";
import { withoutParameters } from "./upload-body.ts";

type Create = (
  caller: Caller,
  metadata: Record<string, unknown>,
  content: Content,
  type?: string,
) => DriveNode;
type Change = (
  caller: Caller,
  node: DriveNode,
  metadata: Record<string, unknown>,
  content: Content,
  type?: string,
) => DriveNode;

interface Session {
  readonly caller: Caller;
  readonly target: DriveNode | undefined;
  readonly metadata: Record<string, unknown>;
  readonly mediaType: string | undefined;
  readonly parts: Content[];
}

const MAX_SESSIONS = 100;
/** "Create chunks in multiples of 256 KB (256 x 1024 bytes) in size, except for the final chunk." */
const CHUNK_UNIT = 256 * 1024;

/** https://developers.google.com/workspace/drive/api/guides/manage-uploads#resumable */
export class ResumableUploads {
  readonly #sessions = new Map<string, Session>();
  readonly #create: Create;
  readonly #change: Change;

  constructor(create: Create, change: Change) {
    this.#create = create;
    this.#change = change;
  }

  /** Answers with the session's URI; its host is the one that the client called. */
  async begin(caller: Caller, target: DriveNode | undefined): Promise<Answer> {
    const { request } = caller;
    const id = randomBytes(48).toString("base64url");
    this.#sessions.set(id, {
      caller,
      target,
      metadata: await jsonBody(request),
      mediaType: withoutParameters(request.header("x-upload-content-type")),
      parts: [],
    });
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    const location = `${request.origin}${request.path}?uploadType=resumable&upload_id=${id}`;
    return { status: 200, headers: { Location: location, "X-GUploader-UploadID": id } };
  }

  /** Receives a chunk, the whole content, or a query of the progress (a Content-Range without a range). */
  async receive(caller: Caller): Promise<Answer> {
    const id = caller.request.query.get("upload_id") ?? "";
    const session = this.#sessions.get(id);
    if (session === undefined || session.caller.account !== caller.account) {
      throw new DriveError(404, "notFound", "The upload session was not found.");
    }
    const body = await caller.request.body();
    const have = joinedContent(session.parts).size;
    const range = readRange(caller.request.header("content-range"), body.length);
    if (range.start === undefined) {
      return range.total === have ? this.#finish(id, session, caller) : progress(have);
    }
    if (range.start !== have || (range.length !== undefined && range.length !== body.length)) {
      throw new DriveError(400, "badRequest", `Invalid request. The next byte expected is ${have}.`);
    }
    const end = have + body.length;
    if (range.total !== end && body.length % CHUNK_UNIT !== 0) {
      throw new DriveError(400, "badRequest", "Invalid request. Chunks must be multiples of 262144 bytes.");
    }
    caller.account.refuseOverQuota(end);
    session.parts.push(bytesContent(body));
    return range.total === end ? this.#finish(id, session, caller) : progress(end);
  }

  #finish(id: string, session: Session, caller: Caller): Answer {
    const content = joinedContent(session.parts);
    const node =
      session.target === undefined
        ? this.#create(session.caller, session.metadata, content, session.mediaType)
        : this.#change(session.caller, session.target, session.metadata, content, session.mediaType);
    this.#sessions.delete(id);
    const first = session.caller.request.query;
    const fields = caller.request.query.get("fields") ?? first.get("fields");
    if (fields !== null) caller.request.query.set("fields", fields);
    return fileAnswer(caller, node);
  }
}

function progress(bytes: number): Answer {
  return { status: 308, headers: bytes === 0 ? {} : { Range: `bytes=0-${bytes - 1}` } };
}

interface Range {
  /** Absent: the request only asks for the progress. */
  readonly start?: number;
  readonly length?: number;
  /** Absent: the client does not know the total yet. */
  readonly total?: number;
}

function readRange(header: string | undefined, bodyLength: number): Range {
  if (header === undefined) return { start: 0, length: bodyLength, total: bodyLength };
  const [, first, last, total = ""] = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(header) ?? [];
  if (total === "") throw new DriveError(400, "badRequest", "Failed to parse Content-Range header.");
  const known = total === "*" ? {} : { total: Number(total) };
  return first === undefined
    ? known
    : { start: Number(first), length: Number(last) - Number(first) + 1, ...known };
}
