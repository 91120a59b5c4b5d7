import { VendorError } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { Content, Target } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer } from "../../vendor-failure.ts";
import { itemUrl } from "./items.ts";

/** https://api.sharefile.com/html/docs/ShareFile.Api.Models.UploadSpecification.html (2026-11-27) */
interface UploadSpecification {
  readonly ChunkUri?: string;
  readonly IsDuplicateFileName?: boolean;
}

/** The answer to the bytes, with `fmt=json`: the official SDK's UploadResponse, and rclone's `api.UploadFinishResponse`. */
interface Uploaded {
  readonly error?: boolean;
  readonly errorMessage?: string;
  readonly value?: readonly { readonly id?: string }[];
}

/**
 * A standard upload: one POST of the bytes to a URL that is its own credential.
 * @returns the id of the new item
 */
export async function upload(
  call: VendorCall,
  parent: string,
  target: Target,
  { bytes, overwrite, details }: Content,
): Promise<string> {
  const specification = await call.json<UploadSpecification>({
    method: "POST",
    url: itemUrl(parent, "Upload2"),
    // Only makes a URL.
    repeatable: true,
    // The names of the parameters must be capitalized.
    json: {
      Method: "Standard",
      Raw: true,
      FileName: target.name,
      FileSize: bytes.length,
      Overwrite: overwrite,
      ...present({ Details: details.description }),
    },
  });
  // Without Overwrite ShareFile keeps both files, and does not refuse.
  if (!overwrite && specification.IsDuplicateFileName === true) throw taken();
  const { ChunkUri: uri } = specification;
  if (uri === undefined || !uri.startsWith("https://")) throw badAnswer("an upload has no ChunkUri");
  const uploaded = await call.json<Uploaded>({
    method: "POST",
    url: /[?&]fmt=json\b/i.test(uri) ? uri : `${uri}${uri.includes("?") ? "&" : "?"}fmt=json`,
    presigned: true,
    headers: [["Content-Type", "application/octet-stream"]],
    body: bytes,
    timeoutMs: 60_000,
  });
  const id = uploaded.value?.[0]?.id;
  if (uploaded.error === true || id === undefined) {
    throw new VendorError(
      502,
      "vendor_error",
      `ShareFile did not take the file: ${(uploaded.errorMessage ?? "it gave no id").slice(0, 200)}`,
    );
  }
  return id;
}

export function taken(): VendorError {
  return new VendorError(409, "conflict", "something of that name exists there already");
}
