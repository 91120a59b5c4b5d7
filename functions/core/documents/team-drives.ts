import { NotFound } from "../errors.ts";
import { supported } from "./hub.ts";
import type { HubContext } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";
import { isWithin, parsePath } from "./path.ts";
import type { VendorPage } from "./vendor.ts";

/** The drives of the user's teams, as folders. */
export async function teamDrives(hub: HubContext): Promise<readonly DocumentsItem[]> {
  return await supported(hub, "teamDrives", "team drives")(hub.call);
}

/** All of them, as the only part of a list. */
export async function teamDrivesPage(hub: HubContext): Promise<VendorPage> {
  return { items: await teamDrives(hub) };
}

/** @throws {NotFound} the user has no such drive */
export async function teamDrive(hub: HubContext, id: string): Promise<DocumentsItem> {
  const wanted = hub.vendor.openId(id);
  const found = (await teamDrives(hub)).find((drive) => drive.reference === wanted);
  if (found === undefined) throw new NotFound("there is no team drive with this id");
  return found;
}

/**
 * Converts a path in a drive to a path in the account. A path that begins with the drive's own path, as answers show it, is taken as
 * it is.
 */
export async function pathInTeamDrive(hub: HubContext, id: string, path: string): Promise<string> {
  const inDrive = parsePath(path);
  const { path: drivePath = "/" } = await teamDrive(hub, id);
  return isWithin(inDrive, drivePath) ? inDrive : parsePath(`${drivePath}${inDrive}`);
}
