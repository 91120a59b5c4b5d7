import type { files } from "dropbox";
import { InvalidRequest, LinkspanError, VendorError } from "../../../errors.ts";
import type { DocumentsItem } from "../../item.ts";
import { joinPath, nameOf, parentOf } from "../../path.ts";
import type { Target } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { type Metadata, toItem } from "./items.ts";
import { mayHaveHappened, rpc } from "./rpc.ts";

/** Most characters of a name: https://github.com/dropbox/dropbox-sdk-java/issues/229 */
const MAX_NAME = 255;

export async function relocate(
  call: VendorCall,
  name: "move_v2" | "copy_v2",
  from: string,
  to: string,
  autorename: boolean,
): Promise<DocumentsItem> {
  const argument: files.RelocationArg = { from_path: from, to_path: to, autorename };
  const { metadata } = await rpc<files.RelocationResult>(call, `files/${name}`, argument);
  return toItem(metadata as Metadata);
}

export async function move(call: VendorCall, item: DocumentsItem, target: Target): Promise<DocumentsItem> {
  if (item.path?.toLowerCase() !== target.path.toLowerCase())
    return relocate(call, "move_v2", item.reference, target.path, true);
  return await renameCase(call, item, target.path);
}

/**
 * Changes the case of a name. "Note that we do not currently support case-only renaming" (files/move_v2), so the item gets
 * another name first. If an answer is lost, the item's stable id tells where the item is, and it is moved on or back.
 */
async function renameCase(call: VendorCall, item: DocumentsItem, path: string): Promise<DocumentsItem> {
  const id = item.refId;
  if (id === undefined) throw new InvalidRequest("the root folder cannot be renamed", "path");
  const between = betweenPath(path);
  try {
    await relocate(call, "move_v2", id, between, false);
  } catch (error) {
    if (!mayHaveHappened(error)) throw error;
    const at = await look(call, id, error, between);
    if (!isAt(at, between)) throw error;
  }
  try {
    return await relocate(call, "move_v2", id, path, false);
  } catch (error) {
    if (mayHaveHappened(error)) {
      const at = await look(call, id, error, between);
      if (!isAt(at, between)) return at;
    }
    return await finish(call, id, { path, old: item.path ?? path, between, error });
  }
}

/** The second move has failed: tries it again, then tries to restore the old name. @throws the first failure */
async function finish(
  call: VendorCall,
  id: string,
  { path, old, between, error }: { path: string; old: string; between: string; error: unknown },
): Promise<DocumentsItem> {
  if (mayHaveHappened(error)) {
    const done = await relocate(call, "move_v2", id, path, false).catch(() => undefined);
    if (done !== undefined) return done;
  }
  await relocate(call, "move_v2", id, old, false).catch(async () => {
    // The way back may have happened without an answer, too.
    const at = await look(call, id, error, between);
    if (isAt(at, between)) throw stranded(between, error);
  });
  throw error;
}

/** Where the item is now. @throws {VendorError} the vendor does not tell it */
async function look(call: VendorCall, id: string, cause: unknown, between: string): Promise<DocumentsItem> {
  try {
    return toItem(await rpc<Metadata>(call, "files/get_metadata", { path: id }));
  } catch {
    throw stranded(between, cause);
  }
}

/** The names are compared, because only the last part of `path_display` is sure to have the case that was sent. */
function isAt(item: DocumentsItem, path: string): boolean {
  return item.name === nameOf(path);
}

function stranded(between: string, cause: unknown): VendorError {
  const name = nameOf(between);
  return new VendorError(
    502,
    cause instanceof LinkspanError && cause.status >= 500 ? cause.code : "vendor_error",
    `the vendor failed in the middle of renaming: the item may have the name ${JSON.stringify(name)} now; rename it`,
    { cause },
  );
}

/** A free name beside the item, short enough and recognizable. */
function betweenPath(path: string): string {
  const suffix = `.${crypto.randomUUID()}`;
  const name = nameOf(path)
    .slice(0, MAX_NAME - suffix.length)
    .toWellFormed();
  return joinPath(parentOf(path), `${name}${suffix}`);
}
