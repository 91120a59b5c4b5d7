import { randomBytes } from "node:crypto";
import type { files } from "dropbox";
import * as v from "valibot";
import { type Content, textContent } from "../content.ts";
import type { Revision } from "../file-tree.ts";
import { type Answer, contentAnswer, textAnswer } from "../http/answer.ts";
import type { VendorRequest } from "../http/request.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import { type ApiCalls, content, rpc } from "./call.ts";
import type { DropboxAccount, DropboxNode } from "./dropbox-account.ts";
import { EndpointError, pathError } from "./errors.ts";
import { fileMetadata, newestOf } from "./metadata.ts";
import { notRoot, resolvePath } from "./resolve-path.ts";

/** "This link will expire in four hours and afterwards you will get 410 Gone." */
const LINK_LIFETIME_MS = 4 * 3_600_000;
const MAX_LINKS = 10_000;

interface TemporaryLink {
  readonly name: string;
  readonly revision: Revision;
  readonly expiresAt: number;
}

/**
 * Links that need no token. Dropbox's links are on dl.dropboxusercontent.com, these are on the stand-in
 * itself.
 */
export class TemporaryLinks {
  readonly #links = new Map<string, TemporaryLink>();
  readonly #now: () => number;
  constructor(now: () => number) {
    this.#now = now;
  }

  add(name: string, revision: Revision): string {
    const key = randomBytes(24).toString("base64url");
    this.#links.set(key, { name, revision, expiresAt: this.#now() + LINK_LIFETIME_MS });
    const [oldest] = this.#links.keys();
    if (this.#links.size > MAX_LINKS && oldest !== undefined) this.#links.delete(oldest);
    return `/cd/0/get/${key}/file`;
  }

  endpoint(hosts: readonly string[]): Endpoint {
    return { hosts, path: "/cd/0/get/", kind: "page", handle: (request) => this.#serve(request) };
  }

  #serve(request: VendorRequest): Answer {
    const link = this.#links.get(request.path.split("/")[4] ?? "");
    if (link === undefined) return textAnswer(404, "Not Found");
    if (link.expiresAt <= this.#now()) return textAnswer(410, "Gone");
    return contentAnswer(link.revision.content, request.header("range"), {
      "Content-Type": link.revision.mediaType,
      "Content-Disposition": dispositionOf("inline", link.name),
    });
  }
}

/** A Content-Disposition (RFC 6266) with the name both in ASCII and in UTF-8. */
export function dispositionOf(type: "inline" | "attachment", name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const utf8 = encodeURIComponent(name).replace(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16)}`,
  );
  return `${type}; filename="${ascii}"; filename*=UTF-8''${utf8}`;
}

/** https://www.dropbox.com/developers/documentation/http/documentation#files-download, #files-get_temporary_link */
export function downloadCalls(links: TemporaryLinks, publicOrigin: string): ApiCalls {
  return {
    "files/download": content(
      "download",
      "files.content.read",
      v.strictObject({ path: v.string(), rev: v.optional(v.string()) }),
      ({ account, request }, input) => {
        const { node, revision } = findFile(
          account,
          input.rev === undefined ? input.path : `rev:${input.rev}`,
        );
        if (node.detail.exports !== undefined) throw new EndpointError({ ".tag": "unsupported_file" });
        const etag = `W/"${revision.id}"`;
        if (request.header("if-none-match") === etag) return { status: 304, headers: { ETag: etag } };
        return contentAnswer(revision.content, request.header("range"), {
          "Content-Type": "application/octet-stream",
          "Dropbox-API-Result": headerJson(fileMetadata(account, node, revision)),
          "Original-Content-Length": String(revision.content.size),
          "X-Robots-Tag": "noindex, nofollow, noimageindex",
          ETag: etag,
        });
      },
    ),
    "files/export": content(
      "download",
      "files.content.read",
      v.strictObject({ path: v.string(), export_format: v.optional(v.string()) }),
      ({ account }, input) => {
        const { node, revision } = findFile(account, input.path);
        const { exports } = node.detail;
        if (exports === undefined) throw new EndpointError({ ".tag": "non_exportable" });
        const format = input.export_format ?? exports[0] ?? "";
        if (!exports.includes(format)) throw new EndpointError({ ".tag": "invalid_export_format" });
        const bytes = exported(revision, format);
        const result: files.ExportResult = {
          export_metadata: {
            name: `${node.name.replace(/\.\w+$/, "")}.${EXTENSIONS[format]}`,
            size: bytes.size,
          },
          file_metadata: fileMetadata(account, node, revision),
        };
        return contentAnswer(bytes, undefined, {
          "Content-Type": "application/octet-stream",
          "Dropbox-API-Result": headerJson(result),
        });
      },
    ),
    "files/get_temporary_link": rpc(
      "files.content.read",
      v.strictObject({ path: v.string() }),
      ({ account }, input): files.GetTemporaryLinkResult => {
        const { node, revision } = findFile(account, input.path);
        return {
          metadata: fileMetadata(account, node, revision),
          link: publicOrigin + links.add(node.name, revision),
        };
      },
    ),
  };
}

const EXTENSIONS: Readonly<Record<string, string>> = { markdown: "md", html: "html", plain_text: "txt" };

function exported({ content: text }: Revision, format: string): Content {
  if (format !== "html") return text;
  const whole = Buffer.concat([...text.read(0, text.size)]).toString("utf8");
  return textContent(`<p>${whole}</p>`);
}

function findFile(account: DropboxAccount, path: string): { node: DropboxNode; revision: Revision } {
  const node = resolvePath(account, notRoot(path));
  if (node === undefined) throw pathError("not_found");
  if (node.directory) throw pathError("not_file");
  const wanted = node.revisions.find((revision) => path === `rev:${revision.id}`);
  return { node, revision: wanted ?? newestOf(node) };
}

/**
 * JSON for a header: every character from 0x7f on is escaped ("JSON encoding" in the HTTP documentation).
 */
function headerJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
