import { randomUUID } from "node:crypto";
import { LinkspanError } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import { TaskFailed } from "../../pending.ts";
import { idInName, nameWithId } from "../../resolve-path.ts";
import type { Pending, Target } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer } from "../../vendor-failure.ts";
import { ALL_SHARED, asItem, atPath, itemUrl, ownId, readItem, type ShareFileItem, toItem } from "./items.ts";

// Moves and copies: https://api.sharefile.com/html/docs/Items.html, "Update Item" and "Copy Item" (2026-11-27).

/** An accepted task: the target lies in another storage zone. https://api.sharefile.com/html/docs/AsyncOperations.html */
interface AsyncOperation {
  readonly "odata.type"?: string;
  readonly Id?: string;
  readonly State?: string;
}

interface Patch {
  readonly Name?: string;
  readonly FileName?: string;
  readonly Description?: string;
  readonly Parent?: { readonly Id: string };
}

/**
 * Changes an item. `forceSync` keeps ShareFile from answering before it has done the work.
 * @param overwrite a file of that name is replaced; false: it is a conflict
 */
export async function patch(
  call: VendorCall,
  id: string,
  changes: Patch,
  overwrite = false,
): Promise<DocumentsItem> {
  const url = itemUrl(id, "", { overwrite, forceSync: true, ...asItem });
  const changed = await call.json<ShareFileItem & AsyncOperation>({
    method: "PATCH",
    url,
    json: changes,
    repeatable: true,
  });
  if (isOperation(changed))
    throw badAnswer("it moves the item to another storage zone later, and does not say when");
  return toItem(changed);
}

const named = (name: string): Patch => ({ Name: name, FileName: name });

/**
 * The item of that name in a folder. Among the shared folders, `name [id]` is a folder whose plain name leads to another one.
 * @returns undefined: there is none
 */
export async function childOf(
  call: VendorCall,
  folder: string,
  name: string,
): Promise<DocumentsItem | undefined> {
  const id = folder === ALL_SHARED ? idInName(name) : undefined;
  try {
    if (id === undefined) return await atPath(call, folder, `/${name}`);
    const item = toItem(await readItem(call, id));
    return item.parentId === ALL_SHARED && nameWithId(item.name, id) === name ? item : undefined;
  } catch (error) {
    if (error instanceof LinkspanError && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * Moves and renames; a file at the target is replaced. ShareFile renames first, in the old folder, where a file of the new
 * name would be replaced (rclone, backend/sharefile/sharefile.go, 2026-11-27): so one call does both only if no such file is
 * there.
 */
export async function move(call: VendorCall, item: DocumentsItem, target: Target): Promise<DocumentsItem> {
  const { reference: id } = item;
  const from = item.parentId ?? "";
  const parent = await ownId(call, target.parent);
  const replaces = !item.directory;
  const to = { Parent: { Id: parent } };
  const done = async (changes: Patch, overwrite = replaces): Promise<DocumentsItem> => ({
    ...(await patch(call, id, changes, overwrite)),
    parentId: parent,
  });
  if (parent === from) return await done(named(target.name));
  if (target.name === item.name) return await done(to);
  if (await isFree(call, from, target.name, item)) return await done({ ...named(target.name), ...to });
  if (await isFree(call, parent, item.name, item)) {
    await done(to, false);
    return await done(named(target.name));
  }
  // Both names are taken in the other folder: the item passes under a name of its own.
  await patch(call, id, named(randomUUID()));
  try {
    await done(to, false);
  } catch (error) {
    await patch(call, id, named(item.name)).catch(() => {});
    throw error;
  }
  return await done(named(target.name));
}

async function isFree(call: VendorCall, folder: string, name: string, item: DocumentsItem): Promise<boolean> {
  const there = folder === "" ? undefined : await childOf(call, folder, name);
  return there === undefined || there.id === item.id;
}

/** A copy that ShareFile has made, or makes, and what is still to be done with it. */
interface Copying {
  /** The folder that the copy is made in, and its name there. */
  readonly folder: string;
  readonly name: string;
  /** Where it belongs. */
  readonly parent: string;
  readonly wanted: string;
  /** Absent: the copy is where it belongs. `folder` is removed afterwards. */
  readonly isBetween?: boolean;
  readonly operation?: string;
}

/**
 * Copies a file or a folder. ShareFile keeps the name: the copy is renamed, and if its first name is taken in the
 * target folder, it is made in a folder of its own.
 */
export async function copy(
  call: VendorCall,
  item: DocumentsItem,
  target: Target,
): Promise<DocumentsItem | Pending> {
  const parent = await ownId(call, target.parent);
  const isDirect = sameName(item.name, target.name) || (await childOf(call, parent, item.name)) === undefined;
  const folder = isDirect ? parent : await folderBetween(call, parent);
  const plan: Copying = {
    folder,
    name: item.name,
    parent,
    wanted: target.name,
    ...(isDirect ? {} : { isBetween: true }),
  };
  try {
    const url = itemUrl(item.reference, "Copy", { targetid: folder, overwrite: false, ...asItem });
    const copied = await call.json<ShareFileItem & AsyncOperation>({
      method: "POST",
      url,
      timeoutMs: 60_000,
    });
    if (isOperation(copied)) {
      const waiting: Copying = { ...plan, ...present({ operation: copied.Id }) };
      return { pending: JSON.stringify(waiting) };
    }
    // The documentation calls the answer the source; a copy has another id.
    const known = copied.Id === item.id ? undefined : toItem(copied);
    return await finish(call, plan, known);
  } catch (error) {
    if (!isDirect) await remove(call, folder).catch(() => {});
    throw error;
  }
}

/** @throws {TaskFailed} */
export async function poll(call: VendorCall, task: Pending): Promise<{ reference: string } | undefined> {
  const plan = JSON.parse(task.pending) as Copying;
  const { State } = await call.json<AsyncOperation>({
    method: "GET",
    url: `/sf/v3/AsyncOperations(${encodeURIComponent(plan.operation ?? "")})`,
  });
  if (State === "Created" || State === "Scheduled") return undefined;
  if (State !== "Success") {
    if (plan.isBetween) await remove(call, plan.folder).catch(() => {});
    throw new TaskFailed(`ShareFile ended the copy with ${State ?? "no state"}`);
  }
  return { reference: (await finish(call, plan)).reference };
}

/** Gives a copy its name and its place. */
async function finish(call: VendorCall, plan: Copying, known?: DocumentsItem): Promise<DocumentsItem> {
  const made = known ?? (await atPath(call, plan.folder, `/${plan.name}`));
  let copied: DocumentsItem = { ...made, parentId: plan.folder };
  try {
    if (copied.name !== plan.wanted)
      copied = { ...(await patch(call, copied.reference, named(plan.wanted))), parentId: plan.folder };
    if (plan.isBetween) {
      const moved = await patch(call, copied.reference, { Parent: { Id: plan.parent } });
      copied = { ...moved, parentId: plan.parent };
    }
  } catch (error) {
    if (!plan.isBetween) await remove(call, copied.reference).catch(() => {});
    throw error;
  }
  // An empty folder that stays is no reason to call the copy a failure.
  if (plan.isBetween) await remove(call, plan.folder).catch(() => {});
  return copied;
}

async function folderBetween(call: VendorCall, parent: string): Promise<string> {
  const name = `copy ${randomUUID()}`;
  const made = await call.json<ShareFileItem>({
    method: "POST",
    url: itemUrl(parent, "Folder", { overwrite: false, passthrough: false, ...asItem }),
    json: { Name: name },
  });
  return toItem(made).reference;
}

/** Deletes an item with all its versions. 204: https://api.sharefile.com/gettingstarted/faq */
export async function remove(call: VendorCall, id: string): Promise<void> {
  const url = itemUrl(id, "", { singleversion: false, forceSync: true });
  await call.expectOk({ method: "DELETE", url });
}

function isOperation(answer: AsyncOperation): boolean {
  return answer["odata.type"] === "ShareFile.Api.Models.AsyncOperation";
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
