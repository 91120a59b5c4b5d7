import { Busboy, type BusboyHeaders, type BusboyInstance } from "@fastify/busboy";
import { mediaTypeOf, UNKNOWN_TYPE } from "../core/documents/media-types.ts";
import { InvalidRequest } from "../core/errors.ts";
import type { HttpRequest } from "../http/request.ts";

/** The bytes of an upload, with type and name if they were sent. */
export interface UploadBody {
  readonly bytes: Buffer;
  /** The sender's media type; absent if none was sent, or only `application/octet-stream`. */
  readonly mimeType?: string;
  readonly fileName?: string;
}

/** A media type (RFC 9110 section 8.3.1); it is sent to the vendor in a header. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;

/**
 * Reads the part `file` of a multipart/form-data body; any other body is the file itself.
 * @throws {InvalidRequest}
 */
export async function readUpload(request: HttpRequest): Promise<UploadBody> {
  const contentType = request.headers["content-type"];
  if (contentType !== undefined && /^multipart\/form-data\b/i.test(contentType)) {
    return readMultipart(request.body, contentType);
  }
  return { bytes: request.body, ...known(contentType) };
}

/**
 * The media type of the upload; if the sender sent none, or `application/octet-stream`: the type for the file
 * name.
 */
export function mediaTypeFor(body: UploadBody, name: string): string {
  return body.mimeType ?? mediaTypeOf(name);
}

function readMultipart(body: Buffer, contentType: string): Promise<UploadBody> {
  return new Promise((resolve, reject) => {
    const malformed = (cause?: unknown): InvalidRequest => {
      const error = new InvalidRequest("the multipart/form-data body cannot be read", "body");
      return Object.assign(error, { cause });
    };
    let parser: BusboyInstance;
    try {
      parser = new Busboy({
        headers: { "content-type": contentType } as BusboyHeaders,
        limits: { files: 5, fields: 50, parts: 60, headerPairs: 20, fieldSize: 64 * 1024 },
      });
    } catch (error) {
      reject(malformed(error));
      return;
    }
    let first: UploadBody | undefined;
    let named: UploadBody | undefined;
    parser.on("file", (field, stream, fileName, _encoding, mimeType) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", (error: Error) => reject(malformed(error)));
      stream.on("end", () => {
        const part = {
          bytes: Buffer.concat(chunks),
          ...known(mimeType),
          ...(fileName ? { fileName: withoutFolders(fileName) } : {}),
        };
        first ??= part;
        if (field === "file") named ??= part;
      });
    });
    parser.on("error", (error: unknown) => reject(malformed(error)));
    parser.on("finish", () => {
      const part = named ?? first;
      if (part === undefined) reject(new InvalidRequest("the body has no part called file", "file"));
      else resolve(part);
    });
    parser.end(body);
  });
}

/** The type without its parameters, because vendors store it as the file's type. */
function known(contentType: string | undefined): { mimeType?: string } {
  const type = contentType?.split(";")[0]?.trim().toLowerCase();
  return type === undefined || !MEDIA_TYPE.test(type) || type === UNKNOWN_TYPE ? {} : { mimeType: type };
}

/** Removes folders from a file name, because some browsers send the whole path of the file. */
function withoutFolders(fileName: string): string {
  return fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1);
}
