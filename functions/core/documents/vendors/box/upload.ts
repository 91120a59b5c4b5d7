import { randomUUID } from "node:crypto";
import { Conflict, LinkspanError } from "../../../errors.ts";
import type { DocumentsItem } from "../../item.ts";
import type { Content, Target } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer } from "../../vendor-failure.ts";
import { type BoxItem, fieldsOf, toItem } from "./items.ts";

/** https://developer.box.com/guides/uploads/direct/file (2026-11-27): a new file, or a new version of the one that has its name. */
export async function upload(call: VendorCall, target: Target, content: Content): Promise<DocumentsItem> {
  const parent = { id: target.parent.replace("folders/", "") };
  try {
    return await send(call, "files/content", { name: target.name, parent }, content);
  } catch (error) {
    const taken = content.overwrite ? takenBy(error) : undefined;
    if (taken === undefined) throw error;
    if (taken.type !== "file") throw new Conflict(`${target.path} is not a file`);
    return await send(call, `files/${taken.id}/content`, { name: target.name }, content);
  }
}

/** The item that has the name, from a 409: one object, or a list of one. */
function takenBy(error: unknown): Pick<BoxItem, "type" | "id"> | undefined {
  if (!(error instanceof LinkspanError) || error.code !== "conflict") return undefined;
  const { answer } = (error.detail?.vendor ?? {}) as { answer?: ConflictBody };
  const conflicts = answer?.context_info?.conflicts;
  const [taken] = Array.isArray(conflicts) ? conflicts : [conflicts];
  return taken?.id === undefined ? undefined : taken;
}

interface ConflictBody {
  readonly context_info?: { readonly conflicts?: Taken | readonly Taken[] };
}
type Taken = Pick<BoxItem, "type" | "id">;

/** The attributes come before the bytes, or Box answers `metadata_after_file_contents`. */
async function send(
  call: VendorCall,
  path: string,
  attributes: object,
  { bytes, mimeType }: Content,
): Promise<DocumentsItem> {
  const boundary = `linkspan-${randomUUID()}`;
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="attributes"\r\n\r\n${JSON.stringify(attributes)}\r\n` +
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\nContent-Type: ${mimeType}\r\n\r\n`;
  const { entries } = await call.json<{ entries?: readonly BoxItem[] }>({
    method: "POST",
    host: "upload",
    url: `/api/2.0/${path}?${fieldsOf(path)}`,
    headers: [["Content-Type", `multipart/form-data; boundary=${boundary}`]],
    body: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    timeoutMs: 60_000,
  });
  const [uploaded] = entries ?? [];
  if (uploaded === undefined) throw badAnswer("it lacks the uploaded file");
  return toItem(uploaded);
}
