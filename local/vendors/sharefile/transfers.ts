import { randomUUID } from "node:crypto";
import * as v from "valibot";
import { bytesContent, type Content, digestOf } from "../content.ts";
import { type Answer, contentAnswer, jsonAnswer, redirectAnswer, textAnswer } from "../http/answer.ts";
import type { VendorRequest } from "../http/request.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import { type ApiCall, call, open } from "../kit/calls.ts";
import { TreeRefused } from "../kit/tree-refused.ts";
import { mediaTypeOf } from "../media-type.ts";
import { refused } from "./errors.ts";
import { flags, folder, texts } from "./item-calls.ts";
import { type Account, find, type Node, newest, type Own } from "./items.ts";

export const STORAGE_HOST = "storage-ec2-34.sharefile.com";

const MAX_TRANSFERS = 1000;

/** "Upload File" in https://api.sharefile.com/html/docs/Items.html (2026-11-27) */
const UPLOAD = v.strictObject({
  Method: v.pipe(v.string(), v.toLowerCase(), v.literal("standard")),
  FileName: v.string(),
  FileSize: v.optional(v.number()),
  /** Without it the bytes come in a form, which this stand-in does not read. */
  Raw: v.literal(true),
  ...v.entriesFromList(
    ["BatchLast", "CanResume", "StartOver", "Unzip", "Overwrite", "Notify"],
    v.optional(v.boolean()),
  ),
  ...texts("BatchId", "Title", "Tool", "Details", "ClientCreatedDate", "ClientModifiedDate"),
});

/** An upload that was prepared. */
interface Upload {
  readonly account: Account;
  readonly parent: Node;
  readonly asked: v.InferOutput<typeof UPLOAD>;
}

/** Bytes go to and come from the storage, with URLs that are their own credentials. */
export class Transfers {
  readonly #uploads = new Map<string, Upload>();
  readonly #downloads = new Map<string, { readonly content: Content; readonly name: string }>();

  calls(): ApiCall<Own>[] {
    return [
      call(
        "POST /sf/v3/Items({id})/Upload2",
        { query: v.strictObject(texts("expirationDays")), body: UPLOAD },
        ({ account, parameters }, { body }) => {
          const parent = folder(account, parameters.id ?? "");
          const there = account.child(parent, body.FileName);
          const id = this.#add(this.#uploads, { account, parent, asked: body });
          return {
            "odata.type": "ShareFile.Api.Models.UploadSpecification",
            Method: "Standard",
            ChunkUri: `https://${STORAGE_HOST}/upload.aspx?uploadid=${id}&raw=1`,
            IsResume: false,
            ResumeIndex: 0,
            ResumeOffset: 0,
            MaxNumberOfThreads: 1,
            IsDuplicateFileName: there !== undefined,
          };
        },
      ),
      call(
        "GET /sf/v3/Items({id})/Download",
        {
          query: v.strictObject(flags("redirect", "includeAllVersions", "includeDeleted")),
        },
        ({ account, parameters }, { query }) => {
          const { node, version } = find(account, parameters.id ?? "");
          if (version === undefined) throw refused(400, "this stand-in makes no archives of folders");
          account.refuseIfSwitched(node, "read");
          const token = this.#add(this.#downloads, { content: version.content, name: node.name });
          const url = `https://${STORAGE_HOST}/download.ashx?dt=${token}`;
          if (query.redirect !== "false") return redirectAnswer(url);
          return {
            "odata.type": "ShareFile.Api.Models.DownloadSpecification",
            DownloadToken: token,
            DownloadUrl: url,
          };
        },
      ),
    ];
  }

  endpoints(): Endpoint[] {
    return [
      open(`POST ${STORAGE_HOST} /upload.aspx`, "api", (request) => this.#receive(request)),
      open(`GET ${STORAGE_HOST} /download.ashx`, "api", (request) => {
        const found = this.#downloads.get(request.query.get("dt") ?? "");
        if (found === undefined) return textAnswer(403, "The download token is not valid.");
        return contentAnswer(found.content, request.header("range"), {
          "Content-Type": mediaTypeOf(found.name),
          "Content-Disposition": "attachment",
        });
      }),
    ];
  }

  /** "200 with either no Content Body or with a Body of 'OK'", or 'ERROR:[message]'; with `fmt=json` an object. */
  async #receive(request: VendorRequest): Promise<Answer> {
    const isJson = request.query.get("fmt") === "json";
    const id = request.query.get("uploadid") ?? "";
    try {
      const value = await this.#store(id, request);
      return isJson ? jsonAnswer(200, { error: false, value: [value] }) : textAnswer(200, "OK");
    } catch (error) {
      if (!(error instanceof TreeRefused || error instanceof RangeError)) throw error;
      return isJson
        ? jsonAnswer(200, { error: true, errorMessage: error.message, errorCode: -2 })
        : textAnswer(200, `ERROR:${error.message}`);
    }
  }

  async #store(id: string, request: VendorRequest): Promise<object> {
    const upload = this.#uploads.get(id);
    if (upload === undefined) throw new RangeError("upload id is not valid");
    this.#uploads.delete(id);
    const { account, parent, asked } = upload;
    const bytes = await request.body();
    if ((asked.FileSize ?? bytes.length) !== bytes.length) throw new RangeError("file size does not match");
    const content = bytesContent(bytes);
    const there = account.child(parent, asked.FileName);
    const at = Date.parse(asked.ClientModifiedDate ?? "") || undefined;
    let node = there;
    if (node !== undefined && !node.directory && asked.Overwrite === true) account.write(node, content, at);
    else node = account.addFile(parent, there ? beside(asked.FileName) : asked.FileName, content, at);
    if (asked.Details) node.detail.own.description = asked.Details;
    return {
      uploadid: id,
      parentid: parent.id,
      id: newest(node).version?.id,
      streamid: node.id,
      filename: node.name,
      displayname: node.name,
      size: bytes.length,
      md5: digestOf(content, "md5"),
    };
  }

  #add<Value>(to: Map<string, Value>, value: Value): string {
    const id = randomUUID();
    to.set(id, value);
    const [oldest] = to.keys();
    if (to.size > MAX_TRANSFERS && oldest !== undefined) to.delete(oldest);
    return id;
  }
}

/** The name of a file that is kept beside another one of its name. */
function beside(name: string): string {
  const dot = name.lastIndexOf(".");
  const stem = dot <= 0 ? name : name.slice(0, dot);
  return `${stem} (1)${dot <= 0 ? "" : name.slice(dot)}`;
}
