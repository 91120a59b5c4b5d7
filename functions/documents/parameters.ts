import * as v from "valibot";
import type { WireOptions } from "../core/documents/item.ts";
import { parsePath } from "../core/documents/path.ts";
import type { Named } from "../core/documents/resolve-path.ts";
import { pathInTeamDrive } from "../core/documents/team-drives.ts";
import type { ItemKind } from "../core/documents/vendor.ts";
import { InvalidRequest } from "../core/errors.ts";
import { present } from "../core/present.ts";
import { flag, text, texts, wholeNumber } from "../http/parameter.ts";
import type { HttpRequest } from "../http/request.ts";
import type { OpenHub } from "./open-hub.ts";

// Parameters and bodies of the hub's calls, except the bytes of uploads.

const teamDriveId = text(
  "Id of a shared drive of Google's: the call's paths are paths in this drive. Other vendors answer 501.",
);

/** For calls whose paths are in the body alone. */
export const inTeamDrive = { teamDriveId };

export const path = {
  path: text("Absolute path, for the form without an id: `/reports/a.txt`."),
  teamDriveId,
};

const rawOnly = { raw: flag("`true` adds the vendor's own answer as `raw`.") };

/** Parameters of the form in which items are shown. */
export const shown = {
  ...rawOnly,
  fields: texts("Only these members of each item."),
  calculateFolderPath: flag("`false` leaves `path` out, and saves the calls that find it."),
};

const paging = {
  pageSize: wholeNumber("Number of items on a page; absent: 200.", { min: 1, max: 2000 }),
  page: wholeNumber("From 1; ignored if `nextPage` is sent.", { min: 1, max: 1_000_000 }),
  nextPage: text(
    "`Elements-Next-Page-Token` of the previous page: valid only for the same instance and call.",
  ),
};

/** Parameters of lists of items. */
export const list = {
  ...shown,
  where: text("A CEQL filter: `extension = 'pdf' AND size > 100000`."),
  orderBy: text("A field and a direction: `size desc`. Sorts at most 20,000 items."),
  ...paging,
};

/** Parameters of lists that show the drives of teams on request. */
export const withTeamDrives = {
  includeTeamDrives: flag(
    "`true`: a list of the root folder shows the shared drives, and a search looks in them, too. Vendors without shared drives answer 501.",
  ),
};

export const overwrite = { overwrite: flag("`true` replaces an existing file.") };

/** The parameter `raw` without the others of `shown`. */
export const raw = rawOnly;

/**
 * The file or folder of a call: by id in the path, else by `path` in the query; with `teamDriveId` alone, the drive's root folder.
 * @throws {InvalidRequest}
 */
export async function namedItem(
  hub: OpenHub,
  request: HttpRequest,
  query: { readonly path: string | undefined },
): Promise<Named> {
  const { id } = request.params;
  if (id !== undefined) return { id, ...present({ kind: kindOf(request.path) }) };
  const path = query.path ?? (hub.teamDriveId === undefined ? undefined : "/");
  if (path === undefined)
    throw new InvalidRequest("path is missing: send it, for example ?path=/reports/a.txt", "path");
  return { path: parsePath(await pathInAccount(hub, path)) };
}

/** A path of a call as a path in the account: with `teamDriveId`, the call's paths are paths in that drive. */
export async function pathInAccount(hub: OpenHub, path: string): Promise<string> {
  return hub.teamDriveId === undefined ? path : await pathInTeamDrive(hub, hub.teamDriveId, path);
}

/** What a route by id is about: `/files/{id}`, `/folders/{id}/contents`. */
function kindOf(urlPath: string): ItemKind | undefined {
  const [, word] = /\/(file|folder)s\/[^/]/.exec(urlPath) ?? [];
  return word as ItemKind | undefined;
}

/** Turns the query values of `shown` into `WireOptions`. */
export function wireOptions(query: {
  readonly raw: boolean | undefined;
  readonly fields: readonly string[];
  readonly calculateFolderPath: boolean | undefined;
}): WireOptions {
  return {
    raw: query.raw ?? false,
    withoutPath: query.calculateFolderPath === false,
    ...(query.fields.length === 0 ? {} : { fields: query.fields }),
  };
}

const aText = v.string("it must be a text");
/** A name. A number is converted to a text. */
const name = v.union([aText, v.pipe(v.number(), v.transform(String))], "it must be a text");
const tags = v.array(aText, "it must be a list of texts");

export const ItemBody = v.object({
  path: v.optional(aText),
  name: v.optional(name),
  description: v.optional(aText),
  tags: v.optional(tags),
});
export const TeamDriveBody = v.object({ name });
export const CopyBody = v.object({ path: aText });

/** Header of an answer whose item lacks some of what was sent: it could not be stored. */
export const NOT_KEPT = "Elements-Not-Kept";

export function notKeptHeader(names: readonly string[]): Record<string, string> {
  return names.length === 0 ? {} : { [NOT_KEPT]: names.join(", ") };
}
