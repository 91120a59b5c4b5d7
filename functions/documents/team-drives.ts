import { supported } from "../core/documents/hub.ts";
import { toWire } from "../core/documents/item.ts";
import { teamDrivesList } from "../core/documents/lists.ts";
import { checkName } from "../core/documents/path.ts";
import { teamDrive } from "../core/documents/team-drives.ts";
import type { HttpRequest } from "../http/request.ts";
import { json } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import { answerList } from "./answer-list.ts";
import type { HubHandle } from "./contracts.ts";
import type { OpenHub } from "./open-hub.ts";
import { wireOptions } from "./parameters.ts";

// A drive of a team is shown as a folder. Its id is taken wherever a folder's id is.

export const listTeamDrives: HubHandle<"team-drives.list"> = async (_request, { caller: hub, query }) =>
  await answerList(query, hub, { call: "team-drives.list" }, (options) => teamDrivesList(hub, options));

export const readTeamDrive: HubHandle<"team-drives.read"> = async (request, { caller: hub, query }) =>
  json(toWire(await named(hub, request), wireOptions(query)));

export const createTeamDrive: HubHandle<"team-drives.create"> = async (
  _request,
  { caller: hub, query, body },
) => {
  const create = supported(hub, "createTeamDrive", "POST /team-drives");
  return json(toWire(await create(hub.call, checkName(body.name)), wireOptions(query)));
};

export const changeTeamDrive: HubHandle<"team-drives.change"> = async (
  request,
  { caller: hub, query, body },
) => {
  const rename = supported(hub, "renameTeamDrive", "PATCH /team-drives/{driveId}");
  const drive = await named(hub, request);
  return json(toWire(await rename(hub.call, drive, checkName(body.name)), wireOptions(query)));
};

export const removeTeamDrive: HubHandle<"team-drives.delete"> = async (request, { caller: hub }) => {
  const remove = supported(hub, "removeTeamDrive", "DELETE /team-drives/{driveId}");
  await remove(hub.call, await named(hub, request));
  return json({});
};

async function named(hub: OpenHub, request: HttpRequest) {
  return await teamDrive(hub, decodeSegment(request, "driveId"));
}
